"""The figure of `ablations`."""

from typing import Any

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator

from experiments.figures import style

REFERENCES = ("plain", "one_for_all")
NAMES = {
    "plain": "plain EaPU",
    "residual_1": "residual of 1 bit",
    "residual_3": "residual of 3 bits",
    "falling": "threshold falls fourfold",
    "rising": "threshold rises fourfold",
    "one_for_all": "one threshold for all layers",
    "own": "each layer's own threshold",
}
LOOKS = dict(zip(NAMES, ("black", *style.COLOURS[:4], "black", "#e69f00"), strict=True))
MARKERS = dict(zip(NAMES, "osD^vo^", strict=True))
ALIKE = ("plain", "residual_1", "residual_3", "falling", "rising")
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)


def _lines(axes: Axes, dataset: xr.Dataset, variants: tuple[str, ...]) -> None:
    over = ("seed", "chip")
    for name in variants:
        one = dataset.sel(variant=name).dropna("strength", how="all", subset=["bits"])
        x = one.writes.median(over)
        middle, bars = style.middle_half(one.bits, "strength")
        look: Any = {"label": NAMES[name], "color": LOOKS[name], "yerr": bars}
        axes.errorbar(x, middle, marker=MARKERS[name], capsize=2, lw=1.2, **look)
    ideal = float(dataset.ideal.median())
    axes.axhline(ideal, color="grey", ls="--", lw=1, label="ideal")
    axes.set(xlabel="writes per cell", ylabel="bits per character, held out")
    axes.set(xscale="log")
    axes.xaxis.set_major_locator(FixedLocator(TICKS))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter("{x:g}")
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.1 * (len(variants) + 1) * (high - low))
    axes.legend(loc="upper right")


def _one_array(axes: Axes, dataset: xr.Dataset) -> None:
    _lines(axes, dataset, ALIKE)
    axes.set(title=f"{dataset.attrs['steps']:,} updates, several thresholds")


def _scaled(axes: Axes, dataset: xr.Dataset) -> None:
    _lines(axes, dataset, ("one_for_all", "own"))
    axes.set(title="arrays scaled to the width of their layer")


def _gains(axes: Axes, dataset: xr.Dataset) -> None:
    names = [name for name in NAMES if name not in REFERENCES]
    for n, name in enumerate(names):
        one = dataset.sel(variant=name)
        for value in one.gain.values.ravel():
            axes.plot(value, n - 0.2, marker="|", ms=9, color=LOOKS[name])
        how: Any = {"color": LOOKS[name], "marker": MARKERS[name], "capsize": 3}
        axes.errorbar(float(one.gain.mean()), n, xerr=float(one.gain_error), **how)
    axes.axvline(0, color="black", lw=0.8)
    axes.set_yticks(range(len(names)), [NAMES[name] for name in names])
    axes.invert_yaxis()
    axes.set(title="gained over plain EaPU at equal writes")
    axes.set(xlabel="bits per character (left of 0: worse than plain EaPU)")
    axes.margins(y=0.15)


plot = style.panels(
    (8.0, 6.2),
    [[_one_array, _scaled], [_gains, _gains]],
    "below: mean over thresholds of the bits by which plain EaPU on like arrays, "
    "interpolated to the same writes, is worse; a stroke is a seed, the bar a 95 % "
    "interval of their mean",
    height_ratios=(3, 2),
)
