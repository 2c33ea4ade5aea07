"""How few cells are written: over training, per layer, and in all.

R_up is the fraction of the array's cells written in one step. It is the mean of
|dW| / dW_th while no update exceeds the threshold (I7), so it falls with the
learning rate: 0.183 lr / dW_th at most for Adam (I8).
"""

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import jax
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import eapu_jax as ej
from experiments import style
from experiments.claims import Claim, above, below, monotone
from experiments.memristor.setting import (
    PUBLIC_R_WG,
    Setting,
    lay_out,
    require_positive,
)
from experiments.memristor.verdicts import judged
from experiments.networks import mlp
from experiments.training import (
    Data,
    Recipe,
    layer_names,
    mean_update_ratio,
    population,
    prepare,
)
from experiments.work import Work

REPRODUCES = "EaPU, Fig. 5d, 5e, 5f: update ratio over training, per layer, and N_up"
MINUTES = 0.9

PUBLISHED_CEILING = 1.4
"""Update ratio of ResNet152, per mille: always below. STATED, Fig. 5d."""
PUBLISHED_MEAN = 0.86
"""Its mean, per mille. PRESS: not traced to the paper's text."""


class Scenario(NamedTuple):
    """One way to train.

    Attributes:
        title: for legends.
        optimizer: "adam" or "sgd".
        schedule: of the learning rate.
        rate: learning rate, in units of `Config.learning_rate`.
        pretrained: whether a noiseless training on other images goes before.
    """

    title: str
    optimizer: str
    schedule: str
    rate: float
    pretrained: bool = False


SCENARIOS = {
    "sgd": Scenario("SGD, momentum, cosine", "sgd", "cosine", 50.0),
    "adam": Scenario("Adam {lr:g}, then a tenth", "adam", "drop", 1.0),
    "adam_low": Scenario("Adam {lr:g}", "adam", "constant", 0.1),
    "pretrained": Scenario("Adam {lr:g}, pre-trained", "adam", "constant", 0.01, True),
}


@dataclass(frozen=True, kw_only=True)
class Config(Setting):
    """Train a five-layer MLP in four ways and count its writes.

    The first half of the training images serves the noiseless pre-training
    alone, the second half everything else.

    Attributes:
        scenarios: which of the ways to train, see `SCENARIOS`.
        write_noise: SD(eps_cell) and threshold, uS.
        hidden: widths of the MLP's hidden layers.
        pool: images are shrunk by this factor.
        epochs: passes over the second half of the training images.
        learning_rate: of Adam; the low rate is a tenth of it, fine-tuning takes a
            hundredth, SGD fifty times as much.
    """

    scenarios: tuple[str, ...] = tuple(SCENARIOS)
    write_noise: float = 2.0
    hidden: tuple[int, ...] = (64, 64, 64, 64)
    pool: int = 2
    epochs: int = 16
    learning_rate: float = 1e-3

    def __post_init__(self):
        """Check what does not depend on the data."""
        super().__post_init__()
        require_positive("write_noise", self.write_noise)
        if 2 * self.batch_size > self.n_train:
            raise ValueError(
                f"batch_size must be at most half of n_train = {self.n_train}, "
                f"got {self.batch_size}"
            )
        if not self.scenarios or not set(self.scenarios) <= set(SCENARIOS):
            raise ValueError(
                f"scenarios must be of {list(SCENARIOS)}, got {self.scenarios}"
            )
        for name in self.scenarios:
            self.recipe(name)

    def recipe(self, name: str) -> Recipe:
        """How scenario `name` is trained."""
        scenario = SCENARIOS[name]
        return Recipe(
            epochs=self.epochs,
            batch_size=self.batch_size,
            optimizer=scenario.optimizer,
            schedule=scenario.schedule,
            learning_rate=scenario.rate * self.learning_rate,
        )


PRESETS = {
    "smoke": Config(
        n_seeds=1,
        n_chips=2,
        data="digits",
        n_train=320,
        n_test=100,
        scenarios=("sgd",),
        hidden=(16,),
        epochs=3,
        batch_size=32,
    ),
    # Towards the paper: its ResNet152 and Swin are for later.
    "large": Config(
        n_seeds=5,
        n_chips=64,
        data="mnist",
        n_train=60_000,
        n_test=10_000,
        hidden=(512,) * 10,
        pool=1,
        epochs=100,
        batch_size=128,
    ),
}


def halves(data: Data) -> tuple[Data, Data]:
    """The same test images with the first, and the second, half to train on."""
    n = len(data.x_train) // 2
    first = data._replace(x_train=data.x_train[:n], y_train=data.y_train[:n])
    second = data._replace(x_train=data.x_train[n:], y_train=data.y_train[n:])
    return first, second


def run(config: Config, work: Work | None = None) -> xr.Dataset:
    """Train every scenario with EaPU, noisy backpropagation, and ideally."""
    work = work or Work()
    images = config.images()
    before, data = halves(prepare(images, config.pool))
    network = mlp((*config.hidden, images.n_classes))
    work.expect(len(config.scenarios) * config.n_seeds * 3)

    @cache
    def trainer(optimizer: str, rule: str):  # rates are an argument: compiled once
        recipe = Recipe(
            epochs=config.epochs, batch_size=config.batch_size, optimizer=optimizer
        )
        return population(network, recipe, rule)

    @cache
    def pretrained(seed: int):
        rates = config.recipe("adam").rates(len(before.x_train))
        curves = trainer("adam", "ideal")(config.key(seed), before, 1, rates=rates)
        return jax.tree.map(lambda w: w[0], curves.params)

    def train(scenario: str, seed: int, rule: str) -> xr.Dataset:
        noise = config.write_noise
        curves = trainer(SCENARIOS[scenario].optimizer, rule)(
            config.key(config.n_seeds + seed),
            data,
            1 if rule == "ideal" else config.n_chips,
            noise,
            noise,
            params=pretrained(seed) if SCENARIOS[scenario].pretrained else None,
            rates=config.recipe(scenario).rates(len(data.x_train)),
        )
        found = {
            "accuracy": ("chip", curves.test_accuracy[:, -1]),
            "mean_ratio": ("chip", mean_update_ratio(curves)),
        }
        if rule == "eapu":
            found["layer_ratio"] = (("chip", "step", "layer"), curves.update_ratio)
        return xr.Dataset(found)

    axes = {"scenario": config.scenarios, "seed": range(config.n_seeds)}
    dataset, noisy, ideal = (
        lay_out(work, {"rule": [rule], **axes}, train).isel(rule=0, drop=True)
        for rule in ("eapu", "noisy", "ideal")
    )
    x = jax.ShapeDtypeStruct((1, *data.x_train.shape[1:]), np.float32)
    params = jax.eval_shape(network.init, config.key(0), x)
    cells = [w.size for w in jax.tree.leaves(params) if ej.is_on_array(w)]
    dataset = dataset.assign(
        noisy_accuracy=noisy.accuracy,
        noisy_mean_ratio=noisy.mean_ratio,
        ideal_accuracy=ideal.accuracy.isel(chip=0, drop=True),
    ).assign_coords(
        layer=layer_names(params),
        cells=("layer", cells, {"units": "cells"}),
        step=np.arange(1, dataset.sizes["step"] + 1),
    )
    for name in dataset.data_vars:
        dataset[name].attrs["units"] = "1"
    return dataset.assign_attrs(
        data=images.provenance,
        write_noise_uS=config.write_noise,
        learning_rate=config.learning_rate,
    )


def ratio(dataset: xr.Dataset) -> xr.DataArray:
    """Update ratio of the whole array at every step, per mille."""
    return 1000 * dataset.layer_ratio.weighted(dataset.cells).mean("layer")


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
    whole = ratio(dataset)
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
    axes.plot([], [], color="0.4", ls=":", lw=1, label="0.183 lr / dW_th (I8, Adam)")
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


def claims(dataset: xr.Dataset) -> list[Claim]:
    """H1 and H5."""
    per_mille = 1000 * dataset.mean_ratio
    fewer = reduction(dataset)
    rows = {
        "sgd": (
            "update ratio below 1 per mille, averaged over a training with SGD "
            "(ours: a tiny network)",
            "abstract, Fig. 5d; mean 0.86 in press coverage",
            PUBLISHED_MEAN,
            per_mille,
            lambda low, high: below(1.0, low, high),
            "per mille",
        ),
        "adam_low": (
            "N_up falls by over three orders of magnitude (Adam, low learning rate)",
            "Fig. 5f",
            1e3,
            fewer,
            lambda low, high: above(1e3, low, high),
            "times",
        ),
        "pretrained": (
            "N_up falls by four orders of magnitude with pre-trained weights",
            "Fig. 5f (four in all: inferred)",
            1e4,
            fewer,
            lambda low, high: above(1e4, low, high),
            "times",
        ),
    }
    scale = dataset.attrs.get("scale", "reduced")
    judgements = [
        judged(
            values.sel(scenario=scenario),
            judge,
            claim=claim,
            source=source,
            published=published,
            unit=unit,
            scale=scale,
        )
        for scenario, (claim, source, published, values, judge, unit) in rows.items()
        if scenario in dataset.scenario
    ]
    return judgements + _proportion(per_mille, scale)


def _proportion(per_mille: xr.DataArray, scale: str) -> list[Claim]:
    """R_up falls with the learning rate: Adam at 1, 1/10 and 1/100 of its rate."""
    falling = ["adam", "adam_low", "pretrained"]
    if not set(falling) <= set(per_mille.scenario.values):
        return []
    medians = per_mille.sel(scenario=falling).median(("seed", "chip")).values.tolist()
    return [
        judged(
            per_mille.sel(scenario="pretrained"),
            lambda low, high: monotone(medians, rising=False),
            claim="update ratio falls with the learning rate of Adam "
            "(ours: at the lowest; I8 predicts 0.073)",
            source="Fig. 5f; derived (I8)",
            published=None,
            unit="per mille",
            scale=scale,
        )
    ]
