"""The figure of `spu_error_budget`: each imperfection, a budget, all slopes."""

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
        colour = style.COLOURS[i]
        look = {"markerfacecolor": "none", "markersize": 8} if i == 3 else {}
        ax.plot(x, rms, "o", color=colour, label=source, **look)
        ax.plot(x, dataset.root_square_slope.sel(source=source) * x, color=colour)
        if source in REFERENCE["tolerance"]:
            table = 100 * np.array(REFERENCE["tolerance"][source])
            ax.plot([5, 10, 20], table, **_SQUARE, markersize=6)
    ax.plot([], [], **_SQUARE, label="other code (derived)")
    ax.plot([], [], color="0.3", label="by the slopes alone")
    ax.set(xlabel="component tolerance, rms (%)", ylabel="error, rms over boards (%)")
    ax.set(title="Tolerances", ylim=(-1, None))
    ax.legend()


def _draw_bits(ax, dataset: xr.Dataset) -> None:
    labels = {"bits": "capacitors", "adc_bits": "converter, range 4 sigma"}
    for name, label in labels.items():
        error = 100 * dataset[f"{name}_error"].sel(scaling="temperature known")
        style.band(ax, dataset[name], error, label=label, marker="o")
    table = 100 * np.array(REFERENCE["bits"])
    ax.plot(range(1, 7), table, **_SQUARE, label="capacitors, other code")
    style.decades(ax)
    ax.set(xlabel="bits", ylabel="error (%)", title="Quantisation")
    ax.legend()


def _draw_colour(ax, dataset: xr.Dataset) -> None:
    fitted = 100 * dataset.colour_error.sel(scaling="temperature fitted")
    for i, quality in enumerate(dataset.quality.to_numpy()):
        error = fitted.sel(quality=quality)
        label = f"colour, Q = {quality:g}, temperature fitted"
        style.band(ax, dataset.colour, error, label=label, marker="o")
        if len(dataset.quality) != 3:
            continue
        table = [(t, 100 * errors[i]) for t, errors in REFERENCE["colour"].items()]
        ax.plot(*zip(*table, strict=True), **_SQUARE)
    for scaling, line in (("temperature known", "-"), ("temperature fitted", "--")):
        error = 100 * dataset.coil_error.sel(scaling=scaling)
        label = f"coil resistance, {scaling}"
        look = {"color": style.COLOURS[3], "linestyle": line, "marker": "o"}
        style.band(ax, dataset.coil, error, label=label, **look)
    table = [100 * x for x in REFERENCE["coil"][0.1]]
    ax.plot([0.1, 0.1], table, **_SQUARE, label="other code (derived)")
    style.decades(ax, "xy")
    ax.set(xlabel="correlation time / RC; coil resistance / R", ylabel="error (%)")
    ax.set_ylim(top=1000)
    ax.set_title("Coloured noise, resistive coils")
    ax.legend(fontsize=6.5)


def _draw_budget(ax, dataset: xr.Dataset) -> None:
    error = 100 * dataset.budget_error
    names = dataset.imperfection.to_numpy()
    place = np.arange(len(names))[::-1]
    alone = error.sel(imperfection=names[:-1]).median("board")
    totals = (alone**2).sum("imperfection") ** 0.5
    label = "root of the sum of squares"
    for shift, scaling in ((0.2, "temperature known"), (-0.2, "temperature fitted")):
        middle, spread = style.middle_half(error.sel(scaling=scaling), "imperfection")
        look = {"label": scaling, "error_kw": {"elinewidth": 0.8}}
        ax.barh(place + shift, middle, 0.38, xerr=spread, **look)
        ends = [shift - 0.19, shift + 0.19]
        ax.plot([totals.sel(scaling=scaling)] * 2, ends, color="black", label=label)
        label = None
    ax.set(yticks=place, yticklabels=names)
    ax.set(xlabel="error (%)", title="A budget (ASSUMED)")
    ax.legend(loc="lower right", bbox_to_anchor=(1.0, 0.16), fontsize=6.5)


_SLOPE = "relative change of $\\Sigma$ per relative change"


def _draw_capacitors(ax, dataset: xr.Dataset) -> None:
    cells, slope = np.arange(1, dataset.sizes["cell"] + 1), dataset.capacitor_slope
    image = ax.pcolormesh(cells, cells, slope, norm="log", cmap="cividis")
    style.colorbar(ax, image, _SLOPE)
    ax.set(aspect="equal", xlabel="cell", ylabel="cell", xticks=cells, yticks=cells)
    ax.invert_yaxis()
    ax.grid(False)
    ax.set_title("Capacitors: between cells,\nto ground on the diagonal")


def _draw_slopes(ax, dataset: xr.Dataset) -> None:
    cells = np.arange(1, dataset.sizes["cell"] + 1)
    names = {"coil resistance": "coil resistance, in units of R"}
    for kind in dataset.kind.to_numpy():
        slope = dataset.slope.sel(kind=kind)
        line = {"linestyle": "--", "marker": "o"}
        line |= {"markerfacecolor": "none", "markersize": 8} if "noise" in kind else {}
        ax.plot(cells, slope, **line, label=names.get(kind, kind))
    ground = np.diagonal(dataset.capacitor_slope)
    ax.plot(cells, ground, "s--", label="capacitor to ground")
    ax.set(xlabel="cell", ylim=(-0.03, None), xticks=cells, title="Other components")
    ax.set_ylabel(_SLOPE)
    ax.legend(loc="center", bbox_to_anchor=(0.5, 0.21), fontsize=6.5)


_ROWS = (
    [_draw_tolerances, _draw_bits, _draw_colour],
    [_draw_budget, _draw_capacitors, _draw_slopes],
)
plot = style.panels((11, 7), _ROWS)
