"""The figure of `language`: learning curves, loss by writes, what is lost to ideal."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from experiments.deep.looks import NAMES, look
from experiments.figures import style
from experiments.figures.words import several

RULES = ("noisy", "eapu", "mixed_precision")
OPTIMIZERS = {"adam": "Adam", "lion": "Lion"}
SCREEN = {"adam": (1.826, 1.900), "lion": (1.821, 1.783)}
"""Validation loss, nats, of the public 8-block transformer on Shakespeare after 5,000
updates: digital, and analog with managed reads; AdamW and Lion. STATED: records of
arXiv 2609.36584. What a token is, is UNKNOWN; so is the width."""


def _fill(optimizer: str, rule: str) -> dict[str, Any]:
    """Lion is hollow and dotted, Adam filled; a rule keeps colour and marker."""
    if optimizer == "adam":
        return look(rule, linestyle="-")
    return look(rule, linestyle=":", label="_hidden", markerfacecolor="none")


def _curves(axes: Axes, dataset: xr.Dataset) -> None:
    middle = dataset.bits.median(("seed", "chip"))
    for optimizer in OPTIMIZERS:
        for rule in ("ideal", *RULES):
            values = middle.sel(rule=rule, optimizer=optimizer)
            axes.plot(dataset.epoch, values, **_fill(optimizer, rule))
    hollow: dict[str, Any] = {"color": "0.4", "ls": ":", "marker": "o", "mfc": "none"}
    axes.plot([], [], **hollow, label="hollow: the same with Lion")
    kinds = {"digital": "--", "analog": "-."}
    for value, (name, line) in zip(SCREEN["adam"], kinds.items(), strict=True):
        words = f"8 blocks, {name}"
        style.published_line(axes, value / np.log(2), words, ls=line, lw=1)
    noise, blocks = dataset.attrs["write_noise_uS"], dataset.attrs["blocks"]
    size = f"{blocks} blocks of {dataset.attrs['width']}"
    axes.set(title=f"{size}, SD = threshold = {noise:g} µS", xlabel="epoch")
    axes.set(ylabel="bits per character, held out")
    axes.set_xlim(0.5, dataset.sizes["epoch"] + 0.5)  # one epoch is a row of dots
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    style.key(axes)


def _writes(axes: Axes, dataset: xr.Dataset) -> None:
    for optimizer in OPTIMIZERS:
        for rule in RULES:
            at = dataset.sel(rule=rule, optimizer=optimizer)
            x, y = at.writes.values.ravel(), at.bits.isel(epoch=-1).values.ravel()
            dots: dict[str, Any] = {**_fill(optimizer, rule), "linestyle": "none"}
            axes.plot(x, y, **dots)
    axes.plot([], [], "o", color="0.4", mfc="none", label="hollow: with Lion")
    axes.set(title=f"after {dataset.attrs['steps']:,} updates", xscale="log")
    axes.set(xlabel="writes per cell", ylabel="bits per character, held out")
    style.decades(axes, "x")
    style.key(axes)


def lost(dataset: xr.Dataset) -> xr.DataArray:
    """Bits per character beyond those of the ideal rule, after the last epoch."""
    bits = dataset.bits.isel(epoch=-1)
    return bits - bits.sel(rule="ideal", drop=True)


def _lost(axes: Axes, dataset: xr.Dataset) -> None:
    rules = ("eapu", "mixed_precision")
    y = np.arange(len(rules))
    for n, (optimizer, name) in enumerate(OPTIMIZERS.items()):
        at = y + 0.36 * (n - 0.5)
        values = lost(dataset).sel(rule=list(rules), optimizer=optimizer)
        middle, bars = style.middle_half(values, "rule")
        how: Any = {"xerr": bars, "capsize": 2, "edgecolor": "black", "lw": 0.6}
        how |= {"color": ("0.55", "0.9")[n], "hatch": ("", "///")[n]}
        axes.barh(at, middle, 0.33, label=name, **how)
        digital, analog = SCREEN[optimizer]
        published = (analog - digital) / np.log(2)
        words = "8 blocks, analog" if n == 0 else "_"
        drawn = style.published(axes, [published], [at[1]], label=words, color="black")
        drawn.set(markersize=7, markeredgewidth=1.6)
        if n:
            drawn.set_label("_hidden")
    axes.axvline(0, color="black", lw=0.8)
    axes.set_yticks(y, [NAMES[rule].replace(" ", "\n") for rule in rules])
    axes.invert_yaxis()
    axes.set(title="lost against ideal", xlabel="bits per character (less is better)")
    style.key(axes, ncols=3)


def note(dataset: xr.Dataset) -> str:
    """What each rule loses, and how many times fewer writes it needs."""
    over = ("seed", "chip")
    gone, writes = lost(dataset).median(over), dataset.writes.median(over)
    told = []
    for rule in ("eapu", "mixed_precision"):
        found = [
            f"{float(gone.sel(rule=rule, optimizer=optimizer)):+.3f} with {name} at "
            f"{float(writes.sel(rule=rule, optimizer=optimizer)):.2g} writes per cell"
            for optimizer, name in OPTIMIZERS.items()
        ]
        told.append(f"{NAMES[rule]} {several(found)}")
    eapu, mixed = (
        gone.sel(rule=rule, drop=True) for rule in ("eapu", "mixed_precision")
    )
    winners = [
        name
        for o, name in OPTIMIZERS.items()
        if eapu.sel(optimizer=o) < mixed.sel(optimizer=o)
    ]
    return (
        f"bits per character lost against ideal (medians): {'; '.join(told)}. EaPU "
        f"loses less than mixed precision with {several(winners, 'no optimizer')}. "
        "Both optimizers at the learning rate that is best for the ideal rule. "
        "Published: 8 blocks on a Shakespeare text after 5,000 updates with AdamW (and "
        "Lion), bits per token, width and tokens unknown"
    )


plot = style.panels(
    (7.0, 7.2), [[_curves, _writes], [_lost, _lost]], note, height_ratios=(2.2, 1)
)
