"""The figure of `gp_regression`: posteriors of boards beside the digital ones."""

from functools import partial

import xarray as xr

from experiments.figures import style
from experiments.thermodynamic import machine


def _draw_posterior(ax, dataset: xr.Dataset, kernel: str) -> None:
    at = dataset.sel(kernel=kernel)
    low, high = (at.curve_mean + sign * 2 * at.curve_deviation for sign in (-1, 1))
    label = "digital: mean and 2 standard deviations (bars: at the points)"
    ax.fill_between(at["at"], low, high, color="0.88", label=label)
    ax.plot(at["at"], at.curve_mean, color="0.4")
    thick = {"linestyle": "none", "elinewidth": 9, "color": "0.7", "zorder": 1}
    ax.errorbar(at.x, at.exact_mean, 2 * at.exact_deviation, **thick)
    n = machine.N_PUBLISHED_BOARDS
    real = at.sel({"tolerance": dataset.assumed_tolerance})
    one = at.sel({"tolerance": 0.0}).isel(board=0)  # `sel` has a `tolerance`
    look = {"linestyle": "none", "markersize": 4, "capsize": 2, "elinewidth": 1}
    shown = [("ideal board", one, "black")]
    shown += [
        (
            f"board {i + 1}",
            real.isel(board=i),
            colour,
        )
        for i, colour in zip(range(n), style.COLOURS, strict=False)
    ]
    for i, (name, board, colour) in enumerate(shown):
        x = board.x + 0.011 * (i - n / 2)
        how = {**look, "color": colour, "marker": "s" if i == 0 else "o"}
        ax.errorbar(x, board["mean"], 2 * board.deviation, label=name, **how)
    ax.plot(at.x, at["values"], "x", color="black", markersize=8, label="measured")
    growth = float(at.growth)
    cells = "8 cells" if kernel == "exponential" else "16 cells"
    ax.set(xlabel="point", ylabel="value", title=f"{kernel} kernel, {cells}")
    if growth > 1:
        ax.set_title(f"{kernel} kernel, {cells}, diagonal x {growth:.2f}")
    ax.set_ylim(-3.2, 3.2)
    ax.legend(fontsize="x-small", ncols=2, loc="upper right")


def _draw_tolerance(ax, dataset: xr.Dataset) -> None:
    for name in dataset.kernel.to_numpy():
        off = dataset.off.sel(kernel=name)
        line = style.band(ax, dataset.tolerance, off, label=name, marker="o")
        driven = float(dataset.driven_off.sel(kernel=name))
        label = f"{name}: ideal board whose mean is driven"
        ax.axhline(driven, color=line.get_color(), linestyle="--", label=label)
    ax.axvline(dataset.assumed_tolerance, color="0.5", linestyle=":", zorder=0)
    ax.set(xlabel="component tolerance (rms)", ylim=(0, None))
    ax.set(ylabel="difference of the means\n(posterior standard deviations, rms)")
    ax.set_title(f"mean, after {int(dataset.n_published):,} samples")
    ax.legend(fontsize="x-small")


def _draw_width(ax, dataset: xr.Dataset) -> None:
    for name in dataset.kernel.to_numpy():
        wide = dataset.wide.sel(kernel=name)
        style.band(ax, dataset.tolerance, wide, label=name, marker="o")
    ax.axhline(1.0, color="black", linewidth=0.8)
    ax.set(xlabel="component tolerance (rms)")
    ax.set(ylabel="standard deviation, board over digital")
    ax.set_title("width of the posterior")
    ax.legend()


def _draw_jitter(ax, dataset: xr.Dataset) -> None:
    x = dataset.jitter
    ax.plot(x, dataset.jitter_growth, marker="o", label="diagonal grows by the factor")
    ax.plot(x, dataset.lost, marker="o", label="mean off by (standard deviations, rms)")
    ax.plot(x, dataset.narrow, marker="o", label="standard deviation over the digital")
    ax.axhline(1.0, color="0.5", linestyle=":", zorder=0)
    style.decades(ax, "x")
    ax.set(xlabel="jitter (variances of the process)", ylabel="factor, or deviations")
    ax.set_title("squared exponential: what doubling cannot hold")
    ax.legend()


_FIRST, _SECOND = (
    partial(_draw_posterior, kernel=name)
    for name in ("exponential", "squared exponential")
)
plot = style.panels(
    (12.0, 7.6),
    [
        [_FIRST] * 3 + [_SECOND] * 3,
        [_draw_tolerance] * 2 + [_draw_width] * 2 + [_draw_jitter] * 2,
    ],
    note=(
        "error bars of boards are 2 posterior standard deviations as read, not errors "
        "of the reading. The ideal board gives the digital posterior within what its "
        "samples allow; real ones err by their components, in the mean far more than "
        "in the width: a mean that is driven would be exact sooner. A squared "
        "exponential kernel fits on passive couplers only with much jitter, or a "
        "diagonal that grows"
    ),
)
