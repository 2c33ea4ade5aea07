"""What a person sees while an experiment runs."""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import rich.progress
from rich.console import Console

import chipsweep

__all__ = ["Display", "Report", "Reporting", "Step", "display", "pace", "say"]


class Step(NamedTuple):
    """How far a sweep of an experiment has come.

    Attributes:
        label: of the sweep.
        done: runs that are there.
        total: runs in all.
        rate: runs per second; 0 before the first.
        unit: what is counted.
    """

    label: str
    done: int
    total: int
    rate: float
    unit: str = "runs"


Report = Callable[[Step], None]


class Reporting:
    """A `chipsweep.Progress` that reports every few seconds at most."""

    def __init__(
        self, report: Report, label: str, number: int, count: int, pause: float = 2.0
    ):
        """Tell `report` of sweep `number` of `count`."""
        self.report, self.pause = report, pause
        self.label = f"{label} ({number + 1} of {count})"
        self._last = -pause

    def begin(self, spec: chipsweep.Spec, done: int) -> None:
        """Say what is there already."""
        self.report(Step(self.label, done, spec.runs, 0.0))

    def event(self, event: chipsweep.Event) -> None:
        """Say how far and how fast."""
        now = time.monotonic()
        if now - self._last < self.pause and event.done < event.total:
            return
        self._last = now
        self.report(Step(self.label, event.done, event.total, event.rate))


class Display:
    """One bar per experiment on a terminal, a line now and then elsewhere."""

    def __init__(self, console: Console, bars: rich.progress.Progress):
        """Use `display` instead."""
        self.console = console
        self._bars = bars

    @contextlib.contextmanager
    def follow(self, name: str) -> Iterator[Report]:
        """A `report` for `Reporting`, shown until the experiment is over."""
        task = self._bars.add_task(name, total=None, pace="starting")
        start = time.perf_counter()

        def report(step: Step) -> None:
            self._bars.update(
                task,
                total=step.total,
                completed=step.done,
                description=f"{name}: {step.label}",
                pace=pace(step),
            )
            if not self.console.is_terminal:
                of = f"{step.done}/{step.total} {step.unit}"
                took = f"{time.perf_counter() - start:.0f} s"
                line = f"{name}: {step.label}, {of} ({took}; {pace(step)})"
                self.console.print(line, highlight=False, markup=False, soft_wrap=True)

        try:
            yield report
        finally:
            self._bars.remove_task(task)


@contextlib.contextmanager
def display(console: Console) -> Iterator[Display]:
    """Show progress on `console` inside the `with` block; nothing stays behind."""
    bars = rich.progress.Progress(
        rich.progress.SpinnerColumn(),
        rich.progress.TextColumn("{task.description}", markup=False),
        rich.progress.BarColumn(),
        rich.progress.MofNCompleteColumn(),
        rich.progress.TimeElapsedColumn(),
        rich.progress.TextColumn("{task.fields[pace]}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bars:
        yield Display(console, bars)


def pace(step: Step) -> str:
    """Rate and time left, in words.

    Example:
        >>> pace(Step("training", done=30, total=90, rate=2.0))
        '2 runs/s, 30 s left'
        >>> pace(Step("training", done=0, total=90, rate=0.0))
        'first call'
    """
    if step.done >= step.total:
        return "done"
    if not step.rate:
        return f"{step.done} read back" if step.done else "first call"
    left = (step.total - step.done) / step.rate
    time_left = f"{left:.0f} s" if left < 90 else f"{left / 60:.1f} min"
    return f"{step.rate:.3g} {step.unit}/s, {time_left} left"


def say(console: Console, kind: str, paths: Iterable[Path]) -> None:
    """Name what was written, each in one line that can be copied."""
    for path in paths:
        console.print(f"{kind}: {path}", markup=False, soft_wrap=True)
