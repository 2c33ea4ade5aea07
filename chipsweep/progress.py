"""Who looks on while a sweep runs."""

import time
from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

import numpy as np

from chipsweep.frame import Frame, Runs
from chipsweep.spec import Spec


class Event(NamedTuple):
    """A chunk that has just been computed.

    Attributes:
        spec: the sweep.
        runs: that were computed.
        outputs: all of them, also those that are only reduced; none where another
            process has computed them.
        done: runs finished.
        total: runs in all.
        rate: runs per second of this process, compilation left out.
    """

    spec: Spec
    runs: Runs
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

    def event(self, event: Event) -> Any:
        """After each chunk."""


class Watched:
    """Counts what is done, and tells."""

    def __init__(self, progress: Progress | None, frame: Frame, missing: Iterable[int]):
        self.progress, self.frame = progress, frame
        self.done = frame.spec.runs - frame.size(missing)
        self._computed, self._clock = 0, time.perf_counter()
        if progress is not None:
            progress.begin(frame.spec, self.done)

    def chunk(self, number: int, outputs: dict[str, np.ndarray]) -> None:
        """Tell of one chunk; without outputs if another process has computed it."""
        spec, runs = self.frame.spec, self.frame.runs(number)
        self.done += len(runs.point)
        self._computed += len(runs.point)
        rate = self._computed / max(time.perf_counter() - self._clock, 1e-9)
        if self.progress is not None:
            event = Event(spec, runs, outputs, self.done, spec.runs, rate)
            self.progress.event(event)
