"""How few cells are written: over training, per layer, and in all.

R_up is the fraction of the array's cells written in one step. It is the mean of
|dW| / dW_th while no update exceeds the threshold (I7), so it falls with the
learning rate: 0.183 lr / dW_th at most for Adam (I8).
"""

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

import jax
import jax.random as jr
import numpy as np
import xarray as xr

from eapu_jax.placement import on_array
from experiments.claims import Claim, above, below, monotone
from experiments.memristor import learning
from experiments.memristor.mlp_setting import MlpSetting
from experiments.memristor.scenarios import SCENARIOS
from experiments.memristor.setting import LARGE, SMOKE, lay_out
from experiments.memristor.update_ratio_figure import plot as plot
from experiments.memristor.update_ratio_figure import reduction
from experiments.memristor.verdicts import judged
from experiments.training import (
    Data,
    Recipe,
    layer_names,
    mean_update_ratio,
    population,
    train,
)
from experiments.validate import (
    Count,
    Distinct,
    Positive,
    Several,
    Width,
    one_of,
    refuse_unless,
)
from experiments.work import Work

REPRODUCES = "EaPU, Fig. 5d, 5e, 5f: update ratio over training, per layer, and N_up"
MINUTES = 1.0

PUBLISHED_MEAN = 0.86
"""Its mean, per mille. PRESS: not traced to the paper's text."""


def _require_halves(asked: Any) -> None:
    words = f"must be at most half of n_train = {asked.n_train}"
    fills = 2 * asked.batch_size <= asked.n_train
    refuse_unless(fills, asked, "batch_size", words)


@dataclass(frozen=True, kw_only=True)
class Tuning(learning.Training):
    """A training on the second half of the images, perhaps after one on the first.

    Attributes:
        pretraining: learning rate of the noiseless training on the first half, by
            Adam and dropping to a tenth; none goes before when None.
    """

    pretraining: Positive | None = None

    def __post_init__(self):
        """Check every field; either half of the images must fill a batch."""
        super().__post_init__()
        _require_halves(self)


@dataclass(frozen=True, kw_only=True)
class Config(MlpSetting):
    """Train a five-layer MLP in four ways and count its writes.

    The first half of the training images serves the noiseless pre-training
    alone, the second half everything else.

    Attributes:
        scenarios: which of the ways to train, see `SCENARIOS`.
        epochs: passes over the second half of the training images.
        learning_rate: of Adam; the low rate is a tenth of it, fine-tuning takes a
            hundredth, SGD fifty times as much.
    """

    scenarios: Distinct[Annotated[str, one_of(*SCENARIOS)]] = tuple(SCENARIOS)
    hidden: Several[Width] = (64, 64, 64, 64)
    epochs: Count = 16

    def __post_init__(self):
        """Check every field, and every scenario with its own learning rate."""
        super().__post_init__()
        _require_halves(self)
        for name in self.scenarios:
            self.scenario(name)

    def base(self, pretraining: float | None = None, **other: Any) -> Tuning:
        """What one training depends on, see `MlpSetting.base`."""
        return Tuning(**vars(super().base(**other)), pretraining=pretraining)

    def scenario(self, name: str) -> Tuning:
        """How scenario `name` is trained."""
        about = SCENARIOS[name]
        return self.base(
            optimizer=about.optimizer,
            schedule=about.schedule,
            learning_rate=about.rate * self.learning_rate,
            pretraining=self.learning_rate if about.pretrained else None,
        )


PRESETS = {
    "smoke": Config(**SMOKE, scenarios=("sgd",), hidden=(16,), epochs=3, batch_size=32),
    "large": Config(**LARGE, hidden=(512,) * 10, pool=1, epochs=100, batch_size=128),
}


def halves(data: Data) -> tuple[Data, Data]:
    """The same test images with the first, and the second, half to train on."""
    n = len(data.x_train) // 2
    first = data._replace(x_train=data.x_train[:n], y_train=data.y_train[:n])
    second = data._replace(x_train=data.x_train[n:], y_train=data.y_train[n:])
    return first, second


def one_chip(point: Any, chip: Any, key: Any, trace: bool = False) -> dict[str, Any]:
    """As `learning.one_chip`, on the second half of the images.

    Args:
        point: fields of `Tuning`.
        chip: index, see `learning.learn`.
        key: all dice; those of the pre-training too.
        trace: see `learning.one_chip`.
    """
    images, classes = learning.prepared(point)
    before, data = halves(images)
    if point.pretraining is None:
        return learning.learn(point, chip, key, trace, data=data)[1]
    unit = Recipe(epochs=point.epochs, batch_size=point.batch_size, learning_rate=1.0)
    rates = point.pretraining * unit.rates(len(before.x_train))
    key_before, network = jr.fold_in(key, 3), learning.network(point, classes)
    params = train(key_before, network, before, unit, "ideal", rates=rates).params
    return learning.learn(point, chip, key, trace, data=data, params=params)[1]


def run(config: Config, work: Work | None = None) -> xr.Dataset:
    """Train every scenario with EaPU, noisy backpropagation, and ideally."""
    work = work or Work()
    images, classes = learning.prepared(config.base())
    before, data = halves(images)
    network = learning.network(config.base(), classes)
    work.expect(len(config.scenarios) * config.n_seeds * 3)

    @cache
    def trainer(optimizer: str, rule: str):  # rates are an argument: compiled once
        return population(network, config.base(optimizer=optimizer).recipe, rule)

    @cache
    def pretrained(seed: int):
        rates = config.base().recipe.rates(len(before.x_train))
        curves = trainer("adam", "ideal")(config.key(seed), before, 1, rates=rates)
        return jax.tree.map(lambda w: w[0], curves.params)

    def count(scenario: str, seed: int, rule: str) -> xr.Dataset:
        noise, how = config.write_noise, config.scenario(scenario)
        curves = trainer(how.optimizer, rule)(
            config.key(config.n_seeds + seed),
            data,
            1 if rule == "ideal" else config.n_chips,
            noise,
            noise,
            params=None if how.pretraining is None else pretrained(seed),
            rates=how.recipe.rates(len(data.x_train)),
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
        lay_out(work, {"rule": [rule], **axes}, count).isel(rule=0, drop=True)
        for rule in ("eapu", "noisy", "ideal")
    )
    x = jax.ShapeDtypeStruct((1, *data.x_train.shape[1:]), np.float32)
    params = jax.eval_shape(network.init, config.key(0), x)
    cells = [w.size for w in on_array(params).values()]
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
        data=config.images().provenance,
        write_noise_uS=config.write_noise,
        learning_rate=config.learning_rate,
    )


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
