"""The figure of `spu_error_budget`: each imperfection, a budget, all slopes."""

from textwrap import fill

import numpy as np
import xarray as xr

from experiments.figures import style

REFERENCE = {
    "tolerance": {
        "capacitors": (0.032, 0.067, 0.14),
        "resistors": (0.042, 0.081, 0.165),
        "noise power": (0.043, 0.082, 0.163),
        "C, R and noise": (0.073, 0.146, 0.29),
    },
    "bits": (0.16, 0.045, 0.019, 0.009, 0.0044, 0.0021),
    "colour": {0.1: (0.018, 0.02, 0.032), 0.3: (0.048, 0.058, 0.116)},
    "coil": {0.1: (0.117, 0.029)},
}
"""DERIVED elsewhere with other code and other draws, at tolerances of 5, 10 and 20 %, 1
to 6 bits, Q of 0.3, 1 and 3: a check of this experiment, not a published result."""


_SQUARE = {"color": "black", "marker": "s", "ls": "none", "markerfacecolor": "none"}


def _draw_tolerances(ax, dataset: xr.Dataset) -> None:
    raw = 100 * dataset.tolerance_error.sel(scaling="temperature known")
    x = 100 * dataset.tolerance
    for i, source in enumerate(dataset.source.to_numpy()):
        rms = (raw.sel(source=source) ** 2).mean("board") ** 0.5
        hollow = {"markerfacecolor": "none", "markersize": 9} if i == 3 else {}
        ax.plot(x, rms, **style.look(i, linestyle="none", label=source, **hollow))
        slope = dataset.root_square_slope.sel(source=source)
        ax.plot(x, slope * x, **style.look(i, marker=None))
        if source in REFERENCE["tolerance"]:
            table = 100 * np.array(REFERENCE["tolerance"][source])
            ax.plot([5, 10, 20], table, **_SQUARE, markersize=6)
    ax.plot([], [], **_SQUARE, label="other code (derived)")
    ax.plot([], [], color="0.3", label="lines: by the slopes alone")
    ax.set(xlabel="component tolerance, rms (%)", ylabel="error, rms over boards (%)")
    ax.set(title="tolerances", ylim=(-1, None))
    style.key(ax, ncols=2, columnspacing=1, handletextpad=0.4)


def _draw_bits(ax, dataset: xr.Dataset) -> None:
    labels = {"bits": "capacitors", "adc_bits": "converter, range 4 sigma"}
    for i, (name, label) in enumerate(labels.items()):
        error = 100 * dataset[f"{name}_error"].sel(scaling="temperature known")
        style.band(ax, dataset[name], error, **style.look(i, label=label))
    table = 100 * np.array(REFERENCE["bits"])
    ax.plot(range(1, 7), table, **_SQUARE, label="capacitors, other code")
    style.decades(ax)
    ax.set(xlabel="bits", ylabel="error (%)", title="quantisation")
    style.key(ax)


def _draw_colour(ax, dataset: xr.Dataset) -> None:
    fitted = 100 * dataset.colour_error.sel(scaling="temperature fitted")
    for i, quality in enumerate(dataset.quality.to_numpy()):
        error = fitted.sel(quality=quality)
        label = f"colour, Q = {quality:g}"
        style.band(ax, dataset.colour, error, **style.look(i, label=label))
        if len(dataset.quality) != 3:
            continue
        table = [(t, 100 * errors[i]) for t, errors in REFERENCE["colour"].items()]
        ax.plot(*zip(*table, strict=True), **_SQUARE)
    for i, scaling in ((3, "temperature known"), (4, "temperature fitted")):
        error = 100 * dataset.coil_error.sel(scaling=scaling)
        label = f"coil resistance,\n{scaling}"
        style.band(ax, dataset.coil, error, **style.look(i, label=label))
    table = [100 * x for x in REFERENCE["coil"][0.1]]
    ax.plot([0.1, 0.1], table, **_SQUARE, label="other code (derived)")
    style.decades(ax, "xy")
    ax.set(xlabel="correlation time / RC, or\ncoil resistance / R", ylabel="error (%)")
    ax.set_title("coloured noise (temperature\nfitted), resistive coils")
    style.key(ax, ncols=2, drop=44, columnspacing=1, handletextpad=0.4)


def _draw_budget(ax, dataset: xr.Dataset) -> None:
    error = 100 * dataset.budget_error
    names = dataset.imperfection.to_numpy()
    place = np.arange(len(names))[::-1]
    alone = error.sel(imperfection=names[:-1]).median("board")
    totals = (alone**2).sum("imperfection") ** 0.5
    label = "root of the sum of squares"
    looks = (0.2, "temperature known", ""), (-0.2, "temperature fitted", "///")
    for shift, scaling, hatch in looks:
        middle, spread = style.middle_half(error.sel(scaling=scaling), "imperfection")
        look = {"label": scaling, "error_kw": {"elinewidth": 0.8}, "hatch": hatch}
        ax.barh(place + shift, middle, 0.38, xerr=spread, **look)
        ends = [shift - 0.19, shift + 0.19]
        ax.plot([totals.sel(scaling=scaling)] * 2, ends, color="black", label=label)
        label = None
    ax.set(yticks=place, yticklabels=[fill(str(name), 15) for name in names])
    ax.tick_params(axis="y", labelsize=style.SMALL)
    ax.set(xlabel="error (%)", title="a budget (ASSUMED)")
    style.key(ax)


_SLOPE = "relative change of the\ncovariance per relative change"


def _draw_capacitors(ax, dataset: xr.Dataset) -> None:
    cells, slope = np.arange(1, dataset.sizes["cell"] + 1), dataset.capacitor_slope
    image = ax.pcolormesh(cells, cells, slope, norm="log", cmap="cividis")
    style.colorbar(ax, image, _SLOPE)
    ax.set(aspect="equal", xlabel="cell", ylabel="cell", xticks=cells, yticks=cells)
    ax.invert_yaxis()
    ax.grid(False)
    ax.set_title("capacitors: between cells;\non the diagonal, to ground")


def _draw_slopes(ax, dataset: xr.Dataset) -> None:
    cells = np.arange(1, dataset.sizes["cell"] + 1)
    names = {"coil resistance": "coil resistance, in units of R"}
    for i, kind in enumerate(dataset.kind.to_numpy()):
        slope = dataset.slope.sel(kind=kind)
        line = {"markerfacecolor": "none", "markersize": 9} if "noise" in kind else {}
        ax.plot(cells, slope, **style.look(i, label=names.get(kind, kind), **line))
    ground, last = np.diagonal(dataset.capacitor_slope), dataset.sizes["kind"]
    ax.plot(cells, ground, **style.look(last, label="capacitor to ground"))
    ax.set(xlabel="cell", ylim=(-0.03, None), xticks=cells, title="other components")
    ax.set_ylabel(_SLOPE)
    style.key(ax)


def note(dataset: xr.Dataset) -> str:
    """What is largest in the budget, and whether parts add as squares."""
    error = 100 * dataset.budget_error.median("board")
    known, fitted = (error.sel(scaling=f"temperature {w}") for w in ("known", "fitted"))
    *names, together = [str(n) for n in dataset.imperfection.to_numpy()]
    first = max(names, key=lambda n: float(known.sel(imperfection=n)))
    left = max(names, key=lambda n: float(fitted.sel(imperfection=n)))
    squares = float((known.sel(imperfection=names) ** 2).sum() ** 0.5)
    whole = float(known.sel(imperfection=together))
    return (
        f"largest in the budget with a known temperature: {first} "
        f"({float(known.sel(imperfection=first)):.1f} %), with a fitted one: {left} "
        f"({float(fitted.sel(imperfection=left)):.1f} %): fitting one number takes "
        "away what shifts all entries alike. All together err by "
        f"{whole:.1f} %, the root of the sum of squares says {squares:.1f} %. "
        "Components err in proportion to their slopes, so a board whose slopes are "
        "known is judged before it is built"
    )


_ROWS = (
    [_draw_tolerances, _draw_bits],
    [_draw_colour, _draw_slopes],
    [_draw_budget, _draw_capacitors],
)
plot = style.panels((7.0, 12.0), _ROWS, note, height_ratios=(1, 1, 1.3))
