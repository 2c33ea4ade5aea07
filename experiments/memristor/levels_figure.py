"""The figure of `levels`: accuracy and writes against the levels of a weight."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.figures import style

NAMES = {
    "eapu": "EaPU",
    "noisy": "every update, to the nearest level",
    "stochastic_rounding": "stochastic rounding",
    "mixed_precision": "mixed precision, a digital word per weight",
    "residual_learning": "residual learning, 2 arrays",
    "multi_tile": "multi-tile residual learning, 4 arrays",
}
"""What a reader calls a rule; others keep the name that they have."""

MARKERS = "osD^vP"
"""By rule; lines that lie on one another are told apart."""


@style.styled
def plot(dataset: xr.Dataset) -> Figure:
    """Accuracy without and with a write error, then writes, against levels."""
    noises = dataset.write_noise.values
    figure = Figure(figsize=(3.4 * (len(noises) + 1), 4.4))
    grid = figure.subplots(1, len(noises) + 1)
    for axes, noise in zip(grid, noises, strict=False):
        _accuracy(axes, dataset.sel(write_noise=noise))
        words = f"write error {noise:g} µS" if noise else "no write error"
        axes.set_title(words)
    _writes(grid[-1], dataset.sel(write_noise=noises[-1]))
    grid[-1].set_title(f"writes at {noises[-1]:g} µS")
    figure.legend(
        *grid[0].get_legend_handles_labels(), loc="outside upper center", ncols=4
    )
    style.caption(figure, dataset, _note(dataset))
    return figure


def _accuracy(axes: Axes, dataset: xr.Dataset) -> None:
    _by_rule(axes, dataset, 100 * dataset.accuracy)
    look: Any = {"color": "black", "ls": "--", "lw": 1, "label": "digital, no array"}
    axes.axhline(100 * float(dataset.ideal_accuracy), **look)
    axes.set_ylim(0, 102)
    axes.set_ylabel("test accuracy (%)")


def _writes(axes: Axes, dataset: xr.Dataset) -> None:
    style.decades(axes)
    _by_rule(axes, dataset, 1000 * dataset.update_ratio)
    axes.set_ylabel("writes per cell and step (per mille)")


def _by_rule(axes: Axes, dataset: xr.Dataset, values: xr.DataArray) -> None:
    shift = np.linspace(-0.1, 0.1, dataset.sizes["rule"])
    for n, rule in enumerate(dataset.rule.values):
        middle, error = style.middle_half(values.sel(rule=rule), "levels")
        look: Any = {"color": style.COLOURS[n % len(style.COLOURS)], "ms": 4}
        look |= {"marker": MARKERS[n % len(MARKERS)], "label": NAMES.get(rule, rule)}
        seen = middle > 0 if axes.get_yscale() == "log" else np.isfinite(middle)
        x = dataset.levels.values * 2 ** shift[n]
        axes.errorbar(x[seen], middle[seen], error[:, seen], **look)
    axes.set_xscale("log", base=2)
    axes.set_xlabel("levels of a weight")
    ticks = [f"{level}\nint{np.log2(level):g}" for level in dataset.levels.values]
    axes.set_xticks(dataset.levels.values, ticks, fontsize=7)
    axes.minorticks_off()


def _note(dataset: xr.Dataset) -> str:
    rates, tuners = dataset.attrs["rates"], dataset.attrs["tuners"]
    return (
        f"every rule's best of {rates} learning rates, chosen on {tuners} other chips; "
        "its step is one level, or the write error where that is larger; weights from "
        "-1 to 1; points are moved aside so that all are seen; rules that never write "
        "are not among the writes"
    )
