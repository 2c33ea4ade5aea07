"""What a person sees while an experiment runs."""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import rich.progress
from rich.console import Console

from experiments.work import Progress

__all__ = ["Display", "display", "pace", "say"]


class Display:
    """One bar per experiment on a terminal, one line per part elsewhere."""

    def __init__(self, console: Console, bars: rich.progress.Progress):
        """Use `display` instead."""
        self.console = console
        self._bars = bars

    @contextlib.contextmanager
    def follow(self, name: str) -> Iterator[Callable[[Progress], None]]:
        """A `report` for `Work`, shown until the experiment is over."""
        task = self._bars.add_task(name, total=None, pace="starting")
        start, seen = time.perf_counter(), 0

        def report(progress: Progress) -> None:
            nonlocal seen
            self._bars.update(
                task,
                total=progress.expected,
                completed=progress.done,
                description=f"{name}: {progress.label}",
                pace=pace(progress),
            )
            if progress.done > seen and not self.console.is_terminal:
                seen = progress.done
                of = f"{seen}/{progress.expected or '?'}"
                took = f"{time.perf_counter() - start:.0f} s"
                line = f"{name} {of} {progress.label} ({took}; {pace(progress)})"
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


def pace(progress: Progress) -> str:
    """Rate and time left, in words.

    Example:
        >>> pace(Progress("sigma 2", done=3, expected=5, seconds=30.0, computed=2))
        '4.0 parts/min, 30 s left'
        >>> pace(Progress("sigma 0", done=0, expected=5, seconds=0.0, computed=0))
        'first part'
    """
    left = progress.seconds_left
    if not progress.computed or not progress.seconds:
        return f"{progress.done} read back" if progress.done else "first part"
    rate = f"{60 * progress.computed / progress.seconds:.1f} parts/min"
    if left is None:
        return rate
    return (
        f"{rate}, {left:.0f} s left"
        if left < 90
        else f"{rate}, {left / 60:.1f} min left"
    )


def say(console: Console, kind: str, paths: Iterable[Path]) -> None:
    """Name what was written, each in one line that can be copied."""
    for path in paths:
        console.print(f"{kind}: {path}", markup=False, soft_wrap=True)
