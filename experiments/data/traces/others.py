"""Writes with a target, readings at rest, retention and endurance from a table."""

import numpy as np

from eapu_jax.fitting import Endurance, Reads, Retention, Writes
from experiments.data.formats import DataError
from experiments.data.tables import Table
from experiments.data.traces.columns import conductance, labels, scaled, sound


def writes(table: Table, found: dict[str, str]) -> tuple[Writes, list[str]]:
    """Targets, and where the writes landed."""
    target, unit = scaled(table, found["target"], "g")
    target = sound(table, found["target"], target, unit)
    if "landed" in found:
        landed, other = scaled(table, found["landed"], "g")
        other = f"in {other}"
    else:
        landed, other = conductance(table, found)
    rows = _by_device(table, found, target, landed)
    told = [f"targets in {unit}, landed {other}", _size(rows, "writes")]
    return Writes(target=rows[0], landed=rows[1]), told


def reads(table: Table, found: dict[str, str]) -> tuple[Reads, list[str]]:
    """Readings of cells at rest."""
    g, unit = conductance(table, found)
    rows = _by_device(table, found, g)
    return Reads(g=rows[0]), [f"conductances {unit}", _size(rows, "reads")]


def retention(table: Table, found: dict[str, str]) -> tuple[Retention, list[str]]:
    """Conductances at times; a column a device, or a column that names it."""
    seconds, unit = scaled(table, found["time"], "time")
    columns = [n for n in table.names if n != found["time"]]
    if "g" in found or "r" in found or "current" in found:
        g, in_unit = conductance(table, found)
        device = _devices(table, found)
        names = list(dict.fromkeys(device))
        series = [
            (seconds[mine], g[mine], table.lines[mine])
            for mine in (np.array([d == name for d in device]) for name in names)
        ]
    else:
        if not columns:
            raise DataError(f"only {found['time']!r}: expected conductances beside it")
        told = [scaled(table, name, "g") for name in columns]
        in_unit = f"in {told[0][1]}"
        series = [
            (seconds, sound(table, name, values, unit), table.lines)
            for name, (values, unit) in zip(columns, told, strict=True)
        ]
    for times, _, lines in series:
        bad = np.flatnonzero(~(np.diff(times) > 0))
        if bad.size or not times[0] >= 0:
            at = bad[0] + 1 if bad.size else 0
            raise DataError(
                f"line {lines[at]}, column {found['time']!r}: time {times[at]:g} s, "
                "expected one that is later than the one before, from 0 on"
            )
    every = np.unique(np.concatenate([times for times, _, _ in series]))
    rows = np.full((len(series), len(every)), np.nan)
    for row, (times, values, _) in zip(rows, series, strict=True):
        row[np.searchsorted(every, times)] = values
    if len(every) < 2:
        raise DataError("one time alone, expected two or more")
    text = [f"times in {unit}, conductances {in_unit}", _size([rows], "times")]
    return Retention(time=every, g=rows), text


def endurance(table: Table, found: dict[str, str]) -> tuple[Endurance, list[str]]:
    """Low and high states over cycles."""
    low, unit = scaled(table, found["low"], "g")
    high, _ = scaled(table, found["high"], "g")
    low, high = (
        sound(table, found[name], x, unit) for name, x in (("low", low), ("high", high))
    )
    cycle = table.numbers.get(found["cycle"])
    if cycle is None:
        raise DataError(f"column {found['cycle']!r}: expected numbers of cycles")
    device = _devices(table, found)
    every = np.unique(cycle[np.isfinite(cycle)])
    if len(every) < 2:
        raise DataError("one cycle alone, expected two or more")
    names = list(dict.fromkeys(device))
    rows = np.full((2, len(names), len(every)), np.nan)
    for i, line in enumerate(table.lines):
        if not np.isfinite(cycle[i]):
            raise DataError(
                f"line {line}, column {found['cycle']!r}: expected a number, got "
                "nothing"
            )
        at = names.index(device[i]), int(np.searchsorted(every, cycle[i]))
        if np.isfinite(rows[0][at]):
            raise DataError(
                f"line {line}, column {found['cycle']!r}: cycle {cycle[i]:g} stands "
                "there twice"
            )
        rows[0][at], rows[1][at] = low[i], high[i]
    text = [f"conductances in {unit}", _size(list(rows), "cycles")]
    return Endurance(cycle=every, low=rows[0], high=rows[1]), text


def _devices(table: Table, found: dict[str, str]) -> list[str]:
    if "device" not in found:
        return ["1"] * len(table.lines)
    return labels(table, found["device"])


def _by_device(table: Table, found: dict[str, str], *columns) -> list[np.ndarray]:
    """Every column as rows of devices, filled up with NaN."""
    device = np.array(_devices(table, found))
    names = list(dict.fromkeys(device.tolist()))
    most = max(int((device == name).sum()) for name in names)
    rows = [np.full((len(names), most), np.nan) for _ in columns]
    for i, name in enumerate(names):
        for row, column in zip(rows, columns, strict=True):
            mine = column[device == name]
            row[i, : len(mine)] = mine
    return rows


def _size(rows: list[np.ndarray], what: str) -> str:
    return f"{len(rows[0])} devices, up to {rows[0].shape[1]} {what}"
