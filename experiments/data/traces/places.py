"""Where devices stand on their wafer: the columns x and y of a long table."""

from dataclasses import replace

import numpy as np

from eapu_jax.fitting import Places
from experiments.data.formats import DataError
from experiments.data.tables import Table
from experiments.data.traces.columns import labels, scaled

_OWN = "place"
"""Of the column of devices that are known by their places alone."""


def placed(
    table: Table, found: dict[str, str]
) -> tuple[Table, dict[str, str], Places | None, list[str]]:
    """The places of the devices, each once, in the order of the devices.

    A place is told in one line of a device at least. Where no column names the
    devices, each place is one.

    Args:
        table: with a line a reading.
        found: role -> name of its column.

    Returns:
        Table and roles with a column of devices, the places (None: none is told), and
        what was understood.

    Raises:
        DataError: naming the line, where a place is half told, a device has none or
            two, or two devices have one.
    """
    if not {"x", "y"} <= set(found):
        return table, found, None, []
    x, unit = _coordinate(table, found["x"])
    y, other = _coordinate(table, found["y"])
    if unit != other:
        raise DataError(
            f"columns {found['x']!r} and {found['y']!r} have the units "
            f"{unit or 'none'} and {other or 'none'}, expected one for both"
        )
    told = np.isfinite(x)
    for i in np.flatnonzero(told != np.isfinite(y)):
        raise DataError(
            f"line {table.lines[i]}: has one of {found['x']!r} and {found['y']!r}, "
            "expected both or none"
        )
    if not told.any():
        return table, found, None, []
    known = [f"places on the wafer in {unit or 'numbers of dies'}"]
    if "device" not in found:
        names = [f"{a:g}, {b:g}" for a, b in zip(x, y, strict=True)]
        table = replace(table, words={**table.words, _OWN: names})
        found = {**found, "device": _OWN}
        known.append("each taken for a device")
    places = _of_devices(table, labels(table, found["device"]), x, y)
    return table, found, Places(x=places[0], y=places[1], unit=unit), known


def _coordinate(table: Table, name: str) -> tuple[np.ndarray, str]:
    """A column in mm, or of numbers of dies where no unit is told."""
    values, unit = scaled(table, name, "place")
    return values, "" if "not told" in unit else "mm"


def _of_devices(
    table: Table, device: list[str], x: np.ndarray, y: np.ndarray
) -> np.ndarray:
    at: dict[str, tuple[float, float]] = {}
    first: dict[tuple[float, float], tuple[str, int]] = {}
    for name, line, *place in zip(device, table.lines, x, y, strict=True):
        here = (float(place[0]), float(place[1]))
        if np.isnan(here[0]):
            continue
        if at.setdefault(name, here) != here:
            raise DataError(
                f"line {line}: device {name!r} stands at {_words(here)}, and at "
                f"{_words(at[name])} in line {first[at[name]][1]}: expected one place"
            )
        owner, before = first.setdefault(here, (name, line))
        if owner != name:
            raise DataError(
                f"line {line}: device {name!r} stands at {_words(here)}, where device "
                f"{owner!r} stands in line {before}: expected a place for each"
            )
    for name, line in zip(device, table.lines, strict=True):
        if name not in at:
            raise DataError(
                f"line {line}: device {name!r} has no place in any line, expected one "
                "as the others have"
            )
    return np.array([at[name] for name in dict.fromkeys(device)]).T


def _words(place: tuple[float, float]) -> str:
    return f"({place[0]:g}, {place[1]:g})"
