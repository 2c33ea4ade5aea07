"""The figure of `levels`: accuracy and writes against the levels of a weight."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.figures import style

NAMES = {
    "eapu": "EaPU",
    "noisy": "every update,\nto the nearest level",
    "stochastic_rounding": "stochastic rounding",
    "mixed_precision": "mixed precision, a digital\nword per weight",
    "residual_learning": "residual learning, 2 arrays",
    "multi_tile": "multi-tile residual learning,\n4 arrays",
}
"""What a reader calls a rule; others keep the name that they have."""


@style.styled
def plot(dataset: xr.Dataset) -> Figure:
    """Accuracy without and with a write error, then writes, against levels."""
    noises = dataset.write_noise.values
    rows = -(-(len(noises) + 2) // 2)  # and a place for the key
    figure = Figure(figsize=(style.WIDTH, 3.0 * rows + 0.9))
    grid = figure.subplots(rows, 2, squeeze=False).ravel()
    for axes, noise in zip(grid, noises, strict=False):
        _accuracy(axes, dataset.sel(write_noise=noise))
        words = f"write error {noise:g} µS" if noise else "no write error"
        axes.set_title(words)
    last = grid[len(noises)]
    _writes(last, dataset.sel(write_noise=noises[-1]))
    last.set_title(f"writes at {noises[-1]:g} µS")
    for axes in grid[len(noises) + 1 :]:
        axes.set_axis_off()
    named = grid[0].get_legend_handles_labels()
    grid[-1].legend(*named, loc="center")
    style.caption(figure, dataset, says(dataset))
    return figure


def _accuracy(axes: Axes, dataset: xr.Dataset) -> None:
    _by_rule(axes, dataset, 100 * dataset.accuracy)
    look: Any = {"color": "black", "ls": ":", "lw": 1, "label": "digital, no array"}
    axes.axhline(100 * float(dataset.ideal_accuracy), **look)
    axes.set_ylim(0, 102)
    axes.set_ylabel("test accuracy (%)")


def _writes(axes: Axes, dataset: xr.Dataset) -> None:
    style.decades(axes)
    _by_rule(axes, dataset, 1000 * dataset.update_ratio)
    axes.set_ylabel("writes per cell and step (‰)")


def _by_rule(axes: Axes, dataset: xr.Dataset, values: xr.DataArray) -> None:
    shift = np.linspace(-0.1, 0.1, dataset.sizes["rule"])
    for n, rule in enumerate(dataset.rule.values):
        middle, error = style.middle_half(values.sel(rule=rule), "levels")
        look: Any = style.look(n, lw=1, label=_called(rule))
        seen = middle > 0 if axes.get_yscale() == "log" else np.isfinite(middle)
        x = dataset.levels.values * 2 ** shift[n]
        axes.errorbar(x[seen], middle[seen], error[:, seen], **look)
    axes.set_xscale("log", base=2)
    axes.set_xlabel("levels of a weight")
    ticks = [f"{level}\n{np.log2(level):g} bit" for level in dataset.levels.values]
    axes.set_xticks(dataset.levels.values, ticks, fontsize=style.SMALL)
    axes.margins(x=0.1)
    axes.minorticks_off()


def _called(rule: str) -> str:
    return NAMES.get(rule, rule.replace("_", " "))


def says(dataset: xr.Dataset) -> str:
    """Which rule bears the fewest levels, and what the fewest cost each."""
    rates, tuners = dataset.attrs["rates"], dataset.attrs["tuners"]
    found = 100 * dataset.accuracy.isel(write_noise=-1).median("chip")
    fewest, most = (found.sel(levels=f(found.levels)) for f in (min, max))
    told = [
        f"{_called(rule)} {float(few):.0f} % ({float(many):.0f})"
        for rule, few, many in zip(found.rule.values, fewest, most, strict=True)
    ]
    best = _called(fewest.rule.values[int(fewest.values.argmax())])
    noise = f"{float(dataset.write_noise[-1]):g} µS"
    words = (
        f"with {int(found.levels.min())} levels (in brackets: with "
        f"{int(found.levels.max())}) and a write error of {noise} rules reach: "
        f"{'; '.join(told)}. The fewest levels are borne best by {best}. Every rule's "
        f"best of {rates} learning rates, chosen on {tuners} other chips; its step is "
        "one level, or the write error where that is larger; weights from -1 to 1; "
        "points are moved aside so that all are seen; rules that never write are not "
        "among the writes"
    )
    return words.replace("\n", " ")
