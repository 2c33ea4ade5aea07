"""The figure of `update_ratio`."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import eapu_jax as ej
from experiments import style
from experiments.memristor.scenarios import SCENARIOS
from experiments.memristor.training import PUBLIC_R_WG

PUBLISHED_CEILING = 1.4
"""Update ratio of ResNet152, per mille: always below. STATED, Fig. 5d."""


def reduction(dataset: xr.Dataset) -> xr.DataArray:
    """N_up of noisy backpropagation over that of EaPU, chip by chip."""
    return dataset.noisy_mean_ratio / dataset.mean_ratio


def title(dataset: xr.Dataset, scenario: str) -> str:
    """Name of a scenario with its learning rate."""
    about = SCENARIOS[scenario]
    return about.title.format(lr=about.rate * dataset.attrs["learning_rate"])


@style.styled
def plot(dataset: xr.Dataset) -> Figure:
    """Fig. 5d, 5e, 5f, and what the accuracy is worth."""
    figure = Figure(figsize=(10, 6.6))
    grid = figure.subplots(2, 2)
    _over_training(grid[0, 0], dataset)
    _per_layer(grid[0, 1], dataset)
    _reductions(grid[1, 0], dataset)
    _accuracies(grid[1, 1], dataset)
    style.caption(figure, dataset)
    return figure


def _over_training(axes: Axes, dataset: xr.Dataset) -> None:
    whole = 1000 * dataset.step_ratio
    steps = whole.sizes["step"]
    width = max(steps // 40, 1)  # averaged over windows: single steps write few cells
    smooth = whole.coarsen(step=width, boundary="trim").mean()
    for i, scenario in enumerate(dataset.scenario.values):
        style.band(
            axes,
            smooth.step,
            smooth.sel(scenario=scenario),
            ("seed", "chip"),
            label=title(dataset, scenario),
        )
        if SCENARIOS[scenario].optimizer == "adam":
            rate = SCENARIOS[scenario].rate * dataset.attrs["learning_rate"]
            theta = dataset.attrs["write_noise_uS"] * PUBLIC_R_WG
            law = 1000 * float(ej.laws.adam_update_ratio(rate, theta))
            colour = style.COLOURS[i]
            axes.axhline(law, color=colour, ls=":", lw=1)
    axes.plot([], [], color="0.4", ls=":", lw=1, label="0.183 lr / dW_th (law, Adam)")
    axes.axhline(PUBLISHED_CEILING, color="black", ls="--", lw=1)
    axes.plot([], [], color="black", ls="--", lw=1, label="published: ResNet152 below")
    axes.set(
        title="5d  update ratio over training",
        xlabel="step",
        ylabel="cells written per step (per mille)",
        yscale="log",
    )
    axes.legend(ncols=2, loc="lower left", fontsize="x-small")


def _per_layer(axes: Axes, dataset: xr.Dataset) -> None:
    scenario = dataset.scenario.values[0]
    layers = 1000 * dataset.layer_ratio.sel(scenario=scenario)
    steps = dataset.sizes["step"]
    width = max(steps // 40, 1)
    for share in (0.0, 0.25, 0.5, 0.7, 0.85):
        start = min(int(share * steps), steps - width)
        window = layers.isel(step=slice(start, start + width)).mean("step")
        label = f"steps {start + 1} to {start + width}"
        x = np.arange(1, layers.sizes["layer"] + 1)
        style.band(axes, x, window, ("seed", "chip"), label=label, marker="o")
    axes.set(
        title=f"5e  per layer: {title(dataset, scenario)}",
        xlabel="layer",
        ylabel="cells written per step (per mille)",
        yscale="log",
        xticks=x,
    )
    axes.set_ylim(axes.get_ylim()[0] / 10)  # room for the legend
    axes.legend(loc="lower left", ncols=3, fontsize="x-small")


def _reductions(axes: Axes, dataset: xr.Dataset) -> None:
    values = reduction(dataset)
    low, middle, high = values.quantile([0.25, 0.5, 0.75], ("seed", "chip")).values
    names = [title(dataset, s) for s in dataset.scenario.values]
    places = np.arange(len(names))
    axes.bar(
        places,
        middle,
        yerr=[middle - low, high - middle],
        color=style.COLOURS[: len(names)],
    )
    for place, value in zip(places, middle, strict=True):
        axes.annotate(
            f"{value:,.0f}", (place, value / 1.5), ha="center", va="top", color="white"
        )
    for value, label in ((1e3, "over 10^3"), (1e4, "10^4, pre-trained")):
        axes.axhline(value, color="black", ls="--", lw=1)
        axes.annotate(f"published: {label}", (-0.45, value * 1.08), fontsize="small")
    axes.set(
        title="5f  N_up of noisy backpropagation / N_up of EaPU",
        ylabel="times fewer writes",
        yscale="log",
        ylim=(1, 1e5),
    )
    axes.set_xticks(places, [n.replace(", ", ",\n") for n in names], fontsize="small")


def _accuracies(axes: Axes, dataset: xr.Dataset) -> None:
    places = np.arange(dataset.sizes["scenario"])
    shown = {
        "ideal": (dataset.ideal_accuracy, ("seed",), "black", "_"),
        "EaPU": (dataset.accuracy, ("seed", "chip"), style.COLOURS[0], "o"),
        "noisy backpropagation": (
            dataset.noisy_accuracy,
            ("seed", "chip"),
            style.COLOURS[1],
            "s",
        ),
    }
    for shift, (label, (values, over, colour, marker)) in zip(
        (-0.15, 0, 0.15), shown.items(), strict=True
    ):
        low, middle, high = 100 * values.quantile([0.25, 0.5, 0.75], over).values
        axes.errorbar(
            places + shift,
            middle,
            [middle - low, high - middle],
            color=colour,
            marker=marker,
            ls="none",
            label=label,
        )
    names = [title(dataset, s) for s in dataset.scenario.values]
    axes.set(title="accuracy", ylabel="test accuracy (%)", ylim=(0, 100))
    axes.set_xticks(places, [n.replace(", ", ",\n") for n in names], fontsize="small")
    axes.legend(loc="center left")
