"""The figure of `swin`."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

import eapu_jax as ej
from experiments.deep.resnet_cifar10_figure import LOOKS, NAMES
from experiments.figures import style
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
        look: Any = {"label": NAMES[rule], "color": LOOKS[rule]}
        style.band(axes, dataset.epoch, values, **look)
    for rule, value in PUBLISHED.items():
        look = {"color": LOOKS[rule], "lw": 1}
        style.published_line(axes, value, f"{value:g}, Swin-T", **look)
    axes.axhline(100 * dataset.attrs["chance"], color="grey", ls=":", lw=1)
    noise = dataset.attrs["write_noise_uS"]
    title = f"5c  fine-tuned by Adam {float(part.learning_rate):g}, SD {noise:g} µS"
    axes.set(title=title, xlabel="epoch", ylabel="test accuracy (%)", ylim=(0, 100))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(loc="center right", bbox_to_anchor=(1, 0.52))


def _rates(axes: Axes, dataset: xr.Dataset) -> None:
    for rule in RULES:
        # the first panel names them
        look: Any = {"label": "_hidden", "color": LOOKS[rule], "marker": "o"}
        style.band(axes, dataset.learning_rate, best(dataset, rule), **look)
    before = 100 * float(dataset.pretrained.median())
    look = {"color": "grey", "ls": "--", "lw": 1}
    axes.axhline(before, label="classes of the pre-training", **look)
    chance = 100 * dataset.attrs["chance"]
    axes.axhline(chance, color="grey", ls=":", lw=1, label="chance")
    axes.set(title="best epoch", xscale="log", ylim=(0, 100))
    axes.set(xlabel="learning rate of fine-tuning", ylabel="test accuracy (%)")
    axes.legend(loc="center right", bbox_to_anchor=(1, 0.36))


def _reductions(axes: Axes, dataset: xr.Dataset) -> None:
    rates = dataset.learning_rate
    look: Any = {"label": "EaPU", "color": LOOKS["eapu"], "marker": "o"}
    style.band(axes, rates, reduction(dataset), **look)
    theta = dataset.attrs["write_noise_uS"] * PUBLIC_R_WG
    law = [1 / float(ej.laws.adam_update_ratio(rate, theta)) for rate in rates.values]
    axes.plot(rates, np.array(law), color="0.4", ls=":", label="law, constant rate")
    style.published_line(axes, 1e4, "10^4, pre-trained", lw=1)
    axes.set(title="5f  writes: noisy backpropagation / EaPU")
    axes.set(xscale="log", yscale="log", xlabel="learning rate of fine-tuning")
    axes.set_ylabel("times fewer writes")
    axes.legend(loc="lower left")


_NOTE = (
    "half of the classes came before, without noise; the others, under a new head, are "
    "learnt on the arrays"
)
plot = style.panels((10.2, 3.6), [[_curves, _rates, _reductions]], _NOTE)
