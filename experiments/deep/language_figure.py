"""The figure of `language`."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from experiments.figures import style

RULES = ("noisy", "eapu", "mixed_precision")
NAMES = {
    "ideal": "ideal",
    "noisy": "noisy backpropagation",
    "eapu": "EaPU",
    "mixed_precision": "mixed precision",
}
LOOKS = {
    "ideal": "black",
    "noisy": style.COLOURS[1],
    "eapu": style.COLOURS[0],
    "mixed_precision": style.COLOURS[2],
}
LINES = {"adam": "-", "lion": ":"}

SCREEN = {"adam": (1.826, 1.900), "lion": (1.821, 1.783)}
"""Validation loss, nats, of the public 8-block transformer on Shakespeare after 5,000
updates: digital, and analog with managed reads; AdamW and Lion. STATED: records of
arXiv 2609.36584. What a token is, is UNKNOWN; so is the width."""


def _curves(axes: Axes, dataset: xr.Dataset) -> None:
    for rule, colour in LOOKS.items():
        for optimizer, line in LINES.items():
            values = dataset.bits.sel(rule=rule, optimizer=optimizer)
            label = NAMES[rule] if optimizer == "adam" else "_hidden"
            look: Any = {"label": label, "color": colour, "ls": line, "marker": "."}
            style.band(axes, dataset.epoch, values, **look)
    axes.plot([], [], ":", color="grey", label="the same with Lion")
    for value, line in zip(SCREEN["adam"], ("--", "-."), strict=True):
        name = {"--": "8 blocks, digital", "-.": "8 blocks, analog"}[line]
        style.published_line(axes, value / np.log(2), name, ls=line, lw=0.8)
    noise, blocks = dataset.attrs["write_noise_uS"], dataset.attrs["blocks"]
    title = (
        f"{blocks} blocks of {dataset.attrs['width']}, SD = threshold = {noise:g} µS"
    )
    axes.set(title=title, xlabel="epoch", ylabel="bits per character, held out")
    axes.set_xlim(0.5, dataset.sizes["epoch"] + 0.5)  # one epoch is a row of dots
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.6 * (high - low))  # room for the legend
    axes.legend(loc="upper left")


def _lost(axes: Axes, dataset: xr.Dataset) -> None:
    bits = dataset.bits.isel(epoch=-1)
    lost = bits - bits.sel(rule="ideal")
    rules = ("eapu", "mixed_precision")
    for n, optimizer in enumerate(LINES):
        x = np.arange(len(rules)) + 0.3 * (n - 0.5)
        values = lost.sel(rule=list(rules), optimizer=optimizer)
        middle, bars = style.middle_half(values, "rule")
        look: Any = {"yerr": bars, "capsize": 2, "color": style.COLOURS[3 + n]}
        axes.bar(x, middle, 0.27, label=optimizer.capitalize(), **look)
        digital, analog = SCREEN[optimizer]
        published = (analog - digital) / np.log(2)
        drawn = style.published(axes, [x[1]], [published], label="8 blocks, analog")
        if n:
            drawn.set_label("_hidden")
    axes.axhline(0, color="black", lw=0.8)
    axes.set_xticks(range(len(rules)), [NAMES[rule] for rule in rules])
    axes.set(title="lost against ideal", ylabel="bits per character")
    axes.legend()


def _writes(axes: Axes, dataset: xr.Dataset) -> None:
    for rule in RULES:
        for optimizer, marker in (("adam", "o"), ("lion", "s")):
            at = dataset.sel(rule=rule, optimizer=optimizer)
            x, y = at.writes, at.bits.isel(epoch=-1)
            name = f"{NAMES[rule]}, {optimizer.capitalize()}"
            look: Any = {"label": name, "color": LOOKS[rule], "marker": marker}
            fill = LOOKS[rule] if optimizer == "adam" else "none"
            axes.plot(x.values.ravel(), y.values.ravel(), ls="none", mfc=fill, **look)
    axes.set(title=f"after {dataset.attrs['steps']:,} updates", xscale="log")
    axes.set(xlabel="writes per cell", ylabel="bits per character, held out")
    axes.legend()


plot = style.panels(
    (10.2, 3.8),
    [[_curves, _lost, _writes]],
    "published: 8 blocks on a Shakespeare text after 5,000 updates with AdamW (and "
    "Lion), bits per token, width and tokens unknown; both optimizers at the learning "
    "rate that is best for the ideal rule",
)
