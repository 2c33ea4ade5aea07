"""The figure of `hybrid`: accuracy gained by digital layers, and what they cost."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.figures import style

NAMES = {
    "eapu": "EaPU",
    "noisy": "noisy backpropagation",
    "mixed_precision": "mixed precision",
}
"""What a reader calls a rule; others keep the name that they have."""

MARKERS = ("D", "o", "s", "^", "v", "P")
"""By how many layers are digital."""


@style.styled
def plot(dataset: xr.Dataset) -> Figure:
    """Above: a triangle of layers for every rule; below: what they gain and save."""
    rules = list(dataset.rule.values)
    figure = Figure(figsize=(max(3.6 * len(rules), 7.2), 7))
    above, below = figure.subfigures(2, 1).flat  # pyright: ignore[reportAttributeAccessIssue]
    for axes, rule in zip(
        above.subplots(1, len(rules), squeeze=False)[0], rules, strict=True
    ):
        _triangle(axes, dataset, rule)
    left, right = below.subplots(1, 2)
    _accuracy(left, dataset)
    _writes(right, dataset)
    style.caption(figure, dataset, _NOTE)
    return figure


_NOTE = (
    "diagonal: one digital layer, off it: two; numbers are the median gain of a chip "
    "over itself with no digital layer; a digital layer keeps a word per weight, mixed "
    "precision one per weight on an array; Adam's own words are not counted"
)


def _triangle(axes: Axes, dataset: xr.Dataset, rule: str) -> None:
    one, n = dataset.sel(rule=rule), dataset.sizes["layer"]
    gains = 100 * one.gain.median(("seed", "chip"))
    grid = np.full((n, n), np.nan)
    for gain, (first, last) in zip(gains.values, dataset.layers.values, strict=True):
        if first >= 0:
            grid[last, first] = gain
            axes.text(first, last, f"{gain:+.1f}", ha="center", va="center", fontsize=8)
    none, whole = (
        100 * float(a.median())
        for a in (one.accuracy.sel(digital="none"), one.all_accuracy)
    )
    reach = max(abs(whole - none), float(np.nanmax(np.abs(grid))), 0.1)
    image = axes.imshow(grid, cmap="RdBu", vmin=-reach, vmax=reach, alpha=0.7)
    style.colorbar(axes, image, "points gained", shrink=0.8)
    sizes = [f"{k + 1}\n{size:,}" for k, size in enumerate(dataset.size.values)]
    axes.set_xticks(range(n), sizes)
    axes.set_yticks(range(n), [str(k + 1) for k in range(n)])
    axes.set(xlabel="digital layer, and its weights", ylabel="and digital layer")
    axes.set_title(f"{NAMES.get(rule, rule)}\nnone {none:.1f} %, all {whole:.1f} %")
    axes.grid(visible=False)


def _by_words(draw: Any, axes: Axes, dataset: xr.Dataset) -> None:
    """Every set as a marker over its digital words; the legend says how many layers."""
    for colour, rule in zip(style.COLOURS * 3, dataset.rule.values, strict=False):
        for name in dataset.digital.values:
            at = dataset.sel(rule=rule, digital=name)
            marker = MARKERS[_count(name) % len(MARKERS)]
            look = {"fmt": marker, "color": colour, "ms": 4, "alpha": 0.7}
            middle, error = style.middle_half(draw(at))
            axes.errorbar(float(at.words), middle, error[:, None], **look)
        axes.plot([], [], "-", color=colour, label=NAMES.get(rule, rule))
    axes.set_xlabel("digital words per weight, beside the optimizer's")


def _count(name: str) -> int:
    """How many layers of a set are digital."""
    return 0 if name == "none" else 1 + name.count("+")


def _accuracy(axes: Axes, dataset: xr.Dataset) -> None:
    _by_words(lambda at: 100 * at.accuracy, axes, dataset)
    middle, error = style.middle_half(100 * dataset.all_accuracy)
    look: Any = {"fmt": "*", "color": "black", "ms": 9, "label": "all digital"}
    axes.errorbar(1.0, middle, error[:, None], **look)
    for count in sorted({_count(name) for name in dataset.digital.values}):
        marker, words = MARKERS[count % len(MARKERS)], f"digital layers: {count}"
        axes.plot([], [], marker, color="0.5", label=words)
    axes.set(ylabel="test accuracy (%)", title="what digital layers gain")
    axes.legend(fontsize=7, loc="lower center")


def _writes(axes: Axes, dataset: xr.Dataset) -> None:
    _by_words(lambda at: 1000 * at.writes, axes, dataset)
    style.decades(axes)
    axes.set_ylabel("writes per weight of the network\nand step (per mille)")
    axes.set_title("what they save")
    axes.legend(fontsize=7)
