"""The figure of `chip_yield`: accuracy, lifetime, yield against stuck cells."""

from functools import partial

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from experiments.figures import style


def _spreads(
    axes: Axes, dataset: xr.Dataset, name: str, scale: float, label: str
) -> None:
    """Median, middle half (thick) and middle nine tenths (thin) over the chips."""
    x, aside = 100 * dataset.stuck_rate.values, _aside(dataset)
    for i, spread in enumerate(dataset.spread.values):
        q = scale * dataset[f"{name}_quantile"].sel(spread=spread)
        look, at = style.look(i, linewidth=0.8, markersize=4), x + aside[i]
        for low, high, width in ((0.05, 0.95, 1), (0.25, 0.75, 3.5)):
            floor, top = (q.sel({f"{name}_q": e}).values for e in (low, high))
            axes.vlines(at, floor, top, color=look["color"], linewidth=width, alpha=0.7)
        axes.plot(at, q.sel({f"{name}_q": 0.5}), **look)
    axes.set(xlabel="stuck cells (%)", ylabel=label, xticks=x)


def _aside(dataset: xr.Dataset) -> np.ndarray:
    """How far the spreads stand beside one another, in % of stuck cells."""
    n, reach = dataset.sizes["spread"], 100 * float(np.ptp(dataset.stuck_rate.values))
    return (np.arange(n) - (n - 1) / 2) * 0.035 * (reach or 1)


def _yields(axes: Axes, dataset: xr.Dataset) -> None:
    x = 100 * dataset.stuck_rate
    for i, spread in enumerate(dataset.spread.values):
        for j, required in enumerate(dataset.required.values):
            share = 100 * dataset["yield"].sel(spread=spread, required=required)
            line = style.LINES[j % len(style.LINES)]
            axes.plot(x, share, **style.look(i, linestyle=line))
        look = style.look(i, linestyle="none")
        axes.plot([], [], label=f"spread of the write noise {spread:g}", **look)
    for j, required in enumerate(dataset.required.values):
        line, words = style.LINES[j % len(style.LINES)], "chips that reach at least"
        axes.plot([], [], color="black", ls=line, label=f"{words} {100 * required:g} %")
    axes.set(xlabel="stuck cells (%)", ylabel="yield: share of chips (%)")
    axes.set(ylim=(-4, 104), xticks=x)
    style.key(axes, ncols=2)


def says(dataset: xr.Dataset) -> str:
    """What stuck cells cost, what spread costs, and whom."""
    middle = 100 * dataset.final_quantile.sel(final_q=0.5)
    worst = 100 * dataset.final_quantile.sel(final_q=0.05)
    stuck, spread = {"stuck_rate": -1}, {"spread": -1}
    first = {"stuck_rate": 0, "spread": 0}

    def lost(of: xr.DataArray, at: dict[str, int]) -> float:
        return float(of[first] - of[{**first, **at}])

    half, tail = (
        [lost(middle, at), lost(worst, at)]
        for at in ({**stuck, "spread": 0}, {**spread, "stuck_rate": 0})
    )
    whom = "whole batch" if half[0] > tail[0] else "median chip less than spread does"
    good = dataset["yield"].isel(spread=-1)
    strict = good.required.values[-1]
    ends = [f"{100 * float(good[n, -1]):.0f}" for n in (0, -1)]
    return (
        f"{100 * dataset.stuck_rate.values[-1]:g} % of stuck cells cost the median "
        f"chip {half[0]:.1f} points of accuracy and the worst twentieth "
        f"{half[1]:.1f}; the widest spread of the write noise, "
        f"{dataset.spread.values[-1]:g}, costs {tail[0]:.1f} and {tail[1]:.1f}: "
        f"stuck cells hurt the {whom}, spread "
        f"{'the worst chips' if tail[1] > 2 * max(tail[0], 0.1) else 'no chip much'}. "
        f"At that spread the yield at {100 * strict:g} % goes from {ends[0]} to "
        f"{ends[1]} % of the chips. Thick bars: middle half, thin: middle nine tenths"
    )


_accuracy = partial(
    _spreads, name="final", scale=100, label="accuracy after training (%)"
)
_lifetime = partial(
    _spreads, name="lifetime", scale=1, label="lifetime: steps per write of a cell"
)
plot = style.panels(
    (style.WIDTH, 6.6), [[_accuracy, _lifetime], [_yields, _yields]], says
)
