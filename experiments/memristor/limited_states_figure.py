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
    axes.errorbar(middle, places, xerr=error, fmt="o", capsize=2)
    pulses = dataset[f"pulses_{setting}"].median("chip")
    axes.set_yticks(places, [_named(one) for one in pulses], fontsize=7)
    digital = 100 * float(dataset[f"digital_{setting}"])
    axes.axvline(digital, color="black", lw=0.8, label="digital, no array")
    axes.axvline(10, color="grey", ls=":", label="chance")
    axes.set(xlabel="test accuracy (%)", xlim=(0, 102))
    axes.set_title(TITLES[setting].format(dataset.attrs[f"{setting}_states"]))
    axes.legend(loc="upper left", bbox_to_anchor=(0.22, 1), fontsize=7)


def _named(pulses: xr.DataArray) -> str:
    """A rule; one that never wrote has trained its digital biases alone."""
    name = NAMES[pulses.rule.item()]
    return name if float(pulses) else f"{name}\n(wrote nothing)"


def _curves(setting: str, axes: Axes, dataset: xr.Dataset) -> None:
    shown = [r for r in CURVES if r in dataset.rule.values]
    for rule, colour in zip(shown, style.COLOURS, strict=False):
        accuracy = 100 * dataset[f"accuracy_{setting}"].sel(rule=rule)
        epochs = accuracy[f"epoch_{setting}"] + 1
        look: Any = {"color": colour, "marker": "o", "ms": 3}
        style.band(axes, epochs, accuracy, label=NAMES[rule], **look)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="epoch", ylabel="test accuracy (%)", ylim=(0, 102))
    axes.set_title(TITLES[setting].format(dataset.attrs[f"{setting}_states"]))
    axes.legend(fontsize=7)


def _toy(axes: Axes, dataset: xr.Dataset) -> None:
    for rule, colour in zip(dataset.toy_rule.values, style.COLOURS, strict=False):
        for reference, line in ((0.0, "--"), (1.0, "-")):
            end = dataset.toy_end.sel(toy_rule=rule, reference=reference)
            look: Any = {"color": colour, "ls": line, "marker": "o", "ms": 3}
            label = TOY[rule] if reference else ""
            style.band(axes, end.uneven, end, label=label, **look)
    axes.plot([], [], "k-", label="read 0 at the symmetric point")
    axes.plot([], [], "k--", label="read 0 at the middle")
    axes.set(yscale="log", xlabel="pulses downwards are smaller by")
    axes.set(ylabel="loss at the end", title="least squares, 100 x 50")
    axes.set_ylim(float(dataset.toy_end.min()) / 100)
    axes.legend(fontsize=7, loc="lower right", ncols=2)


plot = style.panels(
    (12, 7.6),
    [
        [partial(_final, "lenet"), partial(_final, "fcn")],
        [partial(_curves, "lenet"), _toy],
    ],
    note="rules with their public numbers, trainings far shorter than the public ones; "
    "published accuracies: UNKNOWN; least squares: steps of 1e-4, as published",
)
