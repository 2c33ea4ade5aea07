"""The sweeps of an experiment, told to its progress display."""

import time
from collections.abc import Callable

import chipsweep
from experiments.work import Progress

__all__ = ["Reporting"]


class Reporting:
    """A `chipsweep.Progress` that reports every few seconds at most."""

    def __init__(
        self,
        report: Callable[[Progress], None],
        label: str,
        number: int,
        count: int,
        pause: float = 2.0,
    ):
        """Tell `report` of sweep `number` of `count`."""
        self.report, self.pause = report, pause
        self.label = f"{label} ({number + 1} of {count})"
        self._last = -pause

    def begin(self, spec: chipsweep.Spec, done: int) -> None:
        """Say what is there already."""
        self.report(Progress(self.label, done, spec.runs, 0.0, 0))

    def event(self, event: chipsweep.Event) -> None:
        """Say how far and how fast."""
        now = time.monotonic()
        if now - self._last < self.pause and event.done < event.total:
            return
        self._last = now
        seconds = event.done / event.rate if event.rate else 0.0
        told = Progress(self.label, event.done, event.total, seconds, event.done)
        self.report(told)
