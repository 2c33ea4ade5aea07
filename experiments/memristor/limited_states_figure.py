"""The figure of `limited_states`: accuracies by rule, and the least squares."""

from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from experiments.figures import style
from experiments.memristor.contest.entrants import NAMES

TITLES = {"lenet": "LeNet-5, {} states", "fcn": "sigmoid MLP, {:,} states"}
CURVES = ("eapu", "mixed_precision", "tiki_taka", "residual_learning", "multi_tile")
TOY = {
    "pulse_train": "one array",
    "tiki_taka": "Tiki-Taka",
    "residual_learning": "residual learning",
}


def _final(setting: str, axes: Axes, dataset: xr.Dataset) -> None:
    accuracy = 100 * dataset[f"final_{setting}"]
    middle, error = style.middle_half(accuracy, "rule")
    places = np.arange(dataset.sizes["rule"])[::-1]
    axes.errorbar(middle, places, xerr=error, fmt="o", capsize=2, label="rules")
    pulses = dataset[f"pulses_{setting}"].median("chip")
    axes.set_yticks(places, [_named(one) for one in pulses], fontsize=style.SMALL)
    digital = 100 * float(dataset[f"digital_{setting}"])
    axes.axvline(digital, color="black", lw=0.8, label="digital, no array")
    axes.axvline(10, color="grey", ls=":", label="chance")
    axes.set(xlabel="test accuracy (%)", xlim=(0, 102))
    axes.set_title(TITLES[setting].format(dataset.attrs[f"{setting}_states"]))
    style.key(axes, ncols=2, columnspacing=1)


def _named(pulses: xr.DataArray) -> str:
    """A rule; one that never wrote has trained its digital biases alone."""
    name = NAMES[pulses.rule.item()]
    return name if float(pulses) else f"{name}\n(wrote nothing)"


def _curves(setting: str, axes: Axes, dataset: xr.Dataset) -> None:
    shown = [r for r in CURVES if r in dataset.rule.values]
    for n, rule in enumerate(shown):
        accuracy = 100 * dataset[f"accuracy_{setting}"].sel(rule=rule)
        epochs = accuracy[f"epoch_{setting}"] + 1
        look: Any = style.look(n)
        style.band(axes, epochs, accuracy, label=NAMES[rule], **look)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=1))
    axes.set(xlabel="epoch", ylabel="test accuracy (%)", ylim=(0, 102))
    axes.set_title(TITLES[setting].format(dataset.attrs[f"{setting}_states"]))
    style.key(axes)


def _toy(axes: Axes, dataset: xr.Dataset) -> None:
    for n, rule in enumerate(dataset.toy_rule.values):
        for reference, line in ((0.0, "--"), (1.0, "-")):
            end = dataset.toy_end.sel(toy_rule=rule, reference=reference)
            look: Any = style.look(n, linestyle=line)
            label = TOY[rule] if reference else ""
            style.band(axes, end.uneven, end, label=label, **look)
    axes.plot([], [], "k-", label="read 0 at the symmetric point")
    axes.plot([], [], "k--", label="read 0 at the middle")
    axes.xaxis.set_major_locator(MaxNLocator(4))
    style.decades(axes)
    axes.set(xlabel="pulses down smaller by (share)")
    axes.set(ylabel="loss at the end (squared error)", title="least squares, 100 x 50")
    style.key(axes)


def says(dataset: xr.Dataset) -> str:
    """Which rule comes nearest to digital in each setting, and how near."""
    told = []
    for setting, title in TITLES.items():
        found = 100 * dataset[f"final_{setting}"]
        found = found.median([d for d in found.dims if d != "rule"]).fillna(-1)
        order = found.rule.values[np.argsort(-found.values, kind="stable")]
        digital = 100 * float(dataset[f"digital_{setting}"])
        words = f"{NAMES[order[0]]} reaches {float(found.sel(rule=order[0])):.0f} %"
        if "eapu" in order[1:]:
            words += f", EaPU {float(found.sel(rule='eapu')):.0f}"
        title = title.format(dataset.attrs[f"{setting}_states"])
        told.append(f"{title}: {words}, digital {digital:.0f}")
    ends = dataset.toy_end.median([d for d in dataset.toy_end.dims if d in _WHO])
    ratio = ends.sel(reference=0.0) / ends.sel(reference=1.0)
    worst = float(ratio.max())
    return (
        f"{'. '.join(told)}. In the least squares it matters where 0 is read: off the "
        f"symmetric point the loss ends up to {worst:,.3g} times as high. Rules with "
        "their public numbers, trainings far shorter than the public ones; published "
        "accuracies: UNKNOWN; least squares: steps of 1e-4, as published"
    )


_WHO = ("chip", "seed")
_LENET, _FCN = partial(_final, "lenet"), partial(_final, "fcn")

plot = style.panels(
    (style.WIDTH, 12.5),
    [
        [_LENET, _LENET],
        [_FCN, _FCN],
        [partial(_curves, "lenet"), _toy],
    ],
    says,
)
