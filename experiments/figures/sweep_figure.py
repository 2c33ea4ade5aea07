"""One figure for any sweep: outcomes against what was swept, bands over the chips."""

import textwrap
from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.figures import style
from experiments.figures.outcomes import Outcome, outcomes, swept, with_unit
from experiments.figures.sweep_words import missing, says, text_of

__all__ = ["plot"]

_PANELS = 6
_LINES = 6
"""More values of a second axis than this are shown as a map."""


@style.styled
def plot(dataset: xr.Dataset) -> Figure:
    """A panel for each outcome of a sweep or of a grid, six at most.

    One axis: median and middle half of the chips against it. Two axes: a line for
    each value of the shorter one, or a map; further axes are held in the middle.
    Drawn points: a scatter. A single point: the distribution over the chips.

    Raises:
        ValueError: if the dataset is no sweep, or holds no numbers over its axes.
    """
    found, dims = outcomes(dataset)[:_PANELS], swept(dataset)
    if not found:
        raise ValueError("nothing in this sweep is a number at every point")
    panels = [(o, a) for o in found for a in _against(dataset, dims)][:_PANELS]
    columns = min(len(panels), 2)  # three are too small on a telephone
    if len(found) > 1 and len(panels) > len(found):  # one row per outcome
        columns = min(len(_against(dataset, dims)), 2)
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(style.WIDTH if columns > 1 else 4.6, 3.1 * rows + 0.6))
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, (outcome, against) in zip(grid.flat, panels, strict=False):
        _panel(axes, outcome, dims, against)
    for axes in grid.flat[len(panels) :]:
        axes.remove()
    shown = dataset.assign_attrs(scale=dataset.attrs.get("scale", "sweep"))
    if dataset.sizes.get("seed") == 1:
        shown = shown.isel(seed=0)
    note = f"{says(found[0], dims)}. {missing(dataset)}"
    style.caption(figure, shown, note.strip())
    return figure


def _against(dataset: xr.Dataset, dims: Sequence[str]) -> list[str | None]:
    """The axes of drawn points, each with a panel of its own; else nothing."""
    if list(dims) != ["point"]:
        return [None]
    return [str(c) for c in dataset.coords if dataset[c].dims == ("point",)]


def _panel(axes: Axes, outcome: Outcome, dims, against: str | None) -> None:
    axes.set_title(outcome.taken)
    axes.set_ylabel(textwrap.fill(outcome.label, 34))
    long = [d for d in dims if outcome.middle.sizes[d] > 1]
    if not long:
        return _distribution(axes, outcome)
    if against is not None:
        return _scatter(axes, outcome, against)
    long.sort(key=lambda d: (not _numeric(outcome.middle[d]), -outcome.middle.sizes[d]))
    x, second, *rest = [*long, None][: max(len(long), 2)]
    held = {d: outcome.middle.sizes[d] // 2 for d in rest} | {
        d: 0 for d in dims if d not in long
    }
    if rest:
        at = (_at(outcome.middle[d], d, held[d]) for d in rest)
        axes.set_title("\n".join(filter(None, (outcome.taken, *at))))
    low, high = (a if a is None else a.isel(held) for a in (outcome.low, outcome.high))
    middle = outcome.middle.isel(held)
    if second is None:
        _line(axes, x, low, middle, high)
    elif middle.sizes[second] > _LINES:
        _map(axes, x, second, middle, outcome.label)
    else:
        for i, value in enumerate(middle[second].values):
            at = [a if a is None else a.isel({second: i}) for a in (low, middle, high)]
            _line(axes, x, *at, label=text_of(value), i=i)
        title, words = with_unit(middle[second], second), not _numeric(middle[x])
        style.key(axes, title=title, ncols=3, drop=54 if words else 34)
    axes.set_xlabel(with_unit(middle[x], x))
    _scale(axes, middle[x])


def _at(values: xr.DataArray, name: str, place: int) -> str:
    """Where an axis is held."""
    return f"at {with_unit(values, name)} = {text_of(values.values[place])}"


def _line(axes: Axes, x: str, low, middle, high, label: str = "", i: int = 0) -> None:
    where, numeric = middle[x].values, _numeric(middle[x])
    at = where.astype(float) if numeric else np.arange(len(where))
    order = np.argsort(at)
    look = style.look(i, **({} if numeric else {"linestyle": "none"}))
    (line,) = axes.plot(at[order], middle.values[order], label=label, **look)
    if low is not None:
        rows = at[order], low.values[order], high.values[order]
        if numeric:
            axes.fill_between(*rows, color=line.get_color(), alpha=0.15, linewidth=0)
        else:
            axes.vlines(*rows, color=line.get_color(), alpha=0.5)
    if not numeric:
        axes.set_xticks(at, [text_of(v) for v in where], rotation=20, ha="right")
        axes.margins(x=0.5 / len(where))


def _map(axes: Axes, x: str, second: str, middle: xr.DataArray, label: str) -> None:
    values = middle.transpose(second, x).values
    image = axes.imshow(values, aspect="auto", origin="lower")
    style.colorbar(axes, image, textwrap.fill(label, 34))
    axes.grid(False)
    axes.set_ylabel(with_unit(middle[second], second))
    for axis, name in ((axes.xaxis, x), (axes.yaxis, second)):
        labels = [text_of(v) for v in middle[name].values]
        some = np.unique(np.linspace(0, len(labels) - 1, 6).astype(int))
        axis.set_ticks(some, [labels[i] for i in some])


def _scatter(axes: Axes, outcome: Outcome, against: str) -> None:
    where = outcome.middle[against]
    at = where.values if _numeric(where) else np.arange(where.size)
    if outcome.low is not None and outcome.high is not None:
        axes.vlines(at, outcome.low, outcome.high, color=style.COLOURS[0], alpha=0.3)
    axes.plot(at, outcome.middle, "o", markersize=3)
    axes.set_xlabel(with_unit(where, against))
    if _numeric(where):
        _scale(axes, where)
    else:
        axes.set_xticks(at, [text_of(v) for v in where.values], rotation=20, ha="right")


def _distribution(axes: Axes, outcome: Outcome) -> None:
    """Of the chips at the only point; a mark where statistics are all there is."""
    axes.set(xlabel=textwrap.fill(outcome.label, 34), ylabel="")
    sound = np.array([]) if outcome.values is None else outcome.values.values.ravel()
    sound = sound[np.isfinite(sound)]
    if len(sound) > 1:
        axes.locator_params(axis="x", nbins=4)
        axes.hist(sound, bins=min(40, max(5, int(len(sound) ** 0.5))), alpha=0.8)
        axes.axvline(np.median(sound), color="black", linewidth=1, label="median")
        axes.set_ylabel("chips")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        return style.key(axes)
    axes.plot(outcome.middle.values.ravel(), [0], "o")
    if outcome.low is not None and outcome.high is not None:
        axes.hlines(0, outcome.low.values.ravel(), outcome.high.values.ravel())
    axes.set_yticks([])


def _scale(axes: Axes, values: xr.DataArray) -> None:
    """Logarithmic if all are positive, and most of them far below the greatest."""
    if _numeric(values) and not axes.images:
        least, middle, most = map(float, values.quantile([0, 0.5, 1]))
        if least > 0 and most / least >= 20 and middle < most / 4:
            axes.set_xscale("log")


def _numeric(values: xr.DataArray) -> bool:
    return values.dtype.kind in "fiu"
