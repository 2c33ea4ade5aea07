"""The figure of `update_ratio`: Fig. 5d, 5e, 5f, and what the accuracy is worth."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

import eapu_jax as ej
from experiments.figures import style
from experiments.memristor.scenarios import SCENARIOS
from experiments.memristor.training import PUBLIC_R_WG

PUBLISHED_CEILING = 1.4
"""Update ratio of ResNet152, per mille: always below. STATED, Fig. 5d."""


def reduction(dataset: xr.Dataset) -> xr.DataArray:
    """Writes of noisy backpropagation over that of EaPU, chip by chip."""
    return dataset.noisy_mean_ratio / dataset.mean_ratio


def title(dataset: xr.Dataset, scenario: str) -> str:
    """Name of a scenario with its learning rate."""
    about = SCENARIOS[scenario]
    return about.title.format(lr=about.rate * dataset.attrs["learning_rate"])


def _windows(dataset: xr.Dataset) -> int:
    """Steps that are averaged: single ones write few cells."""
    return max(dataset.sizes["step"] // 40, 1)


def _over_training(axes: Axes, dataset: xr.Dataset) -> None:
    whole = 1000 * dataset.step_ratio
    smooth = whole.coarsen(step=_windows(dataset), boundary="trim").mean()
    theta = dataset.attrs["write_noise_uS"] * PUBLIC_R_WG
    for n, scenario in enumerate(dataset.scenario.values):
        label, about = title(dataset, scenario), SCENARIOS[scenario]
        look = style.look(n, markevery=6)
        values = smooth.sel(scenario=scenario)
        style.band(axes, smooth.step, values, label=label, **look)
        if about.optimizer == "adam":
            rate = about.rate * dataset.attrs["learning_rate"]
            law = 1000 * float(ej.laws.adam_update_ratio(rate, theta))
            axes.axhline(law, color=look["color"], ls=":", lw=1)
    law_said = "law for Adam: 0.183 learning rate / threshold"
    axes.plot([], [], color="0.4", ls=":", lw=1, label=law_said)
    style.published_line(axes, PUBLISHED_CEILING, "ResNet152 stays below", lw=1.5)
    axes.set(title="cells written over training (Fig. 5d)", xlabel="step of training")
    axes.set(ylabel="cells written per step (‰)")
    style.decades(axes)
    style.key(axes, ncols=2)


def _per_layer(axes: Axes, dataset: xr.Dataset) -> None:
    scenario = dataset.scenario.values[0]
    layers = 1000 * dataset.layer_ratio.sel(scenario=scenario)
    steps, x, width = dataset.sizes["step"], layers.layer + 1, _windows(dataset)
    for n, share in enumerate((0.0, 0.25, 0.5, 0.7, 0.85)):
        start = min(int(share * steps), steps - width)
        window = layers.isel(step=slice(start, start + width)).mean("step")
        label = f"steps {start + 1} to {start + width}"
        style.band(axes, x, window, label=label, **style.look(n))
    axes.set_title(f"per layer (Fig. 5e)\n{title(dataset, scenario)}")
    axes.set(xlabel="layer", ylabel="cells written per step (‰)")
    style.decades(axes)
    axes.set_xticks(x)
    style.key(axes, ncols=2, columnspacing=1)


def _name_scenarios(axes: Axes, dataset: xr.Dataset) -> None:
    names = [title(dataset, s).replace(", ", ",\n") for s in dataset.scenario.values]
    names = [name.replace("Adam ", "Adam\n") for name in names]
    axes.set_xticks(range(len(names)), names, fontsize=style.SMALL)


def _reductions(axes: Axes, dataset: xr.Dataset) -> None:
    middle, error = style.middle_half(reduction(dataset), "scenario")
    places = np.arange(len(middle))
    axes.bar(places, middle, yerr=error, color=style.COLOURS[: len(middle)])
    look: Any = {"ha": "center", "va": "bottom", "fontsize": style.SMALL}
    for place, value, more in zip(places, middle, error[1], strict=True):
        axes.annotate(f"{value:,.0f}", (place, (value + more) * 1.1), **look)
    for n, (value, label) in enumerate(
        ((1e3, "over 1,000"), (1e4, "10,000, pre-trained"))
    ):
        style.published_line(axes, value, label, lw=1, ls=style.LINES[n + 1])
    axes.set_title("writes of noisy backpropagation\nover those of EaPU (Fig. 5f)")
    axes.set_ylabel("times fewer writes")
    style.decades(axes)
    axes.set_ylim(1, 10 * max(1e4, np.nanmax(middle)))
    _name_scenarios(axes, dataset)
    style.key(axes, drop=48)


def _accuracies(axes: Axes, dataset: xr.Dataset) -> None:
    places = np.arange(dataset.sizes["scenario"])
    shown = (
        (-0.15, "ideal, no write error", dataset.ideal_accuracy, "black", "_"),
        (0, "EaPU", dataset.accuracy, style.COLOURS[0], "o"),
        (0.15, "noisy backpropagation", dataset.noisy_accuracy, style.COLOURS[1], "s"),
    )
    for shift, label, values, colour, marker in shown:
        middle, error = style.middle_half(100 * values, "scenario")
        look: Any = {"color": colour, "marker": marker, "ls": "none", "label": label}
        axes.errorbar(places + shift, middle, error, **look)
    axes.set(title="what it does to accuracy", ylabel="test accuracy (%)")
    axes.set(ylim=(0, 100))
    _name_scenarios(axes, dataset)
    style.key(axes, drop=48)


def says(dataset: xr.Dataset) -> str:
    """How many writes EaPU saves, by scenario, and at what accuracy."""
    found, at = reduction(dataset).median(("seed", "chip")), dataset.scenario.values
    whole = 1000 * dataset.step_ratio.mean("step").median(("seed", "chip"))
    few = [
        f"{float(f):,.0f} ({title(dataset, s)})"
        for f, s in zip(found.values, at, strict=True)
    ]
    lost = 100 * (dataset.ideal_accuracy - dataset.accuracy).median(("seed", "chip"))
    over = int((found >= 1000).sum())
    worst = 100 * (dataset.ideal_accuracy - dataset.noisy_accuracy)
    return (
        "Noisy backpropagation writes more often than EaPU by the factors "
        f"{'; '.join(few)}: {over} of {len(at)} trainings reach the published 1,000. "
        f"EaPU writes {float(whole.min()):.2g} to {float(whole.max()):.2g} ‰ of the "
        "cells per step, the fewer the smaller the learning rate, near the law where "
        "Adam rules; and "
        f"loses {float(lost.max()):.1f} points of accuracy at most, noisy "
        f"backpropagation {float(worst.median(('seed', 'chip')).min()):.0f} at least"
    )


plot = style.panels(
    (style.WIDTH, 9.4),
    [
        [_over_training, _over_training],
        [_per_layer, _accuracies],
        [_reductions, _reductions],
    ],
    says,
)
