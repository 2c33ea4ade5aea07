"""States of reductions as arrays of fixed size, a slot for every part of a point.

A chunk that covers whole populations has one state per point; a population that is
cut into several chunks has one per part. They are merged in the order of the chips,
whoever computed them, so the bits do not depend on who did.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from chipsweep.frame import Frame
from chipsweep.outputs import Output
from chipsweep.reductions import Reduction
from chipsweep.reductions.base import Lanes, State
from chipsweep.spec import Spec

__all__ = ["Slot", "slots", "states_of_chunk", "unpacked"]

COUNT = "rows"


class Slot(NamedTuple):
    """Where one array of a state is kept.

    Attributes:
        path: within the store.
        dtype: of its numbers.
        shape: of one state.
    """

    path: str
    dtype: np.dtype
    shape: tuple[int, ...]


def slots(spec: Spec, frame: Frame, outputs: dict[str, Output]) -> Iterator[Slot]:
    """All state arrays of a sweep."""
    most = _most(frame)
    for name, number, reduction in _reductions(spec):
        output = outputs[name]
        yield Slot(_path(name, number, COUNT), np.dtype(np.int64), ())
        state = reduction.init(output.shape, np.dtype(output.dtype))
        for key, value in state.items():
            shape = (most, *value.shape[1:]) if _grows(value) else value.shape
            yield Slot(_path(name, number, key), value.dtype, shape)


def states_of_chunk(
    spec: Spec, frame: Frame, number: int, outputs: dict[str, Output],
    values: dict[str, np.ndarray], sound: np.ndarray,
) -> dict[str, np.ndarray]:  # fmt: skip
    """What a chunk adds: path -> states, over its points.

    Args:
        spec: the sweep.
        frame: where its runs lie.
        number: of the chunk.
        outputs: of the sweep.
        values: the outputs of the chunk's runs.
        sound: which runs came out.
    """
    runs, most = frame.runs(number), _most(frame)
    shape = tuple(s.stop - s.start for s in frame.region(number))[:-2]
    each = len(runs.point) // max(int(np.prod(shape)), 1)
    chips, seeds = np.asarray(spec.chips), np.asarray(spec.seeds)
    made: dict[str, list[np.ndarray]] = {}
    for name, index, reduction in _reductions(spec):
        output = outputs[name]
        for start in range(0, len(runs.point), each):
            mine = np.arange(start, start + each)
            mine = mine[sound[mine]]
            state = reduction.init(output.shape, np.dtype(output.dtype))
            lanes = Lanes(values[name][mine], chips[runs.chip[mine]],
                          seeds[runs.seed[mine]])  # fmt: skip
            state = reduction.update(state, lanes)
            for key, value in _packed(reduction, output, state, most).items():
                made.setdefault(_path(name, index, key), []).append(value)
    return {k: np.stack(v).reshape(*shape, 1, 1, *v[0].shape) for k, v in made.items()}


def unpacked(reduction: Reduction, output: Output, kept: State) -> State:
    """A state again, from its fixed arrays."""
    blank = reduction.init(output.shape, np.dtype(output.dtype))
    rows = int(kept[COUNT])
    return {
        key: kept[key][:rows].astype(value.dtype)
        if _grows(value)
        else np.asarray(kept[key], value.dtype)
        for key, value in blank.items()
    }


def merged(spec: Spec, name: str, number: int, parts: list[State]) -> State:
    """One state of all parts, the earlier chips first."""
    reduction, first = spec.reduce[name][number], parts[0]
    for part in parts[1:]:
        first = reduction.merge(first, part)
    return first


def _packed(reduction: Reduction, output: Output, state: State, most: int) -> State:
    blank = reduction.init(output.shape, np.dtype(output.dtype))
    fixed: dict[str, Any] = {COUNT: np.int64(0)}
    for key, value in state.items():
        if _grows(blank[key]):
            fixed[COUNT] = np.int64(len(value))
            value = np.concatenate(
                [value, np.zeros((most - len(value), *value.shape[1:]), value.dtype)]
            )
        fixed[key] = value
    return fixed


def _reductions(spec: Spec) -> Iterator[tuple[str, int, Reduction]]:
    for name, several in spec.reduce.items():
        for number, reduction in enumerate(several):
            yield name, number, reduction


def _grows(value: np.ndarray) -> bool:
    """Whether this part of a state has a row per run: nobody has none."""
    return value.ndim > 0 and value.shape[0] == 0


def _most(frame: Frame) -> int:
    """Runs of one point within one chunk."""
    return frame.chunk[-1] * frame.chunk[-2]


def _path(name: str, number: int, key: str) -> str:
    return f"states/{name}.{number}.{key}"
