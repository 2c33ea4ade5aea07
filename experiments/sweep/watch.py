"""Who looks on while a sweep runs."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np

from experiments.sweep.plan import Plan
from experiments.sweep.study import Group, Study
from experiments.work import Progress

__all__ = ["News", "Reported", "Silent", "Watch"]


class News(NamedTuple):
    """One chunk that has just been computed.

    Attributes:
        study: the sweep.
        group: that the chunk belongs to.
        lanes: their numbers.
        outputs: all outputs, also those that are only reduced, `(lanes, ...)`.
        done: lanes finished, of all groups.
        total: lanes in all.
        rate: lanes per second of this process, compilation left out.
    """

    study: Study
    group: Group
    lanes: np.ndarray
    outputs: dict[str, np.ndarray]
    done: int
    total: int
    rate: float

    @property
    def seconds_left(self) -> float:
        """At the rate so far."""
        return (self.total - self.done) / self.rate if self.rate else float("nan")


class Watch(Protocol):
    """Called by the sweep, on the host."""

    def plan(self, plan: Plan) -> Any:
        """Before the first chunk, and again, with a time, after it."""
        ...

    def news(self, news: News) -> Any:
        """After each chunk, when it is safe."""
        ...


class Silent:
    """Sees nothing."""

    def plan(self, plan: Plan) -> None:
        """Look away."""

    def news(self, news: News) -> None:
        """Look away."""


class Reported(Silent):
    """Tells the progress display of an experiment, every few seconds at most.

    Attributes:
        report: of a `Work`.
        label: what is computed.
        pause: seconds between reports.
    """

    def __init__(
        self, report: Callable[[Progress], None], label: str, pause: float = 2
    ):
        """Tell `report`, a `Work`'s."""
        self.report, self.label, self.pause = report, label, pause
        self._last = -pause

    def news(self, news: News) -> None:
        """Pass it on."""
        now = time.monotonic()
        if now - self._last < self.pause and news.done < news.total:
            return
        self._last = now
        seconds = news.done / news.rate if news.rate else 0.0
        told = Progress(self.label, news.done, news.total, seconds, news.done)
        self.report(told)
