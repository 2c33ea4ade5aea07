"""A compiled program on all devices computes chunks, one on each."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from experiments import population
from experiments.sweep import memory
from experiments.sweep.lane import Facts, arguments, facts_of, lane_function
from experiments.sweep.processes import Place
from experiments.sweep.study import Group, Study

__all__ = ["Mapped"]


class Mapped:
    """`vmap` over the lanes of a chunk, one chunk per device."""

    def __init__(self, study, group, program, chunk: int, n_devices: int):
        """Use `Mapped.prepare`."""
        self.study, self.group, self._program = study, group, program
        self.chunk, self.at_once = chunk, n_devices
        self.facts: Mapping[str, Any] = {}
        self._tried: tuple[list[np.ndarray], Any] | None = None
        self.spent = 0.0

    @classmethod
    def prepare(
        cls,
        study: Study,
        group: Group,
        *,
        chunk: int | None = None,
        n_devices: int | None = None,
        place: Place | None = None,
        budget: int | None = None,
        longest: float | None = None,
        show: Callable[["Mapped"], None] = lambda mapped: None,
        decide: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict,
        known: Mapping[str, Any] | None = None,
        traced: Facts | None = None,
    ) -> "Mapped":
        """Trace, choose the chunk, compile.

        Args:
            study: the sweep.
            group: whose program is wanted.
            chunk: lanes per device and call; measured when None.
            n_devices: local devices to use; all when None.
            place: of this process among those that share the work.
            budget: bytes per device; half of the free memory when None.
            longest: seconds that a call may take: the first one of this process
                is tried, and kept if it took no longer; not tried when None.
            show: is told of a program before it is tried.
            decide: takes the proposed facts, returns those that hold (another
                process may have been first).
            known: facts decided before.
            traced: what tracing told, if it was done already.
        """
        traced, place = traced or facts_of(study, group), place or Place()
        here = n_devices or len(jax.local_devices())
        many = population.per_chip(lane_function(study, group), n_devices=here)
        programs: dict[int, Any] = {}

        def compile_for(width: int) -> Any:
            if width not in programs:
                lanes = np.zeros(width * here, int)
                example = arguments(study, group, lanes)
                programs[width] = many.lower(*example).compile()
            return programs[width]

        if known is not None:
            chunk = int(known["chunk"])
        if chunk is None:
            free = (
                memory.default_budget(here, place.count) if budget is None else budget
            )
            enough = memory.WORKING_SET if jax.default_backend() == "cpu" else None
            parallel, lanes = here * place.count, study.lanes(group)
            chunk, program = memory.choose(compile_for, lanes, parallel, free, enough)
            mapped = cls(study, group, program, chunk, here)
            while longest is not None:
                show(mapped)
                narrower = memory.narrower(chunk, mapped._try(place), longest)
                if narrower == chunk:
                    break
                chunk = narrower
                mapped = cls(study, group, compile_for(chunk), chunk, here)
        else:
            mapped = cls(study, group, compile_for(chunk), chunk, here)
        outputs = {k: [d, list(s)] for k, (d, s) in traced.outputs.items()}
        proposed = {"chunk": chunk, "outputs": outputs, "program": traced.program}
        facts = decide(proposed)
        if facts["chunk"] != chunk:  # another process was first
            chunk = int(facts["chunk"])
            mapped = cls(study, group, compile_for(chunk), chunk, here)
        mapped.facts = facts
        return mapped

    def _try(self, place: Place) -> float:
        """Seconds that the first call of a process takes; `start` takes it up."""
        study, group = self.study, self.group
        n = -(-study.lanes(group) // self.chunk)
        mine = range(min(place.index, n - 1), n, place.count)[: self.at_once]
        chunks = [study.chunk(group, self.chunk, c) for c in mine]
        clock = time.perf_counter()
        self._tried = chunks, jax.block_until_ready(self.start(chunks))
        self.spent = time.perf_counter() - clock
        return self.spent

    @property
    def bytes(self) -> int:
        """What one call takes on each device."""
        return memory.needed(self._program)

    def start(self, chunks):
        """Dispatch; the results are waited for in `finish`."""
        tried, self._tried = self._tried, None
        if tried and np.array_equal(np.concatenate(tried[0]), np.concatenate(chunks)):
            return tried[1]
        padded = [_padded(lanes, self.chunk) for lanes in chunks]
        padded += [padded[-1]] * (self.at_once - len(padded))
        lanes = np.concatenate(padded)
        out = self._program(*arguments(self.study, self.group, lanes))
        return out, [len(lanes) for lanes in chunks]

    def finish(self, started):
        """Fetch the results from the devices."""
        out, sizes = started
        values = jax.device_get(out)
        starts = range(0, len(sizes) * self.chunk, self.chunk)
        return [
            ({k: v[s : s + n] for k, v in values.items()}, [])
            for s, n in zip(starts, sizes, strict=True)
        ]


def _padded(lanes: np.ndarray, size: int) -> np.ndarray:
    """The last chunk is filled up with copies of its last lane."""
    return np.concatenate([lanes, np.full(size - len(lanes), lanes[-1])])
