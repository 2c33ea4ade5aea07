"""The figure of `endurance`: survival, lifetimes, where the first layer wears."""

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
PUBLISHED_LIFETIME = 1000.0
"""About; = 1 / 0.86 per mille for ResNet152. STATED in press coverage alone."""


def _tail(axes: Axes, dataset: xr.Dataset) -> None:
    share = (dataset.cells / dataset.cells.sum("writes")).sortby("writes", False)
    steps = int(dataset.writes[-1])
    at = np.unique(np.geomspace(1, steps, 200).astype(int))
    beyond = share.cumsum("writes").assign_coords(writes=share.writes).sel(writes=at)
    for case in dataset.case.values:
        values = beyond.sel(case=case)
        style.band(axes, values.writes, values, label=TITLES[case])
    floor = 0.5 / float(dataset.cells.sum("writes").max())
    axes.set(title=f"writes per cell in {steps:,} steps", xlabel="n", xscale="log")
    axes.set(ylabel="share of cells with at least n writes", yscale="log")
    axes.set_ylim(floor, 2)
    axes.legend(loc="upper right", bbox_to_anchor=(1, 0.92))


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
        look: Any = {"ha": "center", "va": "bottom", "fontsize": "small"}
        for place, value in zip(places + shift, middle, strict=True):
            text = f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
            axes.annotate(text, (place, value), **look)
    axes.axhline(PUBLISHED_LIFETIME, color="black", ls="--", lw=1)
    text = "published (press): about 1000"
    axes.annotate(text, (-0.4, PUBLISHED_LIFETIME * 1.1), fontsize=8)
    names = [TITLES[c].replace(" back", "\nback") for c in dataset.case.values]
    axes.set_xticks(places, names)
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
    for number, case in enumerate(dataset.case.values):
        for bears, line in (("low", "-"), ("value", "--")):
            values = 100 * dataset.worn.sel(case=case, bears=bears)
            look: Any = {
                "color": style.COLOURS[number % len(style.COLOURS)],
                "ls": line,
            }
            label = TITLES[case] if bears == "low" else ""
            style.band(axes, values.ahead, values, label=label, **look)
    axes.plot([], [], "k-", label="cells bear 10,000 pulses")
    axes.plot([], [], "k--", label="cells bear 10 million")
    axes.axvline(STEPS_OF_RESNET152, color="black", ls=":", label="ResNet-152, once")
    axes.set(title="worn out", xlabel="steps of training, this one repeated")
    axes.set(xscale="log", ylabel="share of cells worn out (%)")
    axes.set(yscale="log", ylim=(1e-3, 300), xlim=(1e2, 1e13))
    axes.legend(loc="center right", fontsize=7)


plot = style.panels(
    (10, 7),
    [[_tail, _lifetimes], [_worn, _map]],
    note="worn out: 10 pulses a write (ASSUMED), endurance of 1e4 to 1e9 pulses "
    "published for memristors (NVMExplorer), here its lower end and its middle; a cell "
    "that was not written here never wears",
)
