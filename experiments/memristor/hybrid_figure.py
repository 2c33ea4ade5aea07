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

FILLS = ("full", "none", "left", "bottom")
"""By rule, so that grey tells them apart."""


@style.styled
def plot(dataset: xr.Dataset) -> Figure:
    """Above: a triangle of layers for every rule; below: what they gain and save."""
    rules = list(dataset.rule.values)
    figure = Figure(figsize=(style.WIDTH, 8.0))
    above, below = figure.subfigures(2, 1, height_ratios=[1, 1.5]).flat  # pyright: ignore[reportAttributeAccessIssue]
    for axes, rule in zip(
        above.subplots(1, len(rules), squeeze=False)[0], rules, strict=True
    ):
        _triangle(axes, dataset, rule)
    left, right = below.subplots(1, 2)
    _accuracy(left, dataset)
    _writes(right, dataset)
    style.caption(figure, dataset, says(dataset))
    return figure


def says(dataset: xr.Dataset) -> str:
    """Which single layer is worth its words, and what remains to be gained."""
    told = []
    for rule in dataset.rule.values:
        one = 100 * dataset.gain.sel(rule=rule).median(("seed", "chip"))
        alone = [name for name in one.digital.values if _count(name) == 1]
        best = max(alone, key=lambda name: float(one.sel(digital=name)))
        whole = 100 * float(dataset.all_accuracy.median())
        none = 100 * float(
            dataset.accuracy.sel(rule=rule, digital="none").median(("seed", "chip"))
        )
        told.append(
            f"{_called(rule)} gains most from layer {best}, "
            f"{float(one.sel(digital=best)):+.1f} points (all layers digital: "
            f"{whole - none:+.1f})"
        )
    return (
        f"{'; '.join(told)}. Above, diagonal: one digital layer, off it: two; numbers "
        "are the median gain of a chip over itself with none. A digital layer keeps a "
        "word per weight, mixed precision one per weight on an array; Adam's own words "
        "are not counted"
    )


def _called(rule: str) -> str:
    return NAMES.get(rule, rule.replace("_", " "))


def _triangle(axes: Axes, dataset: xr.Dataset, rule: str) -> None:
    one, n = dataset.sel(rule=rule), dataset.sizes["layer"]
    gains = 100 * one.gain.median(("seed", "chip"))
    grid = np.full((n, n), np.nan)
    for gain, (first, last) in zip(gains.values, dataset.layers.values, strict=True):
        if first >= 0:
            grid[last, first] = gain
            axes.text(
                first,
                last,
                f"{gain:+.{1 if abs(gain) < 9.95 else 0}f}",
                ha="center",
                va="center",
                fontsize=style.SMALL,
            )
    none, whole = (
        100 * float(a.median())
        for a in (one.accuracy.sel(digital="none"), one.all_accuracy)
    )
    reach = max(abs(whole - none), float(np.nanmax(np.abs(grid))), 0.1)
    image = axes.imshow(grid, cmap="RdBu", vmin=-reach, vmax=reach, alpha=0.7)
    style.colorbar(axes, image, "points gained", location="top", shrink=0.8)
    sizes = [f"{k + 1}\n{_short(size)}" for k, size in enumerate(dataset.size.values)]
    axes.set_xticks(range(n), sizes)
    axes.set_yticks(range(n), [str(k + 1) for k in range(n)])
    axes.set(xlabel="digital layer,\nand its weights", ylabel="and digital layer")
    title = f"{_called(rule)}\nnone {none:.1f} %, all {whole:.1f} %"
    axes.set_title(title, fontsize=style.SMALL)
    axes.grid(visible=False)


def _short(size: float) -> str:
    return f"{size:,}" if size < 1000 else f"{size / 1000:.3g}k"


def _by_words(draw: Any, axes: Axes, dataset: xr.Dataset) -> None:
    """Every set as a marker over its digital words; the legend says how many layers."""
    for n, rule in enumerate(dataset.rule.values):
        colour, filled = style.COLOURS[n % len(style.COLOURS)], FILLS[n % len(FILLS)]
        for name in dataset.digital.values:
            at = dataset.sel(rule=rule, digital=name)
            marker = MARKERS[_count(name) % len(MARKERS)]
            look = {"fmt": marker, "color": colour, "ms": 5, "fillstyle": filled}
            middle, error = style.middle_half(draw(at))
            axes.errorbar(float(at.words), middle, error[:, None], **look)
        look = {"color": colour, "ms": 6, "fillstyle": filled}
        axes.plot([], [], "p", label=_called(rule), **look)
    axes.set_xlabel("digital words per weight")


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
        axes.plot([], [], marker, color="0.5", ms=4, label=words)
    axes.set(ylabel="test accuracy (%)", title="what digital layers gain")
    style.key(axes, ncols=2, columnspacing=1)


def _writes(axes: Axes, dataset: xr.Dataset) -> None:
    _by_words(lambda at: 1000 * at.writes, axes, dataset)
    style.decades(axes)
    axes.set_ylabel("writes per weight of the network\nand step (‰)")
    axes.set_title("what they save")
    style.key(axes)
