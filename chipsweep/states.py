"""States of reductions as bytes of a fixed number, a place for every part of a point.

A chunk that covers whole populations has one state per point; a population that is
cut into several chunks has one per part.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from chipsweep.frame import Frame
from chipsweep.outputs import OK, Chunk, Outputs
from chipsweep.reductions import Lanes, Reductions, State, numbered


class Packing:
    """How the states of all reductions of a sweep lie in a row of bytes.

    Attributes:
        nbytes: of the row; its first byte says that there is a state.
    """

    def __init__(self, reduce: Reductions, outputs: Outputs, chunk: Sequence[int]):
        most = chunk[-1] * chunk[-2]  # runs of one point in one chunk
        self._grows: set[tuple[str, int, str]] = set()
        fields: list[Any] = [("there", np.uint8)]
        for name, number, reduction in numbered(reduce):
            inner = []
            state = reduction.init(outputs[name].shape, np.dtype(outputs[name].dtype))
            for key, value in state.items():
                shape = value.shape
                if shape[:1] == (0,):  # a row per run
                    self._grows.add((name, number, key))
                    shape = (most, *shape[1:])
                inner.append((key, value.dtype, shape))
            fields.append((f"{name} {number}", [("rows", np.int64), ("state", inner)]))
        self._dtype = np.dtype(fields)
        self.nbytes = self._dtype.itemsize

    def pack(self, states: Mapping[tuple[str, int], State]) -> np.ndarray:
        """States of all reductions as bytes."""
        row = np.zeros(1, self._dtype)
        row["there"] = 1
        for (name, number), state in states.items():
            mine = row[f"{name} {number}"]
            for key, value in state.items():
                if (name, number, key) in self._grows:
                    mine["rows"] = len(value)
                    mine["state"][key][0, : len(value)] = value
                else:
                    mine["state"][key][0] = value
        return row.view(np.uint8)

    def unpack(self, row: np.ndarray, name: str, number: int) -> State:
        """The state of one reduction again."""
        mine = row.view(self._dtype)[f"{name} {number}"]
        rows, state = int(mine["rows"][0]), mine["state"].reshape(())
        return {
            key: state[key][:rows] if (name, number, key) in self._grows else state[key]
            for key in state.dtype.names or ()
        }


def states_of_chunk(frame: Frame, packing: Packing, chunk: Chunk) -> np.ndarray:
    """What a chunk adds: the packed states of its points, from its sound runs."""
    spec, runs, values = frame.spec, frame.runs(chunk.number), chunk.outputs
    shape = tuple(s.stop - s.start for s in frame.region(chunk.number)[:-2])
    chip, seed = spec.chips_at(runs.chip), spec.seeds_at(runs.seed)
    rows = []
    for mine in np.split(np.arange(len(chunk.reason)), math.prod(shape)):
        mine = mine[chunk.reason[mine] == OK]
        states = {}
        for name, i, reduction in numbered(spec.reduce):
            blank = reduction.init(values[name].shape[1:], values[name].dtype)
            lanes = Lanes(values[name][mine], chip[mine], seed[mine])
            states[name, i] = reduction.update(blank, lanes)
        rows.append(packing.pack(states))
    return np.stack(rows).reshape(*shape, 1, 1, packing.nbytes)
