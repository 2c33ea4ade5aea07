"""The figure of `language_converters`: loss and writes, by what is aligned."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from experiments.deep.language_figure import SCREEN
from experiments.figures import style

NAMES = {
    ("fixed", "fixed"): "neither",
    ("fixed", "width_aware"): "width-\naware\nmapping",
    ("aligned", "fixed"): "aligned\nconver-\nters",
    ("aligned", "width_aware"): "both",
}


def _of(values: xr.DataArray, which: tuple[str, str]) -> xr.DataArray:
    return values.sel(alignment=which[0], mapping=which[1])


def _dots(axes: Axes, values: xr.DataArray) -> None:
    for n, which in enumerate(NAMES):
        seeds = _of(values, which).values.ravel()
        look: Any = style.look(n, linestyle="none", alpha=0.8)
        axes.plot(n + 0.12 * np.linspace(-1, 1, len(seeds)), seeds, **look)
    axes.set_xticks(range(len(NAMES)), list(NAMES.values()))
    axes.margins(x=0.15)


def _bits(axes: Axes, dataset: xr.Dataset) -> None:
    _dots(axes, dataset.bits.isel(epoch=-1))
    ideal = float(dataset.ideal.isel(epoch=-1).median())
    axes.axhline(ideal, color="black", ls="-", lw=1, label="ideal, no arrays")
    lines = (("digital", ":"), ("analog", "-."))
    for value, (name, line) in zip(SCREEN["adam"], lines, strict=True):
        words = f"8 blocks, {name}"
        style.published_line(axes, value / np.log(2), words, ls=line, lw=1.2)
    noise = dataset.attrs["write_noise_uS"]
    title = f"EaPU, SD = threshold = {noise:g} µS,\n{dataset.attrs['steps']:,} updates"
    axes.set(title=title, ylabel="bits per character, held out")
    axes.margins(y=0.1)
    style.key(axes, drop=50)


def _writes(axes: Axes, dataset: xr.Dataset) -> None:
    _dots(axes, 1000 * dataset.update_ratio)
    title = "cells written per step"
    axes.set(title=title, ylabel="update ratio (per mille)")
    axes.set_ylim(0, 1.1 * axes.get_ylim()[1])


def note(dataset: xr.Dataset) -> str:
    """How much of the loss each of both cures takes away, and what it costs."""
    over = ("seed", "chip")
    ideal = float(dataset.ideal.isel(epoch=-1).mean())
    lost = dataset.bits.isel(epoch=-1).mean(over) - ideal
    ratio = 1000 * dataset.update_ratio.mean(over)
    words = ("neither", "the mapping alone", "the converters alone", "both")
    found = [
        f"{float(_of(lost, which)):+.2f} bits and {float(_of(ratio, which)):.1f} per "
        f"mille with {name}"
        for which, name in zip(NAMES, words, strict=True)
    ]
    neither, mapping, converters, _ = (float(_of(lost, which)) for which in NAMES)
    return (
        "products and gradients pass converters; a marker is a seed. Mean loss beyond "
        f"the ideal one, and cells written per step: {'; '.join(found)}. Aligned "
        f"converters win back {neither - converters:.2f} bits, the width-aware mapping "
        f"{neither - mapping:z.2f} bits. Published: a larger network, another text, "
        "5,000 updates, another rule: a landmark, not a comparison"
    )


plot = style.panels((7.0, 4.6), [[_bits, _writes]], note)
