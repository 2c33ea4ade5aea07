"""The figure of `mitigation`: error of an inverse against the step of couplers."""

from functools import partial

import xarray as xr

from experiments.figures import style
from experiments.figures.words import several

TITLES = {
    "nearest": "one board, rounded to nearest",
    "own offsets": "boards merged, an offset for each entry",
    "one offset": "boards merged, one offset for all entries",
}
ORDER = {"nearest": 1, "own offsets": 2}


def _draw(ax, dataset: xr.Dataset, name: str) -> None:
    at = dataset.sel(rounding=name)
    for i, size in enumerate(dataset["size"].to_numpy()):
        one = at.sel(size=size)
        slope = float(one.slope.median(skipna=False))
        label = f"d = {size}" + (f": slope {slope:.2f}" if slope == slope else "")
        error = 100 * one.error
        shift = 0.04 * (i - (dataset.sizes["size"] - 1) / 2)
        drawn = style.look(i, label=label)
        style.whiskers(ax, dataset.step, error, aside=shift, **drawn)
    if name in ORDER:
        first = 100 * float(at.error.isel(step=0).median())
        guide = first * (dataset.step / dataset.step[0]) ** ORDER[name]
        look = {"color": "0.5", "linewidth": 3, "alpha": 0.5, "zorder": 0}
        ax.plot(dataset.step, guide, label=f"slope {ORDER[name]}", **look)
    style.decades(ax, "xy")
    ax.set_xticks(dataset.step.values, [f"{x:g}" for x in dataset.step.values])
    ax.minorticks_off()
    ax.set(title=TITLES[name], ylim=_limits(dataset))
    ax.set_xlabel("coupler step x root of d\n(smallest eigenvalues)")
    ax.set_ylabel("error of the inverse (%)")
    style.key(ax, drop=46, ncols=1 if name in ORDER else 4)


def _limits(dataset: xr.Dataset) -> tuple[float, float]:
    middle = 100 * dataset.error
    return float(middle.min()) / 2, float(middle.max()) * 2


def note(dataset: xr.Dataset) -> str:
    """By how much merging helps, its slopes, and where it fails."""
    slope = dataset.slope.median(("size", "chip"), skipna=True)
    told = [
        f"{words} {float(slope.sel(rounding=name)):.2f}"
        for name, words in (("nearest", "one board"), ("own offsets", "merged"))
    ]
    first = dataset.error.isel(step=0).median(("size", "chip"))
    gain = float(first.sel(rounding="nearest") / first.sel(rounding="own offsets"))
    one = dataset.error.sel(rounding="one offset")
    lost = one.isnull().any(("step", "chip"))
    never = [str(int(d)) for d in dataset["size"] if bool(lost.sel(size=d))]
    return (
        "the error goes as a power of the step (1: first order, 2: second; medians "
        f"over sizes): {several(told)}; at the finest step merging divides it by "
        f"{gain:.3g}, where entries are rounded apart. One offset for all adds the "
        "same to every entry, an error that grows with root d; d at which boards "
        f"do not settle at some step (no mark, no slope): {several(never)}. "
        "Marks: medians, bars: middle half"
    )


_NEAREST, _OWN, _ONE = (partial(_draw, name=name) for name in TITLES)
plot = style.panels((7.0, 7.6), [[_NEAREST, _OWN], [_ONE, _ONE]], note)
