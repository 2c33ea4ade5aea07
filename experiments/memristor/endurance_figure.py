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
_LOOKS = {case: style.look(n, markevery=0.15, ms=4) for n, case in enumerate(TITLES)}
_LOOKS["multi_tile"] |= {"color": "0.35", "linestyle": (0, (1, 1)), "marker": "X"}
PUBLISHED_LIFETIME = 1000.0
"""About; = 1 / 0.86 per mille for ResNet152. STATED in press coverage alone."""


def _tail(axes: Axes, dataset: xr.Dataset) -> None:
    share = (dataset.cells / dataset.cells.sum("writes")).sortby("writes", False)
    steps = int(dataset.writes[-1])
    at = np.unique(np.geomspace(1, steps, 200).astype(int))
    beyond = share.cumsum("writes").assign_coords(writes=share.writes).sel(writes=at)
    for case in dataset.case.values:
        values = beyond.sel(case=case)
        style.band(axes, values.writes, values, label=TITLES[case], **_LOOKS[case])
    floor = 0.5 / float(dataset.cells.sum("writes").max())
    axes.set(title=f"writes per cell in {steps:,} steps", xlabel="writes of a cell, n")
    axes.set(ylabel="share of cells with at least n", yscale="log")
    style.decades(axes, "x")
    axes.xaxis.set_minor_formatter("")
    axes.set_ylim(floor, 2)
    style.key(axes)


def _lifetimes(axes: Axes, dataset: xr.Dataset) -> None:
    places = np.arange(dataset.sizes["case"])
    labels = {
        "lifetime": ("mean cell", "0.45", ""),
        "lifetime_99": ("99th percentile", style.COLOURS[5], "//"),
        "lifetime_worst": ("most written cell", style.COLOURS[1], ".."),
    }
    for shift, (name, (label, colour, hatch)) in zip(
        (-0.27, 0, 0.27), labels.items(), strict=True
    ):
        middle, error = style.middle_half(dataset[name], "case")
        bars: Any = {"color": colour, "hatch": hatch, "edgecolor": "white"}
        axes.bar(places + shift, middle, 0.26, yerr=error, label=label, **bars)
        look: Any = {"ha": "center", "va": "bottom", "fontsize": style.SMALL}
        for place, value, more in zip(places + shift, middle, error[1], strict=True):
            text = f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
            axes.annotate(text, (place, value + more), **look)
    about = f"about {PUBLISHED_LIFETIME:,.0f}, in the press"
    style.published_line(axes, PUBLISHED_LIFETIME, about, lw=1)
    names = [TITLES[c].replace(" ", "\n") for c in dataset.case.values]
    names = [name.replace("backprop", "back-\nprop") for name in names]
    axes.set_xticks(places, names, fontsize=style.SMALL)
    axes.set(title="lifetime: steps of training per write of a cell", yscale="log")
    top = float(dataset.lifetime.max())
    axes.set(ylabel="steps per write", ylim=(0.5, 8 * max(top, 1000)))
    style.key(axes, drop=50, ncols=2)


def _map(axes: Axes, dataset: xr.Dataset) -> None:
    case = "sgd" if "sgd" in dataset.case else dataset.case.values[0]
    mean = dataset.by_pixel.sel(case=case).mean("seed")
    image = axes.imshow(mean, cmap="viridis")
    axes.set_title(f"first layer, by pixel\n({TITLES[case]})")
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    style.colorbar(axes, image, "writes per cell, mean", shrink=0.8)


def _worn(axes: Axes, dataset: xr.Dataset) -> None:
    for case in dataset.case.values:
        for bears, line in (("low", "-"), ("value", "--")):
            values = 100 * dataset.worn.sel(case=case, bears=bears)
            look: Any = _LOOKS[case] | {"linestyle": line}
            style.band(axes, values.ahead, values, label="", **look)
    axes.plot([], [], "k-", label="cells bear 10,000 pulses")
    axes.plot([], [], "k--", label="cells bear 10 million")
    axes.axvline(STEPS_OF_RESNET152, color="black", ls=":", label=_ONCE)
    axes.set(title="worn out", xlabel="steps, this training repeated")
    axes.set(xscale="log", ylabel="share of cells worn out (%)")
    axes.set(yscale="log", ylim=(1e-3, 300), xlim=(1e2, 1e10))
    style.key(axes)


_ONCE = "one training of ResNet-152"


def _lasts(axes: Axes, dataset: xr.Dataset) -> None:
    """From the lowest endurance with the longest loop to the highest with none."""
    places = np.arange(dataset.sizes["case"])[::-1]
    known = {"first": ("first cell", 0, 0.15), "1 %": ("1 % of the cells", 1, -0.15)}
    for worn, (label, n, shift) in known.items():
        steps = dataset.lasts.sel(worn_cells=worn).median(("seed", "chip"))
        low, value, high = (steps.sel(end=e) for e in ("low", "value", "high"))
        look: Any = style.look(n, linestyle="none", ms=6)
        bar: Any = {"color": look["color"], "alpha": 0.4, "lw": 3}
        axes.hlines(places + shift, low, high, **bar)
        axes.plot(value, places + shift, label=f"worn: {label}", **look)
    axes.axvline(dataset.sizes["writes"] - 1, color="black", label="this training")
    axes.axvline(STEPS_OF_RESNET152, color="black", ls=":", label=_ONCE)
    names = [TITLES[c] for c in dataset.case.values]
    names = [n.replace(" ", "\n", 1) if len(names) < 5 else n for n in names]
    axes.set_yticks(places, names, fontsize=style.SMALL)
    axes.set(title="does the chip outlive its training?", xscale="log")
    axes.set(xlabel="steps until cells are worn", ylim=(-0.6, len(places) - 0.4))
    style.key(axes)


def says(dataset: xr.Dataset) -> str:
    """How much less the most written cell lasts than the mean one, and for what."""
    middle = dataset[["lifetime", "lifetime_worst"]].median(("seed", "chip"))
    first = dataset.lasts.sel(worn_cells="first", end="low").median(("seed", "chip"))
    told, short = [], []
    for case in dataset.case.values:
        mean, worst = (float(middle[v].sel(case=case)) for v in middle)
        told.append(f"{TITLES[case]} {mean:,.3g} and {worst:,.3g}")
        if float(first.sel(case=case)) < STEPS_OF_RESNET152:
            short.append(TITLES[case])
    which = ", ".join(short) if short else "no rule"
    return (
        "A chip lasts as long as its most written cell, not its mean one. Steps per "
        f"write of the mean and of the most written cell: {'; '.join(told)}. With the "
        "least endurance and the longest write loop the first cell wears out before "
        f"one training of ResNet-152 ends under {which}. Endurance of 10⁴ to 10⁹ "
        "pulses is published for memristors (NVMExplorer); worn out: its lower end and "
        "its middle, 10 pulses a write (ASSUMED); last panel: from 10⁴ at 100 "
        "pulses a write to 10⁹ at one, markers 10⁷ at 10. A cell not written "
        "here never wears; rules with several arrays write one of them at every step"
    )


plot = style.panels(
    (style.WIDTH, 11),
    [[_tail, _worn], [_lifetimes, _lifetimes], [_lasts, _map]],
    says,
    width_ratios=(1, 0.9),
)
