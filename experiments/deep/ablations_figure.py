"""The figure of `ablations`: loss by writes, and what is gained at equal writes."""

from typing import Any

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator

from experiments.figures import style
from experiments.figures.words import several

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
_COLOURS = ("black", *style.COLOURS[:4], "black", style.COLOURS[4])
LOOKS = dict(zip(NAMES, _COLOURS, strict=True))
MARKERS = dict(zip(NAMES, "osD^vo^", strict=True))
LINES = dict(zip(NAMES, ("-", "--", "-.", ":", (0, (6, 2)), "-", "--"), strict=True))
ALIKE = ("plain", "residual_1", "residual_3", "falling", "rising")
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)


def _lines(axes: Axes, dataset: xr.Dataset, variants: tuple[str, ...]) -> None:
    over = ("seed", "chip")
    for name in variants:
        one = dataset.sel(variant=name).dropna("strength", how="all", subset=["bits"])
        x = one.writes.median(over)
        middle, bars = style.middle_half(one.bits, "strength")
        look: Any = {"label": NAMES[name], "color": LOOKS[name], "yerr": bars}
        look |= {"marker": MARKERS[name], "ls": LINES[name], "capsize": 2, "lw": 1.2}
        axes.errorbar(x, middle, **look)
    ideal = float(dataset.ideal.median())
    label = "ideal: no errors, no arrays"
    axes.axhline(ideal, color="0.4", ls=(0, (1, 1)), lw=1.6, label=label)
    axes.set(xlabel="writes per cell", ylabel="bits per character, held out")
    axes.set(xscale="log")
    axes.xaxis.set_major_locator(FixedLocator(TICKS))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter("{x:g}")
    axes.margins(y=0.08)
    style.key(axes)


def _one_array(axes: Axes, dataset: xr.Dataset) -> None:
    _lines(axes, dataset, ALIKE)
    axes.set(title=f"{dataset.attrs['steps']:,} updates, arrays alike")


def _scaled(axes: Axes, dataset: xr.Dataset) -> None:
    _lines(axes, dataset, ("one_for_all", "own"))
    axes.set(title="arrays scaled to their layer's width")


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


def note(dataset: xr.Dataset) -> str:
    """Which additions gain, which lose, and of which nothing can be said."""
    gain, error = dataset.gain.mean(("seed", "chip")), dataset.gain_error
    told: dict[str, list[str]] = {"gains": [], "loses": [], "neither": []}
    for name in NAMES:
        if name in REFERENCES:
            continue
        mean, half = (float(x.sel(variant=name)) for x in (gain, error))
        verdict = "gains" if mean - half > 0 else "neither"
        verdict = "loses" if mean + half < 0 else verdict
        told[verdict].append(f"{NAMES[name]} ({mean:+.3f})")
    return (
        "above, lower left is better. Better than plain EaPU at equal writes, by more "
        f"than chance: {several(told['gains'])}; worse: {several(told['loses'])}; "
        f"cannot be told from it: {several(told['neither'])}. "
        "Below, a stroke is a seed, the bar a 95 % interval of their mean over "
        "thresholds, plain EaPU interpolated to the same writes"
    )


plot = style.panels(
    (7.0, 6.4),
    [[_one_array, _scaled], [_gains, _gains]],
    note,
    height_ratios=(3, 1.8),
)
