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


def _over_training(axes: Axes, dataset: xr.Dataset) -> None:
    whole = 1000 * dataset.step_ratio
    width = max(whole.sizes["step"] // 40, 1)  # single steps write few cells
    smooth = whole.coarsen(step=width, boundary="trim").mean()
    theta = dataset.attrs["write_noise_uS"] * PUBLIC_R_WG
    for scenario, colour in zip(dataset.scenario.values, style.COLOURS, strict=False):
        label, about = title(dataset, scenario), SCENARIOS[scenario]
        values = smooth.sel(scenario=scenario)
        style.band(axes, smooth.step, values, label=label, color=colour)
        if about.optimizer == "adam":
            rate = about.rate * dataset.attrs["learning_rate"]
            law = 1000 * float(ej.laws.adam_update_ratio(rate, theta))
            axes.axhline(law, color=colour, ls=":", lw=1)
    axes.plot(
        [],
        [],
        color="0.4",
        ls=":",
        lw=1,
        label="0.183 learning rate / threshold (law, Adam)",
    )
    style.published_line(axes, PUBLISHED_CEILING, "ResNet152 below", linewidth=1)
    axes.set(title="5d  update ratio over training", xlabel="step", yscale="log")
    axes.set_ylabel("cells written per step (per mille)")
    axes.legend(ncols=2, loc="lower left", fontsize="x-small")


def _per_layer(axes: Axes, dataset: xr.Dataset) -> None:
    scenario = dataset.scenario.values[0]
    layers = 1000 * dataset.layer_ratio.sel(scenario=scenario)
    steps, x = dataset.sizes["step"], layers.layer + 1
    width = max(steps // 40, 1)
    for share in (0.0, 0.25, 0.5, 0.7, 0.85):
        start = min(int(share * steps), steps - width)
        window = layers.isel(step=slice(start, start + width)).mean("step")
        label = f"steps {start + 1} to {start + width}"
        style.band(axes, x, window, label=label, marker="o")
    axes.set(title=f"5e  per layer: {title(dataset, scenario)}", xlabel="layer")
    axes.set_ylabel("cells written per step (per mille)")
    axes.set(yscale="log", xticks=x)
    axes.set_ylim(axes.get_ylim()[0] / 10)  # room for the legend
    axes.legend(loc="lower left", ncols=3, fontsize="x-small")


def _name_scenarios(axes: Axes, dataset: xr.Dataset) -> None:
    names = [title(dataset, s).replace(", ", ",\n") for s in dataset.scenario.values]
    axes.set_xticks(range(len(names)), names, fontsize="small")


def _reductions(axes: Axes, dataset: xr.Dataset) -> None:
    middle, error = style.middle_half(reduction(dataset), "scenario")
    places = np.arange(len(middle))
    axes.bar(places, middle, yerr=error, color=style.COLOURS[: len(middle)])
    look: Any = {"ha": "center", "va": "top", "color": "white"}
    for place, value in enumerate(middle):
        axes.annotate(f"{value:,.0f}", (place, value / 1.5), **look)
    for value, label in ((1e3, "over 10^3"), (1e4, "10^4, pre-trained")):
        axes.axhline(value, color="black", ls="--", lw=1)
        axes.annotate(f"published: {label}", (-0.45, value * 1.08), fontsize="small")
    axes.set_title("5f  writes of noisy backpropagation / writes of EaPU")
    axes.set(ylabel="times fewer writes", yscale="log", ylim=(1, 1e5))
    _name_scenarios(axes, dataset)


def _accuracies(axes: Axes, dataset: xr.Dataset) -> None:
    places = np.arange(dataset.sizes["scenario"])
    shown = (
        (-0.15, "ideal", dataset.ideal_accuracy, "black", "_"),
        (0, "EaPU", dataset.accuracy, style.COLOURS[0], "o"),
        (0.15, "noisy backpropagation", dataset.noisy_accuracy, style.COLOURS[1], "s"),
    )
    for shift, label, values, colour, marker in shown:
        middle, error = style.middle_half(100 * values, "scenario")
        look: Any = {"color": colour, "marker": marker, "ls": "none", "label": label}
        axes.errorbar(places + shift, middle, error, **look)
    axes.set(title="accuracy", ylabel="test accuracy (%)", ylim=(0, 100))
    _name_scenarios(axes, dataset)
    axes.legend(loc="center left")


_ROWS = [_over_training, _per_layer], [_reductions, _accuracies]
plot = style.panels((10, 6.6), _ROWS)
