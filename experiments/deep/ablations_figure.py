"""The figure of `ablations`."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from experiments.figures import style

REFERENCES = ("plain", "one_for_all")
NAMES = {
    "plain": "plain EaPU",
    "residual_1": "residual of 1 bit",
    "residual_3": "residual of 3 bits",
    "falling": "threshold falls fourfold",
    "rising": "threshold rises fourfold",
    "one_for_all": "one threshold for all layers",
    "own": "each layer's own",
}
LOOKS = dict(zip(NAMES, ("black", *style.COLOURS), strict=True))
ALIKE = ("plain", "residual_1", "residual_3", "falling", "rising")


def _lines(axes: Axes, dataset: xr.Dataset, variants: tuple[str, ...]) -> None:
    over = ("seed", "chip")
    for name in variants:
        one = dataset.sel(variant=name).dropna("strength", how="all", subset=["bits"])
        x = one.writes.median(over)
        middle, bars = style.middle_half(one.bits, "strength")
        look: Any = {"label": NAMES[name], "color": LOOKS[name], "yerr": bars}
        axes.errorbar(x, middle, marker="o", capsize=2, lw=1.2, **look)
    ideal = float(dataset.ideal.median())
    axes.axhline(ideal, color="grey", ls="--", lw=1, label="ideal")
    style.decades(axes, "x")
    axes.set(xlabel="writes per cell", ylabel="bits per character, held out")
    axes.legend()


def _one_array(axes: Axes, dataset: xr.Dataset) -> None:
    _lines(axes, dataset, ALIKE)
    axes.set(title=f"{dataset.attrs['steps']:,} updates, several thresholds")


def _scaled(axes: Axes, dataset: xr.Dataset) -> None:
    _lines(axes, dataset, ("one_for_all", "own"))
    axes.set(title="arrays scaled to the width of their layer")


def _gains(axes: Axes, dataset: xr.Dataset) -> None:
    names = [name for name in NAMES if name not in REFERENCES]
    for n, name in enumerate(names):
        gained = dataset.gained.sel(variant=name).mean("strength")
        values = gained.values.ravel()
        axes.plot(np.full(len(values), n), values, **style.DOTS, color=LOOKS[name])
    axes.axhline(0, color="black", lw=0.8)
    short = [
        NAMES[name].removesuffix(" fourfold").replace(" ", "\n", 1) for name in names
    ]
    axes.set_xticks(range(len(names)), short, fontsize=6.5)
    axes.set(title="gained at equal writes, each seed", ylabel="bits per character")
    axes.margins(x=0.15)


plot = style.panels(
    (10.2, 3.8),
    [[_one_array, _scaled, _gains]],
    "a dot of the last panel: the mean over those thresholds whose writes lie between "
    "those of the reference, plain EaPU on like arrays",
)
