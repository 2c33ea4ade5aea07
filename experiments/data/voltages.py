"""Voltage traces of a board: a column of times, one of voltages for each node."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.data.formats import DataError
from experiments.data.tables import Table, read_table

SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
VOLTS = {"V": 1.0, "mV": 1e-3, "uV": 1e-6, "µV": 1e-6, "nV": 1e-9}
FEWEST = 100
"""Samples of a record from which anything is told."""
MOST_NODES = 64
UNEVEN = 0.01
"""How far a time may be from its place, relative to the interval: times are rounded."""
BLOCKS = 16
SIGNIFICANT = 5.0
"""Standard errors beyond which a mean is an offset of the instrument."""


@dataclass(frozen=True, kw_only=True)
class Voltages:
    """One record of equally spaced samples.

    Attributes:
        v: V, `(samples, nodes)`, offsets taken off.
        dt: between samples, µs.
        names: of the nodes.
        offsets: that were taken off, V, `(nodes,)`; 0 where none was.
        dialect: how the file was read, for people.
    """

    v: np.ndarray
    dt: float
    names: tuple[str, ...]
    offsets: np.ndarray
    dialect: str


def read_voltages(path: str | Path) -> Voltages:
    """Read a record: times first, then a column for each node, with units.

    A mean beyond five standard errors is an offset of the instrument, and is taken
    off: noise has none.

    Raises:
        DataError: naming line and column and what was expected of it.
    """
    table = read_table(path)
    names = [name for name in table.names if name in table.numbers]
    if len(names) < len(table.names):
        odd = next(name for name in table.names if name not in table.numbers)
        raise DataError(f"{path}, column {odd!r}: holds words, expected numbers")
    if not 2 <= len(names) <= MOST_NODES + 1:
        raise DataError(
            f"{path}: has {len(names)} columns, expected a time and 1 to {MOST_NODES} "
            "voltages"
        )
    scales = [_scale(path, table, names[0], SECONDS, "a time")]
    scales += [_scale(path, table, name, VOLTS, "a voltage") for name in names[1:]]
    columns = [_whole(path, table, n) * s for n, s in zip(names, scales, strict=True)]
    if len(table.lines) < FEWEST:
        raise DataError(
            f"{path}: has {len(table.lines)} samples, expected {FEWEST} or more"
        )
    dt = _interval(path, table, names[0], columns[0])
    v = np.stack(columns[1:], -1)
    for name, column in zip(names[1:], v.T, strict=True):
        if np.ptp(column) == 0:
            raise DataError(f"{path}, column {name!r}: never changes, expected noise")
    offsets = _offsets(v)
    return Voltages(
        v=v - offsets,
        dt=dt * 1e6,
        names=tuple(names[1:]),
        offsets=offsets,
        dialect=table.dialect,
    )


def _scale(path, table: Table, name: str, known: dict[str, float], kind: str) -> float:
    unit = table.unit(name)
    if unit not in known:
        got = repr(unit) if unit else "none"
        raise DataError(
            f"{path}, line 1, column {name!r}: expected {kind} with its unit, one of "
            f'{", ".join(known)}, as in "{name} ({next(iter(known))})"; got {got}'
        )
    return known[unit]


def _whole(path, table: Table, name: str) -> np.ndarray:
    column = table.numbers[name]
    gaps = np.flatnonzero(~np.isfinite(column))
    if len(gaps):
        raise DataError(
            f"{path}, line {table.lines[gaps[0]]}, column {name!r}: is empty, expected "
            "a number at every sample"
        )
    return column


def _interval(path, table: Table, name: str, t: np.ndarray) -> float:
    """Between samples, s, by the first and the last time."""
    dt = (t[-1] - t[0]) / (len(t) - 1)
    steps = np.diff(t)
    if not (steps > 0).all():
        at = int(np.argmin(steps > 0)) + 1
        raise DataError(
            f"{path}, line {table.lines[at]}, column {name!r}: is not later than the "
            "line before, expected times that grow"
        )
    off = np.abs(t - (t[0] + dt * np.arange(len(t)))) / dt
    jump = np.abs(steps / dt - 1)
    # a time written with few digits is off by its last one, and no sample is missing
    if jump.max() > 0.5 or np.median(jump) > UNEVEN:
        at = int(np.argmax(jump)) + 1
        raise DataError(
            f"{path}, line {table.lines[at]}, column {name!r}: {steps[at - 1]:.6g} s "
            f"after the line before, expected {dt:.6g} s: samples must be equally "
            f"spaced (the furthest is {off.max():.2g} intervals from its place)"
        )
    return float(dt)


def _offsets(v: np.ndarray) -> np.ndarray:
    """Means that noise does not explain, by the spread of the means of blocks."""
    size = len(v) // BLOCKS
    blocks = v[: BLOCKS * size].reshape(BLOCKS, size, -1).mean(1)
    error = blocks.std(0, ddof=1) / BLOCKS**0.5
    mean = v.mean(0)
    return np.where(np.abs(mean) > SIGNIFICANT * error, mean, 0.0)
