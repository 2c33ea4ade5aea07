"""The figure of `rivals`: error against energy, and against digital memory."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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


@style.styled
def plot(dataset: xr.Dataset) -> Figure:
    """Rows: networks, then memory; columns: devices; a number is a rule."""
    devices, networks = dataset.device.values, dataset.network.values
    figure = Figure(figsize=(2.9 * len(devices) + 3.4, 2.7 * (len(networks) + 1)))
    grid = figure.subplots(len(networks) + 1, len(devices), squeeze=False, sharey="row")
    for column, device in enumerate(devices):
        for row, network in enumerate(networks):
            one = dataset.sel(device=device, network=network)
            _pareto(grid[row][column], one, one.joules, one.unbeaten_energy.values)
            grid[row][column].set_xlabel("energy of a training (J)")
        one = dataset.sel(device=device, network=networks[0])
        bits = one.bits.clip(min=LEAST_BITS)
        _pareto(grid[-1][column], one, bits, one.unbeaten_bits.values)
        grid[-1][column].set_xlabel("digital bits per weight (none: 10)")
        grid[0][column].set_title(device)
    for row, network in enumerate([*networks, networks[0]]):
        grid[row][0].set_ylabel(f"{network}: test error (%)")
    _legend(figure, dataset)
    style.caption(figure, dataset, _note(dataset))
    return figure


def _pareto(axes: Axes, one: xr.Dataset, cost: xr.DataArray, front: Any) -> None:
    middle, error = style.middle_half(100 * (1 - one.accuracy), "rule")
    x = cost.median("chip").values
    for number, rule in enumerate(one.rule.values):
        if np.isfinite(middle[number]):
            colour = style.COLOURS[list(KINDS).index(kind(rule))]
            look: Any = {"color": colour, "alpha": 0.7, "ms": 3}
            y, yerr = middle[number], error[:, number : number + 1]
            axes.errorbar(x[number], y, yerr, fmt="o", **look)
            axes.annotate(
                str(number + 1), (x[number], y), (3, 2), color=colour,
                textcoords="offset points", fontsize=7,
            )  # fmt: skip
    at = np.argsort(x[front])
    axes.step(x[front][at], middle[front][at], where="post", color="black", lw=0.8)
    axes.set(xscale="log", yscale="log", ylim=(95, 7))
    axes.set_yticks([10, 20, 40, 80], ["10", "20", "40", "80"])
    axes.minorticks_off()


def _legend(figure: Figure, dataset: xr.Dataset) -> None:
    lines = []
    for number, rule in enumerate(dataset.rule.values):
        colour = style.COLOURS[list(KINDS).index(kind(rule))]
        (line,) = figure.axes[0].plot([], [], "o", color=colour, ms=4)
        lines.append((line, f"{number + 1} {NAMES[rule]}"))
    handles, labels = zip(*lines, strict=True)
    figure.legend(handles, labels, loc="outside right upper", fontsize=7)


def _note(dataset: xr.Dataset) -> str:
    trials, tuners = dataset.attrs["trials"], dataset.attrs["tuners"]
    return (
        f"{dataset.attrs['belief']}; every rule tuned by {trials} trials on {tuners} "
        "other chips; black: what no rule beats in both; missing: the device cannot "
        "carry the rule; MADEM is unidentified and is none of these; constants: "
        "eapu_jax/cost/constants.toml"
    )
