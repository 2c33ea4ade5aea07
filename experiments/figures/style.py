"""One look for all figures: to be read on paper, in grey, and on a telephone.

A figure is laid out by `panels`; a panel draws populations with `band` and
`whiskers`, published numbers with `published`. `look` makes lines differ by more
than their colour, `key` puts their names where no curve is. No figure is wider than
`WIDTH` and no text smaller than `SMALL`: at 380 pixels they are still six high.
"""

import functools
import io
import re
import textwrap
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cbook import normalize_kwargs
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.rcsetup import cycler
from matplotlib.ticker import LogFormatter
from matplotlib.transforms import ScaledTranslation

from experiments.results.store import write_atomically

__all__ = [
    "COLOURS",
    "DOTS",
    "LINES",
    "MARKS",
    "PHONE",
    "SMALL",
    "STYLE",
    "WIDTH",
    "band",
    "caption",
    "colorbar",
    "decades",
    "key",
    "look",
    "middle_half",
    "panels",
    "published",
    "published_line",
    "said",
    "save",
    "styled",
    "told",
    "whiskers",
]

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Told apart by colour-blind readers too (Okabe and Ito)."""

LINES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (1, 1)))
MARKS = "os^Dv*"
"""Told apart by those who print in grey, too."""

PHONE = 1.14
"""Points of the smallest letter, for an inch of the figure's width: a telephone shows a
figure 380 pixels wide, and such a letter is then six of them high."""

WIDTH = 7.0
"""Inches: two columns of a paper, and the most that a telephone shows legibly."""

SMALL = 8.0
"""Points of the smallest text."""

DOTS: dict[str, Any] = {"marker": "o", "linestyle": "none"}
"""Numbers that no line joins."""

STYLE: dict[Any, Any] = {
    "axes.grid": True,
    "axes.prop_cycle": cycler(color=COLOURS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": "medium",
    "figure.constrained_layout.use": True,
    "figure.dpi": 120,
    "font.size": 9,
    "grid.alpha": 0.25,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "legend.handlelength": 2.8,  # a dash-dotted line is known by its dots
    "lines.linewidth": 1.4,
    "lines.markersize": 4,
    "pdf.fonttype": 42,  # letters stay letters
    "savefig.dpi": 200,
    "svg.hashsalt": "eapu-jax",
}


def styled(plot: Callable[..., Figure]) -> Callable[..., Figure]:
    """Decorate a plotting function: the style holds inside it, not outside."""

    @functools.wraps(plot)
    def wrapper(*args, **kwargs):
        with mpl.rc_context(STYLE):
            return plot(*args, **kwargs)

    return wrapper


def look(i: int, **other) -> dict[str, Any]:
    """Colour, line and marker of the i-th of several curves: none by colour alone.

    Example:
        >>> look(1, linestyle="none")
        {'color': '#d55e00', 'linestyle': 'none', 'marker': 's'}
    """
    kinds = {"color": COLOURS, "linestyle": LINES, "marker": MARKS}
    chosen = {name: kind[i % len(kind)] for name, kind in kinds.items()}
    return chosen | normalize_kwargs(other, Line2D)


Panel = Callable[[Axes, xr.Dataset], object]
"""Draws on its axes, and computes nothing."""

Note = str | Callable[[xr.Dataset], str]
"""What a caption says besides: what is seen and what to conclude, in numbers that it
takes from the dataset."""


def panels(
    size: tuple[float, float],
    rows: Sequence[Sequence[Panel]],
    note: Note = "",
    **layout,
) -> Callable[[xr.Dataset], Figure]:
    """The `plot` of an experiment: a figure with a caption, panel by panel.

    Args:
        size: inches.
        rows: what draws each panel; one that is named twice spans both places.
        note: for the caption: words, or what finds them in the dataset.
        **layout: handed to `Figure.subplot_mosaic`.
    """

    @styled
    def plot(dataset: xr.Dataset) -> Figure:
        figure = Figure(figsize=size)
        grid: Any = figure.subplot_mosaic([list(row) for row in rows], **layout)
        for draw, axes in grid.items():
            draw(axes, dataset)
        caption(figure, dataset, note(dataset) if callable(note) else note)
        return figure

    return plot


def middle_half(values: xr.DataArray, *along: str) -> tuple[np.ndarray, np.ndarray]:
    """Medians over a population, and error bars to its quarters.

    Args:
        values: of the population.
        *along: dimensions that stay; all others are the population.
    """
    low, middle, high = _quarters(values, along)
    return middle, np.stack([middle - low, high - middle])


def _quarters(values: xr.DataArray, along: Sequence[Hashable]) -> np.ndarray:
    over = [d for d in values.dims if d not in along]
    return values.quantile([0.25, 0.5, 0.75], over).values


def band(axes: Axes, x: xr.DataArray, values: xr.DataArray, *, label: str, **line):
    """Median over chips as a line, the middle half as a band.

    Args:
        axes: where to draw.
        x: positions; all dimensions of `values` but its own are the population.
        values: one number per position and chip.
        label: for the legend.
        **line: handed to `Axes.plot`.

    Returns:
        The line.
    """
    low, middle, high = _quarters(values, x.dims)
    (drawn,) = axes.plot(x, middle, label=label, **line)
    axes.fill_between(x, low, high, color=drawn.get_color(), alpha=0.15, linewidth=0)
    return drawn


def whiskers(
    axes: Axes, x: xr.DataArray, values: xr.DataArray, *, aside: float = 0, **line
) -> None:
    """Median over chips as markers, the middle half as bars: where bands would cover.

    Args:
        axes: where to draw; its scale decides how far aside is.
        x: positions; all dimensions of `values` but its own are the population.
        values: one number per position and chip.
        aside: moved to the right by, as a share of the axis between two positions.
        **line: handed to `Axes.errorbar`.
    """
    middle, error = middle_half(values, *map(str, x.dims))
    at = np.asarray(x, float)
    if aside and axes.get_xscale() == "log":
        at = at * np.median(at[1:] / at[:-1]) ** aside if len(at) > 1 else at
    elif aside:
        at = at + aside * (np.median(np.diff(at)) if len(at) > 1 else 1)
    axes.errorbar(at, middle, error, capsize=2, **{"elinewidth": 1, **line})


def key(axes: Axes, *, drop: float = 34, **legend: Any) -> None:
    """The legend, under the axes: there it covers nothing.

    Args:
        axes: whose lines are named.
        drop: points below the axes, for ticks and label.
        **legend: handed to `Axes.legend`.
    """
    figure: Any = axes.figure
    under = axes.transAxes + ScaledTranslation(0, -drop / 72, figure.dpi_scale_trans)
    place = {"loc": "upper center", "bbox_to_anchor": (0.5, 0)}
    axes.legend(bbox_transform=under, borderaxespad=0, **place | legend)


def colorbar(axes: Axes, image: Any, label: str, **look) -> None:
    """Say beside the axes what the colours of an image mean."""
    figure: Any = axes.figure
    figure.colorbar(image, ax=axes, label=label, **look)


def published(axes: Axes, x, y, *, label: str = "", **line):
    """Published values: hollow diamonds, and the legend says so.

    Returns:
        The line of markers.
    """
    look = {"marker": "D", "linestyle": "none", "markerfacecolor": "none"}
    name = f"published: {label}" if label else "published"
    return axes.plot(x, y, label=name, **{**look, "color": "black", **line})[0]


def published_line(axes: Axes, value: float, label: str, **line) -> None:
    """A published value along the whole axis, and the legend says so."""
    label = f"published: {label}"
    axes.axhline(value, label=label, **{"color": "black", "linestyle": "--", **line})


def decades(axes: Axes, which: str = "y") -> None:
    """Make an axis (both: "xy") logarithmic; its ticks are plain numbers."""
    for name in which:
        axes.set(**{f"{name}scale": "log"})
        axis: Any = getattr(axes, f"{name}axis")
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(_Plain(minor_thresholds=(1, 0.4)))


class _Plain(LogFormatter):
    """Numbers between decades, with the digits that tell them apart."""

    def __call__(self, x, pos=None):
        return f"{x:.3g}" if super().__call__(x, pos) else ""


def caption(figure: Figure, dataset: xr.Dataset, note: str = "") -> None:
    """Print under the figure a note, and what was computed: scale, chips, data."""
    shown = f"{note[0].upper()}{note[1:].rstrip('.')}. " if note else ""
    parts = [f"{shown}Scale: {dataset.attrs.get('scale', 'reduced')}"]
    if "chip" in dataset.sizes:
        counts = {d: dataset.sizes[d] for d in ("seed", "chip") if d in dataset.sizes}
        words = [f"{n} {d}{'s' * (n > 1)}" for d, n in counts.items()]
        several = ", median and middle half" * (max(counts.values()) > 1)
        parts.append(" x ".join(words) + several)
    parts += [str(dataset.attrs[k]) for k in ("data",) if k in dataset.attrs]
    told(figure, "; ".join(parts))


def told(figure: Figure, text: str) -> None:
    """Print a text under the figure, in letters that a telephone still shows."""
    width = figure.get_figwidth()
    size = max(PHONE * width, 6.5)
    text = re.sub(r"(?<=\d) (?=%|µ)", "\N{NO-BREAK SPACE}", text)
    text = textwrap.fill(text, int(132 * width / size))
    figure.supxlabel(text, fontsize=size, color="0.3", x=0.01, ha="left")


def said(figure: Figure) -> str:
    """The caption under a figure, in one line."""
    return " ".join(figure.get_supxlabel().split())


def save(figure: Figure, stem: str | Path) -> list[Path]:
    """Write `stem.pdf` and `stem.png`, whole or not at all.

    Returns:
        Both paths.
    """
    paths = []
    for suffix, metadata in ((".pdf", {"CreationDate": None}), (".png", {})):
        content = io.BytesIO()
        with mpl.rc_context(STYLE):
            figure.savefig(content, format=suffix[1:], metadata=metadata)
        path = Path(f"{stem}{suffix}")
        write_atomically(path, content.getvalue())
        paths.append(path)
    return paths
