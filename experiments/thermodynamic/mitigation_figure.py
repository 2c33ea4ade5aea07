"""The figure of `mitigation`: error of an inverse against the step of couplers."""

from functools import partial

import xarray as xr

from experiments.figures import style

TITLES = {
    "nearest": "one board, rounded to nearest",
    "own offsets": "boards merged, an offset for each entry",
    "one offset": "boards merged, one offset for all entries",
}
ORDER = {"nearest": 1, "own offsets": 2}


def _draw(ax, dataset: xr.Dataset, name: str) -> None:
    at = dataset.sel(rounding=name)
    for size in dataset["size"].to_numpy():
        one = at.sel(size=size)
        slope = float(one.slope.median(skipna=False))
        label = f"d = {size}" + (f": slope {slope:.2f}" if slope == slope else "")
        style.band(ax, dataset.step, 100 * one.error, label=label, marker="o")
    if name in ORDER:
        first = 100 * float(at.error.isel(step=0).median())
        guide = first * (dataset.step / dataset.step[0]) ** ORDER[name]
        ax.plot(dataset.step, guide, color="0.5", linestyle=":", zorder=0)
        ax.plot([], [], color="0.5", linestyle=":", label=f"slope {ORDER[name]}")
    style.decades(ax, "xy")
    ax.set_xticks(dataset.step.values, [f"{x:g}" for x in dataset.step.values])
    ax.minorticks_off()
    ax.set(title=TITLES[name], xlabel="coupler step x root d (smallest eigenvalues)")
    ax.set(ylabel="error of the inverse (%)", ylim=_limits(dataset))
    ax.legend()


def _limits(dataset: xr.Dataset) -> tuple[float, float]:
    middle = 100 * dataset.error
    return float(middle.min()) / 2, float(middle.max()) * 2


plot = style.panels(
    (12.0, 4.2),
    [[partial(_draw, name=name) for name in TITLES]],
    note=(
        "merging boards whose entries are right on average takes the error from first "
        "to second order at every size, if entries are rounded apart: one offset for "
        "all adds the same to every entry, an error that grows with root d, until "
        "boards never settle (no dot, and no slope)"
    ),
)
