"""Who looks on while a sweep runs."""

import time
from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

import numpy as np

from chipsweep.compute import Computed
from chipsweep.frame import Runs
from chipsweep.preparing import Prepared
from chipsweep.spec import Spec

__all__ = ["Event", "Progress", "Silent", "Watched"]


class Event(NamedTuple):
    """A chunk that has just been computed.

    Attributes:
        spec: the sweep.
        runs: that were computed; None where another process did.
        outputs: all outputs, also those that are only reduced.
        done: runs finished.
        total: runs in all.
        rate: runs per second of this process, compilation left out.
    """

    spec: Spec
    runs: Runs | None
    outputs: dict[str, np.ndarray]
    done: int
    total: int
    rate: float

    @property
    def seconds_left(self) -> float:
        """At the rate so far."""
        return (self.total - self.done) / self.rate if self.rate else float("nan")


class Progress(Protocol):
    """Called by the sweep, on the host."""

    def begin(self, spec: Spec, done: int) -> Any:
        """Before the first call; `done` runs are there already."""
        ...

    def event(self, event: Event) -> Any:
        """After each chunk."""
        ...


class Silent:
    """Sees nothing."""

    def begin(self, spec: Spec, done: int) -> None:
        """Look away."""

    def event(self, event: Event) -> None:
        """Look away."""


class Watched:
    """Counts what is done, and tells."""

    def __init__(self, progress: Progress, made: Prepared, missing: Iterable[int]):
        """Begin, with some chunks still missing."""
        self.progress, self.frame = progress, made.store.frame
        self.total = self.frame.spec.runs
        self.done = self.total - sum(self.frame.size(int(n)) for n in missing)
        self._computed, self._clock = 0, time.perf_counter()
        progress.begin(self.frame.spec, self.done)

    def chunk(self, one: Computed) -> None:
        """Tell of one chunk."""
        self.add(self.frame.runs(one.number), one.outputs)

    def add(self, runs: Runs, outputs: dict[str, np.ndarray]) -> None:
        """Tell of some runs."""
        self.done += len(runs.point)
        self._computed += len(runs.point)
        rate = self._computed / max(time.perf_counter() - self._clock, 1e-9)
        self.progress.event(
            Event(self.frame.spec, runs, outputs, self.done, self.total, rate)
        )
