"""Who looks on while a sweep runs."""

from typing import Any, NamedTuple, Protocol

import numpy as np

from experiments.sweep.plan import Plan
from experiments.sweep.study import Group, Study

__all__ = ["News", "Silent", "Watch"]


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
