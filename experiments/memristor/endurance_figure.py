"""The figure of `endurance`: writes, lifetimes, survival, wear of the first layer."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from experiments.figures import style

STEPS_OF_RESNET152 = 39_100
"""Of one training on CIFAR: 100 epochs of 50,000 images in batches of 128."""
TITLES = {"adam": "EaPU, Adam", "sgd": "EaPU, SGD", "noisy": "noisy backpropagation"}
TITLES |= {"mixed_precision": "mixed precision", "pulse_train": "pulse trains"}
TITLES |= {"residual_learning": "residual learning", "multi_tile": "multi-tile"}
_COLOURS = dict(zip(TITLES, (*style.COLOURS, "0.35"), strict=True))
_WIDE = {"adam": 3.5}
"""Pulse trains write as often as EaPU: theirs is drawn upon its line."""
PUBLISHED_LIFETIME = 1000.0
"""About; = 1 / 0.86 per mille for ResNet152. STATED in press coverage alone."""


def _tail(axes: Axes, dataset: xr.Dataset) -> None:
    share = (dataset.cells / dataset.cells.sum("writes")).sortby("writes", False)
    steps = int(dataset.writes[-1])
    at = np.unique(np.geomspace(1, steps, 200).astype(int))
    beyond = share.cumsum("writes").assign_coords(writes=share.writes).sel(writes=at)
    for case in dataset.case.values:
        values = beyond.sel(case=case)
        look: Any = {"color": _COLOURS[case], "lw": _WIDE.get(case, 1.2)}
        style.band(axes, values.writes, values, label=TITLES[case], **look)
    floor = 0.5 / float(dataset.cells.sum("writes").max())
    axes.set(title=f"writes per cell in {steps:,} steps", xlabel="n", xscale="log")
    axes.set(ylabel="share of cells with at least n writes", yscale="log")
    axes.set_ylim(floor, 2)
    axes.legend(loc="lower right", fontsize=7)


def _lifetimes(axes: Axes, dataset: xr.Dataset) -> None:
    places = np.arange(dataset.sizes["case"])
    labels = {
        "lifetime": "mean cell",
        "lifetime_99": "99th percentile",
        "lifetime_worst": "most written cell",
    }
    for shift, (name, label) in zip((-0.25, 0, 0.25), labels.items(), strict=True):
        middle, error = style.middle_half(dataset[name], "case")
        axes.bar(places + shift, middle, 0.24, yerr=error, label=label)
        look: Any = {"ha": "center", "va": "bottom", "fontsize": 6.5}
        for place, value in zip(places + shift, middle, strict=True):
            text = f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
            axes.annotate(text, (place, value), **look)
    axes.axhline(PUBLISHED_LIFETIME, color="black", ls="--", lw=1)
    text = "published (press): about 1000"
    axes.annotate(text, (-0.4, PUBLISHED_LIFETIME * 1.1), fontsize=8)
    names = [TITLES[c].replace(" ", "\n") for c in dataset.case.values]
    names = [name.replace("backprop", "back-\nprop") for name in names]
    axes.set_xticks(places, names, fontsize=8)
    axes.set(title="lifetime factor: steps / writes", yscale="log", ylim=(0.5, 2e5))
    axes.legend(loc="upper right")


def _map(axes: Axes, dataset: xr.Dataset) -> None:
    case = "sgd" if "sgd" in dataset.case else dataset.case.values[0]
    mean = dataset.by_pixel.sel(case=case).mean("seed")
    image = axes.imshow(mean, cmap="viridis")
    axes.set_title(f"first layer, mean writes by pixel\n({TITLES[case]})")
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    style.colorbar(axes, image, "writes per cell", shrink=0.8)


def _worn(axes: Axes, dataset: xr.Dataset) -> None:
    for case in dataset.case.values:
        for bears, line in (("low", "-"), ("value", "--")):
            values = 100 * dataset.worn.sel(case=case, bears=bears)
            look: Any = {"color": _COLOURS[case], "ls": line}
            look |= {"lw": _WIDE.get(case, 1.2)}
            label = TITLES[case] if bears == "low" else ""
            style.band(axes, values.ahead, values, label=label, **look)
    axes.plot([], [], "k-", label="cells bear 10,000 pulses")
    axes.plot([], [], "k--", label="cells bear 10 million")
    axes.axvline(STEPS_OF_RESNET152, color="black", ls=":", label="ResNet-152, once")
    axes.set(title="worn out", xlabel="steps of training, this one repeated")
    axes.set(xscale="log", ylabel="share of cells worn out (%)")
    axes.set(yscale="log", ylim=(1e-3, 300), xlim=(1e2, 1e13))
    axes.legend(loc="center right", fontsize=7)


def _lasts(axes: Axes, dataset: xr.Dataset) -> None:
    """From the lowest endurance with the longest loop to the highest with none."""
    places = np.arange(dataset.sizes["case"])[::-1]
    known = {
        "first": ("first cell", "o", 0.15),
        "1 %": ("1 % of the cells", "s", -0.15),
    }
    for (worn, (label, marker, shift)), colour in zip(
        known.items(), style.COLOURS[2::-1], strict=False
    ):
        steps = dataset.lasts.sel(worn_cells=worn).median(("seed", "chip"))
        low, value, high = (steps.sel(end=e) for e in ("low", "value", "high"))
        look: Any = {"color": colour, "alpha": 0.4, "lw": 3}
        axes.hlines(places + shift, low, high, **look)
        axes.plot(value, places + shift, marker, color=colour, label=label)
    axes.axvline(dataset.sizes["writes"] - 1, color="black", label="this training")
    axes.axvline(STEPS_OF_RESNET152, color="black", ls=":", label="ResNet-152, once")
    axes.set_yticks(places, [TITLES[c] for c in dataset.case.values])
    axes.set(title="does the chip outlive its training?", xscale="log")
    axes.set(xlabel="steps until cells are worn", xlim=(10, 1e17))
    axes.legend(loc="upper right", fontsize=7)


plot = style.panels(
    (15, 8),
    [[_tail, _lifetimes, _map], [_worn, _lasts, _lasts]],
    width_ratios=(1, 1, 0.8),
    note="a chip lasts as long as its most written cell, not its mean one; endurance "
    "of 1e4 to 1e9 pulses published for memristors (NVMExplorer); worn out: its lower "
    "end and its middle, 10 pulses a write (ASSUMED); does it outlive: from 1e4 at 100 "
    "pulses a write to 1e9 at one, markers 1e7 at 10; a cell that was not written here "
    "never wears; rules with several arrays have several cells per weight, and write "
    "one of them at every step",
)
