"""The figure of `resnet_cifar10`."""

from typing import Any

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.figures import style

RULES = ("noisy", "eapu")
NAMES = {"ideal": "ideal", "noisy": "noisy backpropagation", "eapu": "EaPU"}
LOOKS = {"ideal": "black", "noisy": style.COLOURS[1], "eapu": style.COLOURS[0]}

EPOCHS = (1, 5, 10, 20, 30, 31, 40, 50)
PUBLISHED = {
    "ideal": (35.36, 65.47, 80.99, 87.80, 90.02, 91.83, 91.92, 92.01),
    "noisy": (12.40, 16.07, 17.55, 15.07, 15.85, 15.31, 10.20, 11.95),
    "eapu": (36.06, 37.00, 69.49, 83.83, 85.85, 88.76, 89.11, 89.35),
}
"""Test accuracy in % after these epochs of the authors' ResNet-34 on CIFAR-10, SD and
threshold 2 µS, R_wg 1/80 per µS. STATED: records of their public code."""
PUBLISHED_BEST = {"ideal": 92.54, "noisy": 17.55, "eapu": 89.71}
"""The best epoch of the same."""


def curve(dataset: xr.Dataset, rule: str) -> xr.DataArray:
    """Test accuracy after every epoch, %."""
    if rule == "ideal":
        return 100 * dataset.ideal
    return 100 * dataset.accuracy.sel(rule=rule)


def best(dataset: xr.Dataset, rule: str) -> xr.DataArray:
    """Test accuracy of the best epoch, %: as published."""
    return curve(dataset, rule).max("epoch")


def last(dataset: xr.Dataset, rule: str) -> xr.DataArray:
    """Test accuracy after the last epoch, %."""
    return curve(dataset, rule).isel(epoch=-1)


@style.styled
def plot(dataset: xr.Dataset) -> Figure:
    """Learning curves beside the published ones, accuracy and writes against noise."""
    figure = Figure(figsize=(10.2, 3.8))
    curves, noise, writes = figure.subplots(1, 3)
    _curves(curves, dataset)
    _noise(noise, dataset)
    _writes(writes, dataset)
    figure.legend(
        *curves.get_legend_handles_labels(), loc="outside upper center", ncols=5
    )
    style.caption(figure, dataset, _NOTE)
    return figure


_NOTE = (
    "bands: the middle half of seeds and chips; published: ResNet-34 on CIFAR-10, its "
    "epochs scaled to the length of ours; only the products of R_wg with SD and "
    "threshold enter, so the axis of SD at R_wg = 1/80 per µS is one of R_wg, too"
)


def _curves(axes: Axes, dataset: xr.Dataset) -> None:
    reference = dataset.sel(write_noise=2.0, method="nearest")
    stretch = dataset.sizes["epoch"] / EPOCHS[-1]
    for rule, colour in LOOKS.items():
        look: Any = {"label": NAMES[rule], "color": colour}
        style.band(axes, dataset.epoch, curve(reference, rule), **look)
        x = [max(stretch * epoch, 1) for epoch in EPOCHS]
        drawn = style.published(axes, x, PUBLISHED[rule], color=colour)
        drawn.set_label("_hidden")
    axes.plot([], [], "D", mfc="none", color="grey", label="published, ResNet-34")
    _chance(axes, dataset)
    noise = float(reference.write_noise)
    title = f"ResNet-{dataset.attrs['layers']}, SD = threshold = {noise:g} µS"
    axes.set(title=title, xlabel="epoch", ylabel="test accuracy (%)", ylim=(0, 100))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _chance(axes: Axes, dataset: xr.Dataset) -> None:
    at = 100 * dataset.attrs["chance"]
    axes.axhline(at, color="grey", ls=":", lw=1, label="chance")


def _noise(axes: Axes, dataset: xr.Dataset) -> None:
    ideal = float(best(dataset, "ideal").median())
    axes.axhline(ideal, color=LOOKS["ideal"])
    for rule in RULES:
        look: Any = {"label": NAMES[rule], "color": LOOKS[rule], "marker": "o"}
        style.band(axes, dataset.write_noise, best(dataset, rule), **look)
        look |= {"label": "_hidden", "ls": ":", "marker": "."}
        style.band(axes, dataset.write_noise, last(dataset, rule), **look)
        drawn = style.published(axes, [2.0], [PUBLISHED_BEST[rule]], color=LOOKS[rule])
        drawn.set_label("_hidden")
    _chance(axes, dataset)
    axes.set(title="best epoch (dotted: last epoch)", ylim=(0, 100))
    axes.set(xlabel="SD of a write at R_wg = 1/80 per µS (µS)")
    axes.set(ylabel="test accuracy (%)")


def _writes(axes: Axes, dataset: xr.Dataset) -> None:
    for rule in RULES:
        values = 1000 * dataset.update_ratio.sel(rule=rule)
        look: Any = {"label": NAMES[rule], "color": LOOKS[rule], "marker": "o"}
        style.band(axes, dataset.write_noise, values, **look)
    style.decades(axes)
    axes.set(title="cells written per step")
    axes.set(xlabel="SD of a write at R_wg = 1/80 per µS (µS)")
    axes.set(ylabel="update ratio (per mille)")
