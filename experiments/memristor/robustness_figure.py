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
    "spread": "spread of chips and cells (relative)",
    "stuck_rate": "stuck cells (share of all)",
    "adc_bits": "bits of the converters",
    "line_resistance": "wire between cells, at the test (ohm)",
    "together": "all together, times an ASSUMED size",
}


def _panel(axes: Axes, dataset: xr.Dataset, name: str) -> None:
    """Accuracy of every rule, from a chip without imperfections on."""
    chosen = np.flatnonzero(np.isin(dataset.imperfection, ["none", name]))
    here = dataset.isel(point=chosen)
    x = xr.DataArray(np.arange(len(chosen)), dims="point")
    for n, rule in enumerate(RULES):
        if rule in here.rule:
            accuracy, aside = 100 * here.accuracy.sel(rule=rule), 0.1 * (n - 1)
            look = style.look(n, lw=1, label=RULES[rule])
            style.whiskers(axes, x, accuracy, aside=aside, **look)
    digital = 100 * float(dataset.digital_accuracy.median())
    axes.axhline(digital, color="black", ls=":", lw=1.2, label="digital, no chip")
    ticks = [f"{size:g}" for size in here["size"].values[1:]]
    axes.set_xticks(x.values, ["none", *ticks])
    axes.set(xlabel=IMPERFECTIONS[name], ylim=(0, 102), xlim=(-0.4, len(x) - 0.6))


@style.styled
def plot(dataset: xr.Dataset) -> Figure:
    """A panel for every imperfection."""
    figure = Figure(figsize=(style.WIDTH, 10.4))
    grid = figure.subplots(4, 2, sharey=True)
    for axes, name in zip(grid.flat, IMPERFECTIONS, strict=True):
        _panel(axes, dataset, name)
    for axes in grid[:, 0]:
        axes.set_ylabel("test accuracy (%)")
    figure.legend(
        *grid.flat[0].get_legend_handles_labels(), loc="outside upper center", ncols=2
    )
    style.caption(figure, dataset, says(dataset))
    return figure


def says(dataset: xr.Dataset) -> str:
    """What costs most, by itself and for which rule, and all together."""
    digital = 100 * float(dataset.digital_accuracy.median())
    lost = digital - 100 * dataset.accuracy.median(("seed", "chip"))
    told = []
    for rule in [r for r in RULES if r in dataset.rule]:
        one = lost.sel(rule=rule)
        alone = one[~np.isin(dataset.imperfection, ["none", "together"])]
        worst = int(alone.fillna(-np.inf).values.argmax())
        name = str(alone.imperfection.values[worst])
        most = float(one.where(dataset.imperfection == "together").max())
        told.append(
            f"{RULES[rule]}: {float(alone[worst]):.1f} points at most alone, by "
            f"{IMPERFECTIONS[name].split(' (')[0].split(',')[0]}, and {most:.1f} by "
            "all together"
        )
    diverged, runs = int(dataset.diverged.sum()), dataset.accuracy.size
    return (
        f"What chips lose against digital. {'; '.join(told)}. Weights are pairs of "
        "cells of 0 to 160 µS; converters and read noise act in training on the chip, "
        "forwards (read noise backwards, too), wires only at the test; sizes ASSUMED; "
        f"{diverged:,} of {runs:,} trainings diverged and are left out"
    )
