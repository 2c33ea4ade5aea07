"""The figure of `gp_regression`: posteriors of boards beside the digital ones."""

from functools import partial

import xarray as xr

from experiments.figures import style
from experiments.thermodynamic import machine


def _draw_posterior(ax, dataset: xr.Dataset, kernel: str) -> None:
    at = dataset.sel(kernel=kernel)
    low, high = (at.curve_mean + sign * 2 * at.curve_deviation for sign in (-1, 1))
    ax.fill_between(at["at"], low, high, color="0.9", label="digital, two deviations")
    ax.plot(at["at"], at.curve_mean, color="0.4", label="digital mean")
    thick = {"linestyle": "none", "elinewidth": 9, "color": "0.75", "zorder": 1}
    ax.errorbar(at.x, at.exact_mean, 2 * at.exact_deviation, **thick)
    real = at.sel({"tolerance": dataset.assumed_tolerance})
    one = at.sel({"tolerance": 0.0}).isel(board=0)  # `sel` has a `tolerance`
    n = min(machine.N_PUBLISHED_BOARDS, real.sizes["board"])
    shown = [("ideal board", one, {"color": "black", "marker": "x"})]
    shown += [
        (f"board {i + 1}", real.isel(board=i), style.look(i, mfc="none"))
        for i in range(n)
    ]
    for i, (name, board, drawn) in enumerate(shown):
        x = board.x + 0.014 * (i - n / 2)
        how = {**drawn, "linestyle": "none", "capsize": 2, "elinewidth": 1}
        ax.errorbar(x, board["mean"], 2 * board.deviation, label=name, **how)
    look = {"marker": "D", "linestyle": "none", "color": "black", "zorder": 6}
    ax.plot(at.x, at["values"], **look, markersize=5, label="measured")
    growth = float(at.growth)
    cells = "8 cells" if kernel == "exponential" else "16 cells"
    grown = f", diagonal x {growth:.2f}" if growth > 1 else ""
    title = f"{kernel} kernel, {cells}{grown}"
    ax.set(xlabel="point", ylabel="value", title=title, ylim=(-3.2, 3.2))
    if kernel != "exponential":
        style.key(ax, ncols=4, columnspacing=1)


def _draw_tolerance(ax, dataset: xr.Dataset) -> None:
    for i, name in enumerate(dataset.kernel.to_numpy()):
        off = dataset.off.sel(kernel=name)
        drawn = style.look(i, label=name)
        style.whiskers(ax, dataset.tolerance, off, aside=0.06 * i, **drawn)
        driven = float(dataset.driven_off.sel(kernel=name))
        label = f"{name},\nideal board, mean driven"
        line = {"color": style.COLOURS[i], "linestyle": style.LINES[i + 2]}
        ax.axhline(driven, linewidth=1, label=label, **line)
    ax.axvline(dataset.assumed_tolerance, color="0.85", linewidth=5, zorder=0)
    ax.set(xlabel="component tolerance (rms)", ylim=(0, None))
    ax.set(ylabel="difference of the means\n(posterior deviations, rms)")
    ax.set_title(f"mean, after {int(dataset.n_published):,} samples")
    style.key(ax)


def _draw_width(ax, dataset: xr.Dataset) -> None:
    for i, name in enumerate(dataset.kernel.to_numpy()):
        wide = dataset.wide.sel(kernel=name)
        drawn = style.look(i, label=name)
        style.whiskers(ax, dataset.tolerance, wide, aside=0.06 * i, **drawn)
    ax.axhline(1.0, color="black", linewidth=0.8, label="as the digital posterior")
    ax.set(xlabel="component tolerance (rms)")
    ax.set(ylabel="standard deviation,\nboard over digital")
    ax.set_title("width of the posterior")
    style.key(ax)


def _draw_jitter(ax, dataset: xr.Dataset) -> None:
    names = {
        "jitter_growth": "factor on the diagonal",
        "lost": "mean off by (deviations, rms)",
        "narrow": "deviation over the digital one",
    }
    for i, (name, label) in enumerate(names.items()):
        ax.plot(dataset.jitter, dataset[name], **style.look(i, label=label))
    ax.axhline(1.0, color="0.5", linewidth=0.8, zorder=0)
    style.decades(ax, "x")
    ax.set(xlabel="jitter (variances of the process)", ylabel="factor, or deviations")
    ax.set_title("squared exponential: what passive couplers cannot hold")
    style.key(ax, ncols=3)


def note(dataset: xr.Dataset) -> str:
    """How far boards are off, in mean and width, and what a driven mean would do."""
    real = dataset.sel({"tolerance": dataset.assumed_tolerance})
    kernels = [str(k) for k in dataset.kernel.to_numpy()]
    told = []
    for name in kernels:
        off, wide = (real[v].sel(kernel=name).median("board") for v in ("off", "wide"))
        ideal = dataset.off.sel({"tolerance": 0.0, "kernel": name}).median("board")
        driven = float(dataset.driven_off.sel(kernel=name))
        told.append(
            f"{name} kernel: real boards {float(off):.2f} deviations off in the mean "
            f"and {float(wide):.2f} times as wide, the ideal one {float(ideal):.2f} "
            f"off, {driven:.2f} where its mean is driven"
        )
    return (
        f"{'; '.join(told)}. Real boards err by their components, more in the mean "
        "than in the width where the first number is large beside how far the second "
        "is from 1. Error bars of boards are two posterior deviations as read, not "
        "errors of the reading (below: middle half of boards; grey band: tolerance "
        "of the boards above). A squared exponential kernel fits on passive couplers "
        "only with much jitter, or a diagonal that grows"
    )


_FIRST, _SECOND = (
    partial(_draw_posterior, kernel=name)
    for name in ("exponential", "squared exponential")
)
plot = style.panels(
    (7.0, 14.0),
    [[_FIRST] * 2, [_SECOND] * 2, [_draw_tolerance, _draw_width], [_draw_jitter] * 2],
    note,
    height_ratios=(1, 1, 1.1, 0.8),
)
