"""States of reductions as bytes of a fixed number, a place for every part of a point.

A chunk that covers whole populations has one state per point; a population that is
cut into several chunks has one per part. They are merged in the order of the chips,
whoever computed them, so the bits do not depend on who did.
"""

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from chipsweep.frame import Frame
from chipsweep.outputs import Output
from chipsweep.reductions import Reduction
from chipsweep.reductions.base import Lanes, State
from chipsweep.spec import Spec

__all__ = ["Packing", "states_of_chunk"]

Reductions = Mapping[str, tuple[Reduction, ...]]


class _Field(NamedTuple):
    """One array of one state among the bytes of all states.

    Attributes:
        dtype: of its numbers.
        shape: at most; only the first size may be less.
        start: of its bytes.
        grows: whether it has a row per run.
    """

    dtype: np.dtype
    shape: tuple[int, ...]
    start: int
    grows: bool

    @property
    def stop(self) -> int:
        """End of its bytes."""
        return self.start + self.dtype.itemsize * math.prod(self.shape)


class Packing:
    """How the states of all reductions of a sweep lie in a row of bytes.

    Attributes:
        nbytes: of the row.
    """

    def __init__(self, reduce: Reductions, outputs: Mapping[str, Output], most: int):
        """Of reductions by output; `most`: runs of one point in one chunk."""
        self._fields: dict[tuple[str, int, str], _Field] = {}
        self.nbytes = 1  # the first byte says that there is a state
        for name, number, state in _blank(reduce, outputs):
            self._add((name, number, ""), np.dtype(np.int64), (), False)  # rows
            for key, value in state.items():
                grows = value.ndim > 0 and value.shape[0] == 0
                shape = (most, *value.shape[1:]) if grows else value.shape
                self._add((name, number, key), value.dtype, shape, grows)

    def _add(self, key, dtype: np.dtype, shape: tuple[int, ...], grows: bool) -> None:
        self._fields[key] = _Field(dtype, shape, self.nbytes, grows)
        self.nbytes = self._fields[key].stop

    def pack(self, states: Mapping[tuple[str, int], State]) -> np.ndarray:
        """States of all reductions as bytes."""
        row = np.zeros(self.nbytes, np.uint8)
        row[0] = 1
        for (name, number), state in states.items():
            rows = 0
            for key, value in state.items():
                field = self._fields[name, number, key]
                content = np.ascontiguousarray(value, field.dtype).reshape(-1)
                content = content.view(np.uint8)
                row[field.start : field.start + content.size] = content
                rows = len(value) if field.grows else rows
            self._put(row, name, number, rows)
        return row

    def unpack(self, row: np.ndarray, name: str, number: int) -> State:
        """The state of one reduction again."""
        rows = int(self._get(row, self._fields[name, number, ""]))
        found = {}
        for (output, index, key), field in self._fields.items():
            if (output, index) == (name, number) and key:
                value = self._get(row, field)
                found[key] = value[:rows] if field.grows else value
        return found

    def _put(self, row: np.ndarray, name: str, number: int, rows: int) -> None:
        field = self._fields[name, number, ""]
        row[field.start : field.stop] = np.array([rows], np.int64).view(np.uint8)

    def _get(self, row: np.ndarray, field: _Field) -> np.ndarray:
        content = row[field.start : field.stop].tobytes()
        return np.frombuffer(content, field.dtype).reshape(field.shape)


def states_of_chunk(
    frame: Frame,
    number: int,
    packing: Packing,
    values: Mapping[str, np.ndarray],
    sound: np.ndarray,
) -> np.ndarray:
    """What a chunk adds: the packed states of its points.

    Args:
        frame: where the runs lie.
        number: of the chunk.
        packing: of the sweep.
        values: the outputs of the chunk's runs.
        sound: which runs came out.
    """
    spec, runs = frame.spec, frame.runs(number)
    shape = tuple(s.stop - s.start for s in frame.region(number))[:-2]
    each = len(runs.point) // max(math.prod(shape), 1)
    chip, seed = (np.asarray(x) for x in (spec.chips, spec.seeds))
    rows = []
    for start in range(0, len(runs.point), each):
        mine = np.arange(start, start + each)
        mine = mine[sound[mine]]
        states = {}
        for name, several in spec.reduce.items():
            who = Lanes(
                values[name][mine], chip[runs.chip[mine]], seed[runs.seed[mine]]
            )
            one = values[name].shape[1:], values[name].dtype
            for i, reduction in enumerate(several):
                states[name, i] = reduction.update(reduction.init(*one), who)
        rows.append(packing.pack(states))
    return np.stack(rows).reshape(*shape, 1, 1, packing.nbytes)


def packing_of(spec: Spec, frame: Frame, outputs: Mapping[str, Output]) -> Packing:
    """The packing of a sweep."""
    return Packing(spec.reduce, outputs, frame.chunk[-1] * frame.chunk[-2])


def _blank(
    reduce: Reductions, outputs: Mapping[str, Output]
) -> Iterator[tuple[str, int, State]]:
    for name, several in reduce.items():
        for number, reduction in enumerate(several):
            one = outputs[name]
            yield name, number, reduction.init(one.shape, np.dtype(one.dtype))
