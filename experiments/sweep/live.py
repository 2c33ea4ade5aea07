"""A sweep on a terminal: the plan, the pace, and curves while they are computed."""

import contextlib
import time
from collections.abc import Iterator, Sequence

import numpy as np
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from experiments.catalogue import suggest
from experiments.sweep.labels import shown
from experiments.sweep.plan import Plan
from experiments.sweep.watch import News

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
        numbers = np.array(
            [np.nanmean(part) for part in np.array_split(numbers, width)]
        )
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

    def plan(self, plan: Plan) -> None:
        """Print it; the second time, the estimate alone."""
        text = (
            str(plan) if plan.seconds is None else f"{str(plan).splitlines()[-1]} left"
        )
        self.console.print(text, markup=False, highlight=False)

    def news(self, news: News) -> None:
        """Take up the chunk and redraw."""
        self._learn(news)
        if self.live is not None and self.console.is_terminal:
            self.live.update(self._drawn(news))
        elif self._due(news):
            self._printed = time.monotonic(), news.done
            self.console.print(_pace(news), markup=False, highlight=False)

    def _due(self, news: News) -> bool:
        """Every five seconds, and at the end, once."""
        when, done = self._printed
        at_end = news.done == news.total and done < news.done
        return at_end or time.monotonic() - when > 5

    def _learn(self, news: News) -> None:
        if self.output and self.output not in news.outputs:
            hint = suggest(self.output, sorted(news.outputs))
            self.console.print(f"draw: no output {self.output!r}{hint}", markup=False)
            self.output = None
        name = self.output or next(iter(news.outputs))
        values = np.asarray(news.outputs[name], float)
        values = values.reshape(len(values), *values.shape[1:2], -1)
        points = news.study.where(news.group, news.lanes)[0]
        for p in np.unique(points):
            mine = values[points == p]
            if news.outputs[name].ndim == 1:
                self._numbers.setdefault(int(p), []).extend(mine.ravel().tolist())
                continue
            sound = mine.mean(-1)[np.isfinite(mine).all((1, 2))]
            self._sums[int(p)] = self._sums.get(int(p), 0.0) + sound.sum(0)
            self._counts[int(p)] = self._counts.get(int(p), 0) + len(sound)

    def _drawn(self, news: News) -> Group:
        name = self.output or next(iter(news.outputs))
        what = "curve" if self._sums else "chips"
        table = Table("point", f"{name} ({what})", "least", "most", "mean", box=None)
        for p, line, *numbers in self._lines()[-self.rows :]:
            point = news.study.layout.points[p]
            label = ", ".join(f"{k} {_short(shown(v))}" for k, v in point.items())
            table.add_row(label or "-", line, *(f"{x:.4g}" for x in numbers))
        pace = Table.grid()  # a bar by itself does not end its line
        pace.add_row(ProgressBar(total=news.total, completed=news.done, width=40))
        pace.add_row(Text(_pace(news)))
        return Group(table, pace)

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
    """A `watch` for `sweep` that draws inside the `with` block."""
    terminal = Terminal(console, output)
    with contextlib.ExitStack() as stack:
        if console.is_terminal:
            terminal.live = stack.enter_context(
                Live(console=console, refresh_per_second=4, transient=True)
            )
        yield terminal


def _ends(values: np.ndarray) -> tuple[float, float]:
    nothing = float("nan"), float("nan")
    return (float(values.min()), float(values.max())) if values.size else nothing


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _pace(news: News) -> str:
    """How far, how fast, how long still."""
    left = news.seconds_left
    time_left = f"{left:.0f} s left" if left < 90 else f"{left / 60:.1f} min left"
    return f"{news.done}/{news.total} lanes, {news.rate:.4g} per second, {time_left}"
