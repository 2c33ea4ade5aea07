"""Measurements of devices, read from tables: what is understood is told.

A file holds one kind of measurement, known by its columns (names in any case, units in
brackets behind them):

- pulse trains: `pulse` (0: before the first), `g`; perhaps `direction`, `device`,
  `cycle`, and `x`, `y` on the wafer; or `pulse` and a column for every cycle
  ("cycle 1", "device 2 cycle 1");
- writes: `target` and `landed` (or `g`);
- readings at rest: `read` and `g`;
- retention: `time` and `g`, or a column for every device;
- endurance: `cycle`, `low`, `high`.

Conductances may come as resistances `r`, or as `current` and `voltage`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from eapu_jax.fitting import Traces
from experiments.data.formats import DataError
from experiments.data.tables import Table, read_table
from experiments.data.traces import others, trains
from experiments.data.traces.columns import roles
from experiments.data.traces.places import placed

__all__ = ["read_traces"]


def read_traces(paths: Sequence[str | Path]) -> tuple[Traces, list[str]]:
    """Read the measurements of one kind of device.

    Args:
        paths: files, each with another kind of measurement.

    Returns:
        What was measured, and what was understood, a line for every file.

    Raises:
        DataError: naming file, line, column and what was expected.
    """
    held: dict[str, Any] = {}
    told = []
    for path in paths:
        table = read_table(path)
        try:
            name, read = _kind(table)
            if name in held:
                raise DataError(f"holds {name}, as a file before it: give one of each")
            found, where = roles(table), []
            if read is trains.long:
                table, found, held["places"], where = placed(table, found)
            held[name], understood = read(table, found)
        except ValueError as e:
            raise DataError(f"{path}: {e}") from None
        told.append(
            f"{path}: {name}; {'; '.join([table.dialect, *where, *understood])}"
        )
    if not held:
        raise DataError("expected at least one file of measurements, got none")
    return Traces(**held), told


Read = Callable[[Table, dict[str, str]], tuple[Any, list[str]]]


def _kind(table: Table) -> tuple[str, Read]:
    """What a table measures, by its columns."""
    found = roles(table)
    told = {"g", "r", "current"} & set(found)
    if "target" in found:
        return "writes", others.writes
    if {"low", "high", "cycle"} <= set(found):
        return "endurance", others.endurance
    if "time" in found and "pulse" not in found and "direction" not in found:
        return "retention", others.retention
    if "read" in found and "pulse" not in found:
        return "reads", others.reads
    if told:
        return "pulses", trains.long
    if table.numbers and ("pulse" in found or len(table.numbers) > 1):
        return "pulses", trains.wide
    raise DataError(
        "no column that is known: expected pulse and g, or time and g, or target and "
        f"landed, or cycle, low and high; got {', '.join(table.names[:12])}"
    )
