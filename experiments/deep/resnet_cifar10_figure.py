"""The figure of `resnet_cifar10`: learning curves, accuracy and writes by noise."""

from typing import Any

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from experiments.deep.looks import NAMES, look
from experiments.figures import style

RULES = ("noisy", "eapu")
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
_NOISE = "SD of a write (µS), 1/80 of weight per µS"


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


def _reference(dataset: xr.Dataset) -> xr.Dataset:
    """At the published size of errors, or the next one there is."""
    return dataset.sel(write_noise=2.0, method="nearest")


def _curves(axes: Axes, dataset: xr.Dataset) -> None:
    reference = _reference(dataset)
    stretch = dataset.sizes["epoch"] / EPOCHS[-1]
    for rule in PUBLISHED:
        style.band(axes, dataset.epoch, curve(reference, rule), **look(rule, ms=3))
        x = [max(stretch * epoch, 1) for epoch in EPOCHS]
        drawn = style.published(axes, x, PUBLISHED[rule], color=look(rule)["color"])
        drawn.set(label="_hidden", linestyle=look(rule)["linestyle"], linewidth=0.5)
    axes.plot([], [], "D", mfc="none", color="grey", label="published, ResNet-34")
    _chance(axes, dataset)
    noise = float(reference.write_noise)
    title = f"ResNet-{dataset.attrs['layers']}, SD = threshold = {noise:g} µS"
    axes.set(title=title, xlabel="epoch", ylabel="test accuracy (%)", ylim=(0, 100))
    axes.set_xlim(0.5, dataset.sizes["epoch"] + 0.5)  # one epoch is a row of dots
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    style.key(axes)


def _chance(axes: Axes, dataset: xr.Dataset) -> None:
    at = 100 * dataset.attrs["chance"]
    axes.axhline(at, color="grey", ls=(0, (1, 1)), lw=1, label="chance")


def _noise(axes: Axes, dataset: xr.Dataset) -> None:
    ideal = float(best(dataset, "ideal").median())
    axes.axhline(ideal, color="black", ls="--", label="ideal, best epoch")
    for rule in RULES:
        label = f"{NAMES[rule]}, best epoch"
        middle, bars = style.middle_half(best(dataset, rule), "write_noise")
        drawn: Any = look(rule, label=label, capsize=2)
        axes.errorbar(dataset.write_noise, middle, bars, **drawn)
        middle, _ = style.middle_half(last(dataset, rule), "write_noise")
        after: Any = look(rule, label="hollow: last epoch", mfc="none", lw=0.7)
        (hollow,) = axes.plot(dataset.write_noise, middle, **after)
        hollow.set_label("_hidden" if rule == "noisy" else "hollow: last epoch")
        found = [PUBLISHED_BEST[rule]]
        drawn = style.published(axes, [2.0], found, color=look(rule)["color"])
        drawn.set_label("_hidden")
        drawn.set_markersize(8)
    _chance(axes, dataset)
    axes.set(title="accuracy by the error of a write", ylim=(0, 100))
    axes.set(xlabel=_NOISE, ylabel="test accuracy (%)")
    style.key(axes)


def reduction(dataset: xr.Dataset) -> xr.DataArray:
    """Writes of noisy backpropagation over those of EaPU, chip by chip."""
    ratio = dataset.update_ratio
    return ratio.sel(rule="noisy", drop=True) / ratio.sel(rule="eapu", drop=True)


def _writes(axes: Axes, dataset: xr.Dataset) -> None:
    for rule in RULES:
        values = 1000 * dataset.update_ratio.sel(rule=rule)
        style.band(axes, dataset.write_noise, values, **look(rule))
    style.decades(axes)
    axes.set(title="cells written per step", xlabel=_NOISE)
    axes.set(ylabel="update ratio (per mille)")
    style.key(axes, ncols=2)


def note(dataset: xr.Dataset) -> str:
    """Accuracies of the best epoch beside the published ones, and writes saved."""
    reference = _reference(dataset)
    told = [
        f"{NAMES[rule]} {float(best(reference, rule).median()):.1f} % "
        f"(published {value:g} %)"
        for rule, value in PUBLISHED_BEST.items()
    ]
    fewer = float(reduction(reference).median())
    ideal, noisy, eapu = (
        float(best(reference, rule).median()) for rule in ("ideal", "noisy", "eapu")
    )
    part = (eapu - noisy) / (ideal - noisy) if ideal > noisy else float("nan")
    seen = (
        f"EaPU wins back {part:.0%} of what noisy backpropagation loses"
        if part == part
        else "no rule has learnt anything to tell them apart by"
    )
    return (
        f"best epoch at {float(reference.write_noise):g} µS: {'; '.join(told)}: "
        f"{seen}, with {fewer:,.0f} times fewer writes. Published: ResNet-34 on "
        "CIFAR-10, its epochs scaled to the length of ours; only the products of "
        "weight per conductance (R_wg) with SD and threshold enter, so that the axis "
        "of SD is one of R_wg, too"
    )


plot = style.panels(
    (7.0, 6.6), [[_curves, _noise], [_writes, _writes]], note, height_ratios=(2, 1.1)
)
