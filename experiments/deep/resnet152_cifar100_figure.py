"""The figure of `resnet152_cifar100`: Fig. 5c, 5d, 5e and 5f."""

from typing import Any

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from experiments.deep.looks import NAMES, look
from experiments.deep.resnet_cifar10_figure import RULES, curve, reduction
from experiments.figures import style
from experiments.figures.words import several

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


def _curves(axes: Axes, dataset: xr.Dataset) -> None:
    for rule in ("ideal", *RULES):
        drawn: Any = look(rule, markersize=3)
        style.band(axes, dataset.epoch, curve(dataset, rule), **drawn)
    for rule, value in PUBLISHED.items():
        words = f"{value:g} % ({NAMES[rule]})"
        how: Any = {"color": look(rule)["color"], "ls": look(rule)["linestyle"]}
        how |= {"marker": "D", "mfc": "none", "markevery": [0, 1], "lw": 1}
        style.published_line(axes, value, words, **how)
    chance: Any = {"color": "grey", "ls": (0, (1, 1)), "lw": 1, "label": "chance here"}
    axes.axhline(100 * dataset.attrs["chance"], **chance)
    title = f"5c  {name(dataset)}, SD {dataset.attrs['write_noise_uS']:g} µS"
    axes.set(title=title, xlabel="epoch", ylabel="test accuracy (%)", ylim=(-2, 100))
    axes.set_xlim(0.5, dataset.sizes["epoch"] + 0.5)  # one epoch is no line
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    style.key(axes)


def _over_training(axes: Axes, dataset: xr.Dataset) -> None:
    values = 1000 * dataset.span_ratio.sel(rule="eapu")
    written = values.where(values > 0).dropna("span", how="all")
    drawn: Any = look("eapu", markersize=3)
    style.band(axes, written.span, written, **drawn)
    style.published_line(axes, CEILING, f"below {CEILING:g}", lw=1)
    style.published_line(axes, MEAN, f"mean {MEAN:g} (press)", lw=1, ls=":")
    axes.set(title="5d  EaPU over training", xlabel="part of training (%)")
    axes.set_ylabel("cells written per step (per mille)")
    style.decades(axes)
    style.key(axes)


def _per_layer(axes: Axes, dataset: xr.Dataset) -> None:
    layers = (1000 * dataset.layer_ratio.sel(rule="eapu")).median(("seed", "chip"))
    for i, share in enumerate(SHOWN):
        part = layers.isel(span=int(share * dataset.sizes["span"]))
        label = f"at {float(part.span):.0f} % of it"
        drawn: Any = style.look(i, label=label, markersize=3, linewidth=1)
        axes.plot(dataset.layer, part.where(part > 0), **drawn)
    axes.set(title="5e  EaPU by layer")
    style.decades(axes)
    axes.set(xlabel="matrix, from the input on")
    axes.set(ylabel="cells written per step (per mille)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    style.key(axes, ncols=2)


def _reductions(axes: Axes, dataset: xr.Dataset) -> None:
    ratio = 1000 * dataset.update_ratio.sel(rule=list(RULES))
    middle, error = style.middle_half(ratio, "rule")
    for i, rule in enumerate(RULES):
        bar: Any = {"color": look(rule)["color"], "hatch": ("///", "")[i]}
        axes.bar(i, middle[i], yerr=error[:, i : i + 1], width=0.6, **bar)
    axes.set_title("5f  whole training")
    axes.set_xticks(range(2), [NAMES[rule].replace(" ", "\n") for rule in RULES])
    style.decades(axes)
    axes.set(ylabel="cells written per step (per mille)")
    axes.set_ylim(middle.min() / 10, 2 * middle.max())


def note(dataset: xr.Dataset) -> str:
    """Accuracies and writes, beside the published ones."""
    after = {
        rule: float(curve(dataset, rule).isel(epoch=-1).median())
        for rule in ("ideal", *RULES)
    }
    told = ", ".join(f"{NAMES[rule]} {value:.1f} %" for rule, value in after.items())
    fewer = float(reduction(dataset).median())
    mean = 1000 * float(dataset.update_ratio.sel(rule="eapu").median())
    chance = 100 * dataset.attrs["chance"]
    learnt = [NAMES[rule] for rule, value in after.items() if value > 2 * chance]
    return (
        f"after the last epoch: {told}; above twice chance ({chance:g} %): "
        f"{several(learnt)}. EaPU writes {mean:.2g} per mille of the cells per step, "
        f"{fewer:,.0f} times fewer than noisy backpropagation (published: over 1,000, "
        "by ResNet-152 on CIFAR-100, whose chance is 1 %). 5c to 5f: panels of the "
        "paper; where no cell is written no mark is"
    )


_ROWS = [_curves, _over_training], [_per_layer, _reductions]
plot = style.panels((7.0, 8.2), _ROWS, note)
