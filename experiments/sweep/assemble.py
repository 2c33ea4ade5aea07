"""Chunks -> one labelled dataset, with gaps where something is missing."""

import json
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from experiments.sweep.folder import read_folder
from experiments.sweep.kept import FAILED, MISSING, OK, unpacked
from experiments.sweep.labels import shown
from experiments.sweep.manifest import study_to_read
from experiments.sweep.record import Record
from experiments.sweep.reductions import Found
from experiments.sweep.reductions.base import State
from experiments.sweep.shelf import Shelf
from experiments.sweep.study import Study

__all__ = ["REASONS", "assembled", "failures", "partial"]

REASONS = ("ok", "diverged", "failed", "not computed")


def partial(store: str | Path) -> xr.Dataset:
    """What is there of a sweep, also while it runs: NaN for what is missing.

    The variable `reason` says why: 0 ok, 1 diverged, 2 failed, 3 not computed.
    A reduction is that of the chips computed so far; `computed` is their number.

    Args:
        store: folder of the sweep.

    Raises:
        FileNotFoundError: if it holds no sweep.
        StoreError: if a file in it is damaged.
    """
    folder, manifest = read_folder(store)
    return assembled(study_to_read(manifest), folder, manifest)


def assembled(study: Study, shelf: Shelf, manifest: Mapping[str, Any]) -> xr.Dataset:
    """The dataset of all chunks on the shelf, merged in the order of their lanes."""
    table = _Table(study, getattr(shelf, "path", None))
    for group in study.groups:
        facts = shelf.known_group(group.number)
        failure = shelf.failure(group.number)
        if facts is not None:
            table.announce(facts["outputs"])
        if failure is not None:
            table.fail(group.points, failure)
    for group in study.groups:
        facts = shelf.known_group(group.number)
        if facts is None:
            continue
        for number in sorted(shelf.done(group.number)):
            start = number * facts["chunk"]
            lanes = np.arange(start, min(start + facts["chunk"], study.lanes(group)))
            table.add(study.where(group, lanes), shelf.get(group.number, number))
    attrs = {"sweep": json.dumps(manifest), **table.attrs()}
    return xr.Dataset(table.variables(), coords=study.coords(), attrs=attrs)


def replay_command(store: Path | None, point, chip: int, seed: int) -> str:
    """How to compute one lane again.

    Example:
        >>> replay_command(Path("stores/a"), {"noise": 0.5}, 3, 0)
        'python -m experiments replay stores/a --at noise=0.5 --chip 3 --seed 0'
    """
    if store is None:
        return f"replay(dataset, {dict(point)}, chip={chip}, seed={seed})"
    at = "".join(f" --at {shlex.quote(f'{k}={v}')}" for k, v in point.items())
    where = f"{shlex.quote(str(store))}{at} --chip {chip} --seed {seed}"
    return f"python -m experiments replay {where}"


class _Table:
    """Arrays over (point, chip, seed) and states per point, being filled."""

    def __init__(self, study: Study, store: Path | None):
        self.study, self.store = study, store
        self.lead = (len(study.layout.points), len(study.chips), len(study.seeds))
        self.reason = np.full(self.lead, MISSING, np.int8)
        self.computed = np.zeros(self.lead[0], np.int64)
        self.outputs: dict[str, tuple[np.dtype, tuple[int, ...]]] = {}
        self.raw: dict[str, np.ndarray] = {}
        self.states: dict[tuple[str, int, int], State] = {}
        self.found: dict[str, _Rows] = {}
        self.failures: list[dict[str, Any]] = []

    def announce(self, outputs: Mapping[str, Any]) -> None:
        """Take note of what a group's function returns; lengths may differ."""
        for name, (dtype, shape) in outputs.items():
            new = (np.dtype(dtype), tuple(shape))
            self.outputs[name] = _widest(name, self.outputs.get(name, new), new)

    def fail(self, points: Iterable[int], error: str) -> None:
        """No chip of these points can be computed."""
        for point in points:
            self.reason[point] = FAILED
            self._note(point, 0, 0, error)

    def add(self, where: tuple[np.ndarray, ...], record: Record) -> None:
        """Lay one chunk in its place; a point that is complete is finished."""
        self.reason[where] = record["reason"]
        np.add.at(self.computed, where[0], 1)
        for name in self.study.kept(self.outputs):
            values = record[f"raw/{name}"]
            self._raw(name)[(*where, *map(slice, values.shape[1:]))] = values
        for (name, number, point), state in unpacked(record).items():
            known = self.states.get((name, number, point))
            merge = self.study.reduce[name][number].merge
            self.states[name, number, point] = merge(known, state) if known else state
        for line in bytes(record["errors"]).decode().splitlines():
            self._note(*json.loads(line))
        size = self.study.population
        self._finish([p for p in np.unique(where[0]) if self.computed[p] == size])

    def variables(self) -> dict[str, xr.Variable]:
        """Everything, with its dimensions named."""
        self._finish(sorted({point for _, _, point in self.states}))
        dims, shape = self.study.layout.dims, self.study.layout.shape
        lead = (*dims, "chip", "seed")
        meaning = {"meanings": ", ".join(f"{i} {r}" for i, r in enumerate(REASONS))}
        computed = self.computed.reshape(shape)
        made = {
            "reason": xr.Variable(lead, self._shaped(self.reason), meaning),
            "computed": xr.Variable(dims, computed, {"long_name": "chips computed"}),
        }
        for name in self.study.kept(self.outputs):
            values = self._gapped(self._raw(name))
            made[name] = xr.Variable((*lead, *self._dims(name)), self._shaped(values))
        for name, rows in self.found.items():
            values = rows.values.reshape(*shape, *rows.values.shape[1:])
            own = self._dims(rows.output)[: values.ndim - len(shape) - len(rows.dims)]
            made[name] = xr.Variable((*dims, *rows.dims, *own), values, rows.attrs)
            made |= {k: xr.Variable(k, v) for k, v in rows.coords.items()}
        return made

    def attrs(self) -> dict[str, str]:
        """The failures, as JSON."""
        return {"failures": json.dumps(self.failures)} if self.failures else {}

    def _note(self, point: int, chip: int, seed: int, error: str) -> None:
        """`chip` and `seed` are positions, not indices."""
        values = {k: shown(v) for k, v in self.study.layout.points[point].items()}
        who = {"chip": self.study.chips[chip], "seed": self.study.seeds[seed]}
        told = {"point": values, **who, "error": error}
        self.failures.append(
            {**told, "replay": replay_command(self.store, values, **who)}
        )

    def _raw(self, name: str) -> np.ndarray:
        if name not in self.raw:
            dtype, shape = self.outputs[name]
            gap = np.nan if dtype.kind in "fc" else 0
            self.raw[name] = np.full((*self.lead, *shape), gap, dtype)
        return self.raw[name]

    def _gapped(self, values: np.ndarray) -> np.ndarray:
        """NaN wherever the reason is not "ok"."""
        wrong = self.reason != OK
        if not wrong.any():
            return values
        values = values if values.dtype.kind in "fc" else values.astype(np.float64)
        values[wrong] = np.nan
        return values

    def _shaped(self, values: np.ndarray) -> np.ndarray:
        """Points laid out along the dimensions of the design."""
        return values.reshape(*self.study.layout.shape, *values.shape[1:])

    def _finish(self, points: Iterable[int]) -> None:
        """Turn the states of some points into rows, and drop the states."""
        for name, reductions in self.study.reduce.items():
            for number, reduction in enumerate(reductions):
                for point in points:
                    state = self.states.pop((name, number, int(point)), None)
                    if state is not None:
                        n = int(self.computed[point])
                        self._lay(name, int(point), reduction.finish(state, n))

    def _lay(self, output: str, point: int, found: Mapping[str, Found]) -> None:
        for suffix, one in found.items():
            name = f"{output}_{suffix}"
            if name not in self.found:
                self.found[name] = _Rows(output, one, self.lead[0])
            self.found[name].lay(point, one)

    def _dims(self, name: str) -> tuple[str, ...]:
        """Names of an output's own dimensions."""
        shape = self.outputs[name][1]
        if name in self.study.dims:
            return self.study.dims[name]
        if len(shape) != 1:
            return tuple(f"{name}_{i}" for i in range(len(shape)))
        loose = [s for n, (_, s) in self.outputs.items() if n not in self.study.dims]
        lengths = {s[0] for s in loose if len(s) == 1}
        return ("step",) if len(lengths) == 1 else (f"{name}_step",)


class _Rows:
    """One variable that a reduction yields, over all points."""

    def __init__(self, output: str, one: Found, n_points: int):
        self.output = output
        self.dims = tuple(f"{output}_{d}" for d in one.dims)
        self.coords = {f"{output}_{k}": v for k, v in one.coords.items()}
        self.attrs = dict(one.attrs)
        kind = np.asarray(one.values).dtype
        self.values = np.full((n_points, *np.shape(one.values)), _gap(kind), kind)

    def lay(self, point: int, one: Found) -> None:
        """Put one point in its row; a shorter one is padded."""
        values = np.asarray(one.values)
        size = tuple(map(max, self.values.shape[1:], values.shape))
        if size != self.values.shape[1:]:
            grow = [
                (0, n - m) for n, m in zip(size, self.values.shape[1:], strict=True)
            ]
            gap = _gap(self.values.dtype)
            self.values = np.pad(self.values, [(0, 0), *grow], constant_values=gap)
        self.values[(point, *map(slice, values.shape))] = values


def _gap(kind: np.dtype) -> float | int:
    return np.nan if kind.kind in "fc" else 0 if kind.kind == "b" else -1


def _widest(name, a, b) -> tuple[np.dtype, tuple[int, ...]]:
    """A dtype and a shape that hold both; whole numbers cannot mark a gap."""
    if len(a[1]) != len(b[1]):
        raise ValueError(
            f"output {name!r} has {len(a[1])} dimensions at one point and {len(b[1])} "
            "at another: no dataset holds both"
        )
    dtype = np.promote_types(a[0], b[0])
    if a[1] != b[1] and dtype.kind not in "fc":
        dtype = np.dtype(np.float64)
    return dtype, tuple(map(max, a[1], b[1]))


def failures(dataset: xr.Dataset) -> list[dict[str, Any]]:
    """What went wrong in a sweep: point, chip, seed, error, command to replay it."""
    return json.loads(dataset.attrs.get("failures", "[]"))
