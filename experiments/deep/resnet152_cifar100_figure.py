"""The figure of `resnet152_cifar100`: Fig. 5c, 5d, 5e and 5f."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from experiments.deep.resnet_cifar10_figure import LOOKS, NAMES, RULES, curve
from experiments.figures import style

PUBLISHED = {"noisy": 1.1, "eapu": 61.33}
"""Test accuracy in % of ResNet-152 on CIFAR-100, SD 2.4 µS. STATED, Fig. 5c."""
CEILING, MEAN = 1.4, 0.86
"""Update ratio of ResNet-152, per mille: always below (STATED, Fig. 5d), and on average
(in press coverage alone)."""
SHOWN = (0.0, 0.25, 0.5, 0.75, 0.85)
"""Parts of a training whose layers are drawn; near its end whole layers rest."""


def name(dataset: xr.Dataset) -> str:
    """What a residual network is called by."""
    return f"ResNet-{dataset.attrs['layers']}"


def reduction(dataset: xr.Dataset) -> xr.DataArray:
    """Writes of noisy backpropagation over that of EaPU, chip by chip."""
    ratio = dataset.update_ratio
    return ratio.sel(rule="noisy", drop=True) / ratio.sel(rule="eapu", drop=True)


def _curves(axes: Axes, dataset: xr.Dataset) -> None:
    for rule, colour in LOOKS.items():
        look: Any = {"label": NAMES[rule], "color": colour}
        style.band(axes, dataset.epoch, curve(dataset, rule), **look)
    for rule, value in PUBLISHED.items():
        look = {"color": LOOKS[rule], "lw": 1}
        style.published_line(axes, value, f"{value:g}, on CIFAR-100", **look)
    chance: Any = {"color": "grey", "ls": ":", "lw": 1, "label": "chance (ours)"}
    axes.axhline(100 * dataset.attrs["chance"], **chance)
    title = f"5c  {name(dataset)}, SD {dataset.attrs['write_noise_uS']:g} µS"
    axes.set(title=title, xlabel="epoch", ylabel="test accuracy (%)", ylim=(0, 100))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2)


def _over_training(axes: Axes, dataset: xr.Dataset) -> None:
    values = 1000 * dataset.span_ratio.sel(rule="eapu")
    look: Any = {"label": "EaPU", "color": LOOKS["eapu"]}
    style.band(axes, dataset.span, values, **look)
    style.published_line(axes, CEILING, f"below {CEILING:g}", lw=1)
    style.published_line(axes, MEAN, f"mean {MEAN:g} (press)", lw=1, ls=":")
    axes.set(title="5d  update ratio over training", xlabel="part of training (%)")
    axes.set_ylabel("cells written per step (per mille)")
    style.decades(axes)
    axes.legend(loc="lower left")


def _per_layer(axes: Axes, dataset: xr.Dataset) -> None:
    layers = 1000 * dataset.layer_ratio.sel(rule="eapu")
    for share in SHOWN:
        part = layers.isel(span=int(share * dataset.sizes["span"]))
        label = f"at {float(part.span):.0f} %"
        style.band(axes, dataset.layer, part, label=label, marker="o")
    axes.set(title="5e  update ratio per layer, at parts of the training")
    style.decades(axes)
    axes.set(xlabel="matrix, from the input on")
    axes.set(ylabel="cells written per step (per mille)")
    axes.set_ylim(axes.get_ylim()[0] / 5)  # room for the legend
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(loc="lower left", ncols=3, fontsize="x-small")


def _reductions(axes: Axes, dataset: xr.Dataset) -> None:
    ratio = 1000 * dataset.update_ratio.sel(rule=list(RULES))
    middle, error = style.middle_half(ratio, "rule")
    colours = [LOOKS[rule] for rule in RULES]
    axes.bar(np.arange(2), middle, yerr=error, color=colours, width=0.6)
    fewer = float(reduction(dataset).median())
    axes.set_title(f"5f  EaPU writes {fewer:,.0f} times fewer (published: over 1,000)")
    axes.set_xticks(range(2), [NAMES[rule] for rule in RULES])
    style.decades(axes)
    axes.set(ylabel="cells written per step (per mille)")
    axes.set_ylim(middle.min() / 10, 2 * middle.max())


_ROWS = [_curves, _over_training], [_per_layer, _reductions]
_NOTE = "published: ResNet-152 on CIFAR-100, whose chance is 1 %"
plot = style.panels((9.2, 6.4), _ROWS, _NOTE)
