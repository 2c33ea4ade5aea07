"""The figure of `rivals`: error against energy, and against digital memory."""

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from experiments.figures import style
from experiments.memristor.contest.entrants import NAMES, kind

KINDS = {
    "digital": "no array",
    "gate": "one array, no residual",
    "residual": "one array, digital residual",
    "several": "several arrays per weight",
    "adapters": "frozen array with adapters",
}
LEAST_BITS = 10.0
"""Where no digital bits are drawn on a logarithmic axis."""


SHAPES = ("D", "o", "s", "^", "v")
"""By kind."""


@style.styled
def plot(dataset: xr.Dataset) -> Figure:
    """Rows: networks, then memory; columns: devices; a number is a rule."""
    devices, networks = dataset.device.values, dataset.network.values
    names = -(-dataset.sizes["rule"] // 2)
    tall = 2.3 * (len(networks) + 1) + 0.17 * names + 1.5
    figure = Figure(figsize=(style.WIDTH, tall))
    grid = figure.subplots(len(networks) + 1, len(devices), squeeze=False, sharey="row")
    for column, device in enumerate(devices):
        for row, network in enumerate(networks):
            one = dataset.sel(device=device, network=network)
            _pareto(grid[row][column], one, one.joules, one.unbeaten_energy.values)
            grid[row][column].set_xlabel("energy of a training (J)")
        one = dataset.sel(device=device, network=networks[0])
        bits = one.bits.clip(min=LEAST_BITS)
        _pareto(grid[-1][column], one, bits, one.unbeaten_bits.values)
        grid[-1][column].set_xlabel("digital bits per weight\n(none: 10)")
        grid[0][column].set_title(_device(device))
    for row, network in enumerate([*networks, networks[0]]):
        grid[row][0].set_ylabel(f"{network.upper()}: test error (%)")
    _legend(figure, dataset)
    style.caption(figure, dataset, says(dataset))
    return figure


def _device(name: str) -> str:
    """What a reader calls a device; of one of one's own, the name of its file."""
    return Path(str(name)).stem.lower().replace("_", " ")


def _look(rule: str) -> dict[str, Any]:
    n = list(KINDS).index(kind(rule))
    return {"color": style.COLOURS[n], "marker": SHAPES[n], "linestyle": "none"}


def _pareto(axes: Axes, one: xr.Dataset, cost: xr.DataArray, front: Any) -> None:
    middle, error = style.middle_half(100 * (1 - one.accuracy), "rule")
    x = cost.median("chip").values
    for number, rule in enumerate(one.rule.values):
        if np.isfinite(middle[number]):
            look = _look(rule)
            y, yerr = middle[number], error[:, number : number + 1]
            axes.errorbar(x[number], y, yerr, ms=3.5, elinewidth=0.8, **look)
            axes.annotate(
                str(number + 1), (x[number], y), (3, 2), color=look["color"],
                textcoords="offset points", fontsize=style.SMALL,
            )  # fmt: skip
    at = np.argsort(x[front])
    axes.step(x[front][at], middle[front][at], where="post", color="black", lw=0.8)
    style.decades(axes, "x")
    axes.set(yscale="log", ylim=(95, 7))
    axes.set_yticks([10, 20, 40, 80], ["10", "20", "40", "80"])
    axes.yaxis.set_minor_locator(NullLocator())


def _legend(figure: Figure, dataset: xr.Dataset) -> None:
    lines, kinds = [], {}
    for number, rule in enumerate(dataset.rule.values):
        (line,) = figure.axes[0].plot([], [], ms=4, **_look(rule))
        lines.append((line, f"{number + 1} {NAMES[rule]}"))
        kinds[kind(rule)] = line
    for name, line in kinds.items():
        lines.append((line, KINDS[name]))
    (front,) = figure.axes[0].plot([], [], color="black", lw=0.8)
    lines.append((front, "no rule is better in both"))
    handles, labels = zip(*lines, strict=True)
    figure.legend(handles, labels, loc="outside upper center", ncols=2)


def says(dataset: xr.Dataset) -> str:
    """Which rule errs least on each device, and which is cheapest that learns."""
    trials, tuners = dataset.attrs["trials"], dataset.attrs["tuners"]
    network, told = dataset.network.values[0], []
    for device in dataset.device.values:
        one = dataset.sel(device=device, network=network)
        wrong = 100 * (1 - one.accuracy.median("chip"))
        on_array = [r for r in one.rule.values if kind(r) != "digital"]
        wrong = wrong.sel(rule=on_array).dropna("rule")
        if wrong.size:
            best = wrong.rule.values[int(wrong.values.argmin())]
            cost = float(one.joules.median("chip").sel(rule=best))
            told.append(
                f"{_device(device)}: {NAMES[best]} errs least, "
                f"{float(wrong.sel(rule=best)):.1f} %, for {cost:.2g} J"
            )
    return (
        f"Of rules on an array ({network.upper()}), {'; '.join(told)}; "
        f"{dataset.attrs['belief']}; every rule tuned by {trials} trials on {tuners} "
        "other chips; missing: the device cannot carry the rule; MADEM is "
        "unidentified and is none of these; constants: eapu_jax/cost/constants.toml"
    )
