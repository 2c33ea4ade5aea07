"""Pulse trains from a table: long, a line a pulse, or wide, a column a cycle."""

from typing import NamedTuple

import numpy as np

from eapu_jax.fitting import PulseTrains
from experiments.data.formats import DataError
from experiments.data.tables import Table
from experiments.data.traces.columns import conductance, labels, scaled, sound
from experiments.data.traces.names import DOWN, UP, ways_of, who

MOST_PULSES = 100_000
"""Of a train."""


class _Train(NamedTuple):
    """One device in one cycle: readings after each pulse, the first before any."""

    g: list[float]
    up: list[bool]


def long(table: Table, found: dict[str, str]) -> tuple[PulseTrains, list[str]]:
    """A line for every pulse, with its device and cycle where there are several."""
    g, unit = conductance(table, found)
    device = _each(table, found, "device")
    cycle = _each(table, found, "cycle")
    number = _pulse_numbers(table, found)
    up = directions(table, found["direction"]) if "direction" in found else None
    trains: dict[tuple[str, str], _Train] = {}
    last: dict[str, tuple[str, float, bool | None]] = {}
    restarts: dict[str, int] = {}
    skipped = 0
    for i, line in enumerate(table.lines):
        who, which = device[i], cycle[i]
        way = None if up is None else bool(up[i])
        before = last.get(who)
        if before and before[0] == which and number[i] <= before[1]:
            turned = way is not None and way != before[2]
            if turned and "cycle" not in found:  # back to how it began: a new cycle
                began = trains[who, f"{which}.{restarts.get(who, 0)}"].up
                turned = not began or way != began[0]
            if not turned and "cycle" in found:
                raise DataError(
                    f"line {line}, column {found.get('pulse', 'pulse')!r}: pulse "
                    f"{number[i]:g} after pulse {before[1]:g} of the same cycle, "
                    "expected more"
                )
            if not turned:
                restarts[who] = restarts.get(who, 0) + 1
        last[who] = which, number[i], way
        key = who, f"{which}.{restarts.get(who, 0)}"
        train = trains.setdefault(key, _Train([], []))
        if number[i] == 0 and not train.g:
            train.g.append(float(g[i]))
            continue
        if not train.g:
            train.g.append(np.nan)
        elif before and before[1] < number[i]:
            skipped += _skip(train, int(number[i] - before[1]) - 1, bool(way), line)
        train.g.append(float(g[i]))
        train.up.append(bool(way))
    told = [f"conductances {unit}"]
    if restarts:
        told.append("pulse numbers begin anew: taken for new cycles")
    if skipped:
        told.append(f"{skipped} pulses without a reading, by their numbers")
    return _together(trains, up is not None, told)


def _skip(train: _Train, pulses: int, up: bool, line: int) -> int:
    """Go over pulses that were not read: as those after them, and no reading."""
    if len(train.up) + pulses > MOST_PULSES:
        raise DataError(
            f"line {line}: is {pulses + 1} pulses after the line before, expected "
            f"{MOST_PULSES:,} pulses in a train at most"
        )
    train.g.extend([np.nan] * pulses)
    train.up.extend([up] * pulses)
    return pulses


def wide(table: Table, found: dict[str, str]) -> tuple[PulseTrains, list[str]]:
    """A column for every cycle of every device, a line for every pulse."""
    if {"x", "y"} <= set(found):
        raise DataError(
            f"columns {found['x']!r} and {found['y']!r}: are they places on a wafer? "
            "Then give a line for every reading, with a column g; else rename them"
        )
    skip = {found[role] for role in ("pulse", "direction") if role in found}
    number = _pulse_numbers(table, found)
    bad = np.flatnonzero(np.diff(number) <= 0)
    if bad.size:
        raise DataError(
            f"line {table.lines[bad[0] + 1]}, column {found.get('pulse', '')!r}: pulse "
            f"{number[bad[0] + 1]:g} after pulse {number[bad[0]]:g}, expected more"
        )
    up = directions(table, found["direction"]) if "direction" in found else None
    columns = [name for name in table.names if name not in skip]
    if not columns:
        raise DataError("expected conductances beside the numbers of the pulses")
    told_ways = ways_of(columns, up is not None)
    trains: dict[tuple[str, str], _Train] = {}
    units, before = set(), {True: 0, False: 0, None: 0}
    if number[-1] - number[0] > MOST_PULSES:
        raise DataError(
            f"line {table.lines[-1]}, column {found.get('pulse', '')!r}: pulse "
            f"{number[-1]:g}, expected {MOST_PULSES:,} pulses in a train at most"
        )
    every = np.arange(number[0], number[-1] + 1)
    places, read = np.searchsorted(number, every), np.isin(every, number)
    for name, way in zip(columns, told_ways, strict=True):
        values, unit = scaled(table, name, "g")
        units.add(unit)
        values = sound(table, name, values, unit)
        begins = number[0] == 0
        g = np.where(read, values[places], np.nan).tolist()
        g = [*([] if begins else [np.nan]), *g]
        ways = [] if up is None else up[places][1 if begins else 0 :].tolist()
        whose, before[way] = who(name, before[way]), before[way] + 1
        one = _Train(g, ways or [bool(way)] * (len(g) - 1))
        if whose in trains:
            if way is None or way in trains[whose].up:
                raise DataError(
                    f"column {name!r} has the device and the cycle of one before it, "
                    "expected one of its own for each"
                )
            one = _joined(trains[whose], one)
        trains[whose] = one
    if len(units) > 1:
        raise DataError(
            f"columns have the units {', '.join(sorted(units))}, expected one for all"
        )
    told = [f"conductances in {units.pop()}"]
    if skipped := int(np.sum(~read)):
        told.append(f"{skipped} pulses without a reading, by their numbers")
    if None not in told_ways:
        told.append("directions by the names of the columns")
    return _together(trains, up is not None or None not in told_ways, told)


def _joined(one: _Train, other: _Train) -> _Train:
    """One train after the other: where it begins is where the first one ends."""
    end = int(np.flatnonzero(np.isfinite(one.g))[-1]) if np.isfinite(one.g).any() else 0
    return _Train([*one.g[: end + 1], *other.g[1:]], [*one.up[:end], *other.up])


def directions(table: Table, name: str) -> np.ndarray:
    """Which pulses ask for more, by words or signs."""
    if name in table.numbers:
        values = table.numbers[name]
        bad = np.flatnonzero(~(np.abs(values) > 0))
        if bad.size:
            raise DataError(
                f"line {table.lines[bad[0]]}, column {name!r}: expected a number above "
                f"or below 0, got {values[bad[0]]:g}"
            )
        return values > 0
    ways = []
    for line, word in zip(table.lines, table.words[name], strict=True):
        plain = word.strip().lower()
        if plain not in UP | DOWN:
            raise DataError(
                f"line {line}, column {name!r}: expected a direction, up or down (or "
                f"potentiation, depression, set, reset, +, -), got {word!r}"
            )
        ways.append(plain in UP)
    return np.array(ways)


def _each(table: Table, found: dict[str, str], role: str) -> list[str]:
    if role not in found:
        return ["1"] * len(table.lines)
    return labels(table, found[role])


def _pulse_numbers(table: Table, found: dict[str, str]) -> np.ndarray:
    """The numbers of the pulses; lines are counted where they are not told."""
    if "pulse" not in found:
        return np.arange(1.0, len(table.lines) + 1)
    name = found["pulse"]
    for label, line in zip(labels(table, name), table.lines, strict=True):
        if not label.isdigit():
            raise DataError(
                f"line {line}, column {name!r}: expected the number of a pulse, from 0 "
                f"on, got {label!r}"
            )
    return table.numbers[name]


def _together(
    trains: dict[tuple[str, str], _Train], known: bool, told: list[str]
) -> tuple[PulseTrains, list[str]]:
    """All trains in one array, filled up with NaN."""
    devices = list(dict.fromkeys(device for device, _ in trains))
    cycles = {d: [c for dev, c in trains if dev == d] for d in devices}
    most = max(len(train.g) for train in trains.values())
    shape = len(devices), max(map(len, cycles.values())), most
    g, up = np.full(shape, np.nan), np.zeros((*shape[:2], most - 1), bool)
    for i, device in enumerate(devices):
        for j, cycle in enumerate(cycles[device]):
            train = trains[device, cycle]
            g[i, j, : len(train.g)] = train.g
            up[i, j, : len(train.up)] = train.up
    if most < 3:
        raise DataError(f"a train has {most - 1} pulses at most, expected 2 or more")
    if not np.isfinite(g).any():
        raise DataError("holds no conductance, expected one after a pulse at least")
    if not known:
        up[...], told_too = _turned(g)
        told = [*told, told_too]
    told.append(
        f"{shape[0]} devices, up to {shape[1]} cycles of up to {most - 1} pulses"
    )
    return PulseTrains(g=g, up=up), told


def _turned(g: np.ndarray) -> tuple[np.ndarray, str]:
    """Directions that nobody told: by where the mean over all trains turns."""
    filled = np.isfinite(g)
    count = filled.sum((0, 1))
    mean = np.where(filled, g, 0).sum((0, 1)) / np.maximum(count, 1)
    mean = np.where(count > 0, mean, np.nan)
    top, bottom = int(np.nanargmax(mean)), int(np.nanargmin(mean))
    first, last = np.flatnonzero(np.isfinite(mean))[[0, -1]]
    rises = mean[top] - max(mean[first], mean[last])
    falls = min(mean[first], mean[last]) - mean[bottom]
    turn, begins = (top, True) if rises >= falls else (bottom, False)
    if max(rises, falls) <= 0:
        turn, begins = int(last), bool(mean[last] > mean[first])
    up = np.arange(g.shape[-1] - 1) < turn
    way = ("up", "down") if begins else ("down", "up")
    told = f"directions are not told: taken for {way[0]} to pulse {turn}"
    if turn < g.shape[-1] - 1:
        told += f", {way[1]} after it"
    return up if begins else ~up, told
