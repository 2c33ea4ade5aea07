"""A sweep on a terminal: the rate, and curves while they are computed."""

import contextlib
import time
from collections.abc import Iterator, Sequence

import numpy as np
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from chipsweep import Event, Spec
from chipsweep.axes import label
from chipsweep.suggest import suggest

__all__ = ["Terminal", "on_terminal", "sparkline"]

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], width: int = 32) -> str:
    """Numbers as a line of bars, from their least to their greatest.

    Example:
        >>> sparkline([0.0, 1.0, 2.0, 3.0])
        '▁▃▆█'
        >>> sparkline([1.0, float("nan"), 1.0])
        '▁ ▁'
    """
    numbers = np.asarray(values, float)
    if len(numbers) > width:
        parts = np.array_split(numbers, width)
        numbers = np.array([np.nanmean(part) for part in parts])
    sound = numbers[np.isfinite(numbers)]
    if not len(sound):
        return " " * len(numbers)
    low, span = sound.min(), np.ptp(sound) or 1.0
    heights = np.clip((numbers - low) / span * len(_BARS), 0, len(_BARS) - 1)
    return "".join(_BARS[int(h)] if np.isfinite(h) else " " for h in heights)


class Terminal:
    """Shows one line per point: the mean curve of one output so far.

    Where the output is a single number, its histogram over the chips is drawn.

    Attributes:
        console: where to.
        output: name of the output to draw; the first one when None.
        rows: points shown at most.
    """

    def __init__(self, console: Console, output: str | None = None, rows: int = 12):
        """Use `on_terminal`."""
        self.console, self.output, self.rows = console, output, rows
        self.live: Live | None = None
        self._sums: dict[int, np.ndarray] = {}
        self._numbers: dict[int, list[float]] = {}
        self._counts: dict[int, int] = {}
        self._printed = -5.0, 0

    def begin(self, spec: Spec, done: int) -> None:
        """Say what is going to be computed."""
        there = f", {done} of them there already" if done else ""
        self._say(
            f"{spec.layout.size} points x {len(spec.chips)} chips x "
            f"{len(spec.seeds)} seeds = {spec.runs} runs{there}; "
            f"{len(spec.groups)} to compile"
        )

    def event(self, event: Event) -> None:
        """Take up the chunk and redraw."""
        if event.outputs and event.runs is not None:
            self._learn(event)
        if self.live is not None and self.console.is_terminal:
            self.live.update(self._drawn(event))
        elif self._due(event):
            self._printed = time.monotonic(), event.done
            self._say(rate_of(event))

    def _say(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False)

    def _due(self, event: Event) -> bool:
        """Every five seconds, and at the end, once."""
        when, done = self._printed
        at_end = event.done == event.total and done < event.done
        return at_end or time.monotonic() - when > 5

    def _learn(self, event: Event) -> None:
        if self.output and self.output not in event.outputs:
            hint = suggest(self.output, sorted(event.outputs))
            self._say(f"draw: no output {self.output!r}{hint}")
            self.output = None
        name = self._name(event)
        values = np.asarray(event.outputs[name], float)
        values = values.reshape(len(values), *values.shape[1:2], -1)
        assert event.runs is not None
        for p in np.unique(event.runs.point):
            mine = values[event.runs.point == p]
            if event.outputs[name].ndim == 1:
                self._numbers.setdefault(int(p), []).extend(mine.ravel().tolist())
                continue
            sound = mine.mean(-1)[np.isfinite(mine).all((1, 2))]
            self._sums[int(p)] = self._sums.get(int(p), 0.0) + sound.sum(0)
            self._counts[int(p)] = self._counts.get(int(p), 0) + len(sound)

    def _name(self, event: Event) -> str:
        numbers = (n for n, v in event.outputs.items() if v.dtype.kind in "fc")
        return self.output or next(numbers)

    def _drawn(self, event: Event) -> Group:
        what = "curve" if self._sums else "chips"
        name = self._name(event) if event.outputs else ""
        table = Table("point", f"{name} ({what})", "least", "most", "mean", box=None)
        for p, line, *numbers in self._lines()[-self.rows :]:
            point = event.spec.layout.point(p)
            named = ", ".join(f"{k} {_short(label(v))}" for k, v in point.items())
            table.add_row(named or "-", line, *(f"{x:.4g}" for x in numbers))
        bar = Table.grid()  # a bar by itself does not end its line
        bar.add_row(ProgressBar(total=event.total, completed=event.done, width=40))
        bar.add_row(Text(rate_of(event)))
        return Group(table, bar)

    def _lines(self) -> list[tuple[int, str, float, float, float]]:
        """Point, bars, and least, greatest and mean: of a curve, its last value."""
        found = []
        for p, total in self._sums.items():
            mean = total / max(self._counts[p], 1)
            found.append((p, sparkline(mean.tolist()), *_ends(mean), float(mean[-1])))
        for p, values in self._numbers.items():
            sound = np.array(values)[np.isfinite(values)]
            counts = sparkline(np.histogram(sound, 24)[0].tolist())
            mean = float(sound.mean()) if len(sound) else float("nan")
            found.append((p, counts, *_ends(sound), mean))
        return found


@contextlib.contextmanager
def on_terminal(console: Console, output: str | None = None) -> Iterator[Terminal]:
    """A `progress` for `sweep` that draws inside the `with` block."""
    terminal = Terminal(console, output)
    with contextlib.ExitStack() as stack:
        if console.is_terminal:
            terminal.live = stack.enter_context(
                Live(console=console, refresh_per_second=4, transient=True)
            )
        yield terminal


def rate_of(event: Event) -> str:
    """How far, how fast, how long still."""
    left = event.seconds_left
    time_left = f"{left:.0f} s left" if left < 90 else f"{left / 60:.1f} min left"
    return f"{event.done}/{event.total} runs, {event.rate:.4g} per second, {time_left}"


def _ends(values: np.ndarray) -> tuple[float, float]:
    nothing = float("nan"), float("nan")
    return (float(values.min()), float(values.max())) if values.size else nothing


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
