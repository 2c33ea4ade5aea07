"""The figure of `endurance`."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments import style

TITLES = {
    "adam": "EaPU, Adam",
    "sgd": "EaPU, SGD",
    "noisy": "noisy backpropagation",
}
PUBLISHED_LIFETIME = 1000.0
"""About; = 1 / 0.86 per mille for ResNet152. PRESS: not in the text we could read."""


@style.styled
def plot(dataset: xr.Dataset) -> Figure:
    """Survival of the write counts, lifetimes, and where the first layer wears."""
    figure = Figure(figsize=(10, 3.6))
    left, middle, right = figure.subplots(1, 3)
    _tail(left, dataset)
    _lifetimes(middle, dataset)
    _map(right, dataset)
    style.caption(figure, dataset)
    return figure


def _tail(axes: Axes, dataset: xr.Dataset) -> None:
    share = dataset.cells / dataset.cells.sum("writes")
    beyond = share.isel(writes=slice(None, None, -1)).cumsum("writes")
    beyond = beyond.isel(writes=slice(None, None, -1)).assign_coords(
        writes=dataset.writes
    )
    at = np.unique(np.geomspace(1, int(dataset.writes[-1]), 200).astype(int))
    for case in dataset.case.values:
        values = beyond.sel(case=case, writes=at)
        style.band(axes, at, values, ("seed", "chip"), label=TITLES[case])
    axes.set(
        title=f"writes per cell in {int(dataset.writes[-1]):,} steps",
        xlabel="n",
        ylabel="share of cells with at least n writes",
        xscale="log",
        yscale="log",
        ylim=(0.5 / float(dataset.cells.sum("writes").max()), 2),
    )
    axes.legend(loc="upper right", bbox_to_anchor=(1, 0.92))


def _lifetimes(axes: Axes, dataset: xr.Dataset) -> None:
    places = np.arange(dataset.sizes["case"])
    labels = {
        "lifetime": "mean cell",
        "lifetime_99": "99th percentile",
        "lifetime_worst": "most written cell",
    }
    for shift, (name, label) in zip((-0.25, 0, 0.25), labels.items(), strict=True):
        low, middle, high = (
            dataset[name].quantile([0.25, 0.5, 0.75], ("seed", "chip")).values
        )
        axes.bar(
            places + shift,
            middle,
            0.24,
            yerr=[middle - low, high - middle],
            label=label,
        )
        for place, value in zip(places + shift, middle, strict=True):
            text = f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
            axes.annotate(
                text, (place, value), ha="center", va="bottom", fontsize="small"
            )
    axes.axhline(PUBLISHED_LIFETIME, color="black", ls="--", lw=1)
    axes.annotate(
        "published (press): about 1000", (-0.4, PUBLISHED_LIFETIME * 1.1), fontsize=8
    )
    axes.set_xticks(
        places, [TITLES[c].replace(" back", "\nback") for c in dataset.case.values]
    )
    axes.set(title="lifetime factor: steps / writes", yscale="log", ylim=(0.5, 2e5))
    axes.legend(loc="upper right")


def _map(axes: Axes, dataset: xr.Dataset) -> None:
    case = "sgd" if "sgd" in dataset.case else dataset.case.values[0]
    mean = dataset.by_pixel.sel(case=case).mean("seed")
    image = axes.imshow(mean, cmap="viridis")
    axes.set(
        title=f"first layer, mean writes by pixel\n({TITLES[case]})",
        xticks=[],
        yticks=[],
    )
    axes.grid(False)
    assert axes.figure is not None
    axes.figure.colorbar(image, ax=axes, label="writes per cell", shrink=0.8)
