"""The figure of `language_converters`."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from experiments.deep.language_figure import SCREEN
from experiments.figures import style

NAMES = {
    ("fixed", "fixed"): "neither",
    ("fixed", "width_aware"): "width-aware\nmapping",
    ("aligned", "fixed"): "aligned\nconverters",
    ("aligned", "width_aware"): "both",
}


def _of(values: xr.DataArray, which: tuple[str, str]) -> xr.DataArray:
    return values.sel(alignment=which[0], mapping=which[1])


def _bits(axes: Axes, dataset: xr.Dataset) -> None:
    for n, which in enumerate(NAMES):
        values = _of(dataset.bits, which).isel(epoch=-1).values.ravel()
        look: Any = {**style.DOTS, "color": style.COLOURS[n]}
        axes.plot(np.full(len(values), n), values, **look)
    ideal = float(dataset.ideal.isel(epoch=-1).median())
    axes.axhline(ideal, color="black", ls="--", lw=1, label="ideal, no arrays")
    for value, (name, line) in zip(
        SCREEN["adam"], (("digital", ":"), ("analog", "-.")), strict=True
    ):
        style.published_line(
            axes, value / np.log(2), f"8 blocks, {name}", ls=line, lw=1
        )
    axes.set_xticks(range(len(NAMES)), list(NAMES.values()))
    noise = dataset.attrs["write_noise_uS"]
    title = f"EaPU, SD = threshold = {noise:g} µS,\n{dataset.attrs['steps']:,} updates"
    axes.set(title=title, ylabel="bits per character, held out")
    axes.margins(x=0.15)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.35 * (high - low))  # room for the legend
    axes.legend(loc="upper right")


def _writes(axes: Axes, dataset: xr.Dataset) -> None:
    for n, which in enumerate(NAMES):
        values = 1000 * _of(dataset.update_ratio, which).values.ravel()
        look: Any = {**style.DOTS, "color": style.COLOURS[n]}
        axes.plot(np.full(len(values), n), values, **look)
    axes.set_xticks(range(len(NAMES)), list(NAMES.values()))
    axes.set(title="cells written per step", ylabel="update ratio (per mille)")
    axes.set_ylim(0, 1.1 * axes.get_ylim()[1])
    axes.margins(x=0.15)


plot = style.panels(
    (8.2, 3.6),
    [[_bits, _writes]],
    "products and gradients through converters (default: 16 bits in, 9 out); a dot is "
    "a seed; published: a larger network, another text, 5,000 updates, another rule: "
    "a landmark, not a comparison",
)
