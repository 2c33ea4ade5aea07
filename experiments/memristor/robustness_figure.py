"""The figure of `robustness`: accuracy against every imperfection, and all of them."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.figures import style

RULES = {
    "eapu": "EaPU, learning on the chip",
    "noisy": "backpropagation on the chip",
    "ideal": "trained digitally, written onto the chip",
}

IMPERFECTIONS = {
    "tolerance": "programming tolerance, half band (µS)",
    "relaxation": "relaxation after a write, SD (µS)",
    "read_noise": "read noise of a cell, SD (µS)",
    "spread": "spread between chips and cells, relative",
    "stuck_rate": "stuck cells (fraction)",
    "adc_bits": "bits of the converters",
    "line_resistance": "wire from cell to cell (ohm), at the test alone",
    "together": "all together, times one ASSUMED size",
}


def _panel(axes: Axes, dataset: xr.Dataset, name: str) -> None:
    """Accuracy of every rule, from a chip without imperfections on."""
    chosen = np.flatnonzero(np.isin(dataset.imperfection, ["none", name]))
    here = dataset.isel(point=chosen)
    x = xr.DataArray(np.arange(len(chosen)), dims="point")
    for n, rule in enumerate(RULES):
        if rule in here.rule:
            look = {"color": style.COLOURS[n], "marker": "osD"[n]}
            accuracy = 100 * here.accuracy.sel(rule=rule)
            style.band(axes, x, accuracy, label=RULES[rule], **look)
    digital = 100 * float(dataset.digital_accuracy.median())
    axes.axhline(digital, color="black", ls="--", lw=1, label="digital, no chip")
    ticks = [f"{size:g}" for size in here["size"].values[1:]]
    axes.set_xticks(x.values, ["none", *ticks])
    axes.set(xlabel=IMPERFECTIONS[name], ylim=(0, 102))


@style.styled
def plot(dataset: xr.Dataset) -> Figure:
    """A panel for every imperfection."""
    figure = Figure(figsize=(13, 6.4))
    grid = figure.subplots(2, 4, sharey=True)
    for axes, name in zip(grid.flat, IMPERFECTIONS, strict=True):
        _panel(axes, dataset, name)
    for axes in grid[:, 0]:
        axes.set_ylabel("test accuracy (%)")
    figure.legend(
        *grid.flat[0].get_legend_handles_labels(), loc="outside upper center", ncols=4
    )
    style.caption(figure, dataset, _note(dataset))
    return figure


def _note(dataset: xr.Dataset) -> str:
    diverged, runs = int(dataset.diverged.sum()), dataset.accuracy.size
    return (
        "weights are pairs of cells of 0 to 160 µS; converters and read noise act in "
        "training on the chip, forwards (read noise backwards, too), wires only at the "
        f"test; sizes ASSUMED; {diverged:,} of {runs:,} trainings diverged (NaN) and "
        "are left out"
    )
