"""The figure of `swin`."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

import eapu_jax as ej
from experiments.deep.looks import NAMES, look
from experiments.figures import style
from experiments.figures.words import several
from experiments.memristor.training import PUBLIC_R_WG

RULES = ("ideal", "noisy", "eapu")
PUBLISHED = {"noisy": 1.44, "eapu": 90.22}
"""Accuracy in % of Swin-T on mini-ImageNet, SD 2.4 µS. STATED, Fig. 5c."""
RATE = 1e-4


def best(dataset: xr.Dataset, rule: str) -> xr.DataArray:
    """Test accuracy of the best epoch, %: as published."""
    return 100 * dataset.accuracy.sel(rule=rule, drop=True).max("epoch")


def reduction(dataset: xr.Dataset) -> xr.DataArray:
    """Writes of noisy backpropagation over that of EaPU, chip by chip."""
    ratio = dataset.update_ratio
    return ratio.sel(rule="noisy", drop=True) / ratio.sel(rule="eapu", drop=True)


def _curves(axes: Axes, dataset: xr.Dataset) -> None:
    part = dataset.sel(learning_rate=RATE, method="nearest")
    for rule in RULES:
        values = 100 * part.accuracy.sel(rule=rule)
        style.band(axes, dataset.epoch, values, **look(rule, marker=None))
    for rule, value in PUBLISHED.items():
        words = f"{value:g} %, Swin-T ({NAMES[rule]})"
        how: Any = {"color": look(rule)["color"], "ls": look(rule)["linestyle"]}
        how |= {"marker": "D", "mfc": "none", "markevery": [0, 1], "lw": 1}
        style.published_line(axes, value, words, **how)
    _chance(axes, dataset)
    noise = dataset.attrs["write_noise_uS"]
    title = f"5c  Adam at {float(part.learning_rate):g}, SD {noise:g} µS"
    axes.set(title=title, xlabel="epoch", ylabel="test accuracy (%)", ylim=(-2, 100))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    style.key(axes)


def _chance(axes: Axes, dataset: xr.Dataset) -> None:
    chance: Any = {"color": "grey", "ls": (0, (1, 1)), "lw": 1, "label": "chance here"}
    axes.axhline(100 * dataset.attrs["chance"], **chance)


def _rates(axes: Axes, dataset: xr.Dataset) -> None:
    for rule in RULES:
        middle, bars = style.middle_half(best(dataset, rule), "learning_rate")
        drawn: Any = look(rule, capsize=2)
        axes.errorbar(dataset.learning_rate, middle, bars, **drawn)
    before = 100 * float(dataset.pretrained.median())
    label = "pre-trained classes, before"
    axes.axhline(before, color="grey", ls=(0, (6, 2)), lw=1, label=label)
    _chance(axes, dataset)
    axes.set(title="best epoch", xscale="log", ylim=(-2, 100))
    axes.set(xlabel="learning rate of fine-tuning", ylabel="test accuracy (%)")
    style.key(axes)


def _law(dataset: xr.Dataset) -> np.ndarray:
    theta = dataset.attrs["write_noise_uS"] * PUBLIC_R_WG
    rates = dataset.learning_rate.values
    return np.array([1 / float(ej.laws.adam_update_ratio(x, theta)) for x in rates])


def _reductions(axes: Axes, dataset: xr.Dataset) -> None:
    rates = dataset.learning_rate
    drawn: Any = look("eapu", label="simulated")
    style.band(axes, rates, reduction(dataset), **drawn)
    label = "law of Adam, constant rate"
    axes.plot(rates, _law(dataset), color="0.4", ls=":", marker="x", label=label)
    style.published_line(axes, 1e4, "ten thousand", lw=1)
    style.decades(axes, "y")
    axes.set(title="5f  writes of noisy backpropagation over EaPU's")
    axes.set(xscale="log", xlabel="learning rate of fine-tuning")
    axes.set_ylabel("times fewer writes")
    style.key(axes, ncols=3)


def note(dataset: xr.Dataset) -> str:
    """Accuracies at the published rate, and writes that are saved."""
    part = dataset.sel(learning_rate=RATE, method="nearest")
    told = [f"{NAMES[rule]} {float(best(part, rule).median()):.1f} %" for rule in RULES]
    fewer = reduction(dataset).median(("seed", "chip"))
    saved = [
        f"{float(x):,.0f} at {float(rate):g}"
        for x, rate in zip(fewer, dataset.learning_rate, strict=True)
    ]
    beyond = [
        f"{float(r):g}"
        for r, x in zip(dataset.learning_rate, fewer, strict=True)
        if x >= 1e4
    ]
    return (
        f"best epoch at a rate of {float(part.learning_rate):g}: {several(told)}. "
        f"EaPU writes so many times less, by learning rate: {several(saved)}; the "
        f"published ten thousand is reached at: {several(beyond, 'none of them')}. "
        "Half of the classes came before, without noise; the others, under a new head, "
        "are learnt on the arrays. Published: Swin-T on mini-ImageNet"
    )


plot = style.panels(
    (7.0, 7.0), [[_curves, _rates], [_reductions] * 2], note, height_ratios=(2, 1.2)
)
