"""How few cells are written: over training, per layer, and in all.

R_up is the fraction of the array's cells written in one step. It is the mean of
|ΔW| / ΔW_th while no update exceeds the threshold, so it falls with the learning
rate: 0.183 lr / ΔW_th at most for Adam.
"""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

from chipsweep import Keys
from experiments.claims import Claim, above, below, judged, monotone, spread
from experiments.contract import Sweep, base_of
from experiments.learning.inputs import Data
from experiments.learning.loop import train
from experiments.learning.recipe import Recipe
from experiments.memristor import training
from experiments.memristor.scenarios import SCENARIOS
from experiments.memristor.setting import LARGE, SMOKE, MlpSetting, taken
from experiments.memristor.setting import defaults as defaults
from experiments.memristor.training import Training, learn, network, prepared
from experiments.memristor.update_ratio_figure import plot as plot
from experiments.memristor.update_ratio_figure import reduction
from experiments.validate import Count, Distinct, Positive, Several, Width, one_of

REPRODUCES = "EaPU, Fig. 5d, 5e, 5f: update ratio over training, per layer, and writes"
DIMS = training.DIMS | {"layer_ratio": ("step", "layer"), "step_ratio": ("step",)}

PUBLISHED_MEAN = 0.86
"""Of ResNet152, per mille. STATED in press coverage alone."""


class Tuning(Training):
    """A training on the second half of the images, perhaps after one on the first.

    Attributes:
        pretraining: learning rate of the noiseless training on the first half, by
            Adam and dropping to a tenth; none goes before when None.
    """

    parts = 2
    pretraining: Positive | None = None


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

    parts = 2
    scenarios: Distinct[Annotated[str, one_of(*SCENARIOS)]] = tuple(SCENARIOS)
    hidden: Several[Width] = (64, 64, 64, 64)
    epochs: Count = 16

    def trainings(self) -> dict[str, Tuning]:
        """How every scenario is trained."""
        found, rate = {}, self.learning_rate
        for name in self.scenarios:
            about = SCENARIOS[name]
            found[name] = base_of(
                Tuning,
                self,
                optimizer=about.optimizer,
                schedule=about.schedule,
                learning_rate=about.rate * rate,
                pretraining=rate if about.pretrained else None,
            )
        return found


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


def simulate(point: Any, chip: Any, keys: Keys, trace: bool = False) -> dict[str, Any]:
    """Train one chip as `Tuning` says; what it wrote at every step.

    Returns:
        Beside the outputs of `experiments.memristor.training.simulate`: `layer_ratio`,
        the fraction of a layer's cells written in a step, and `step_ratio`, that of
        all cells.
    """
    del chip
    before, data = halves(prepared(point))
    params = None if point.pretraining is None else _pretrained(point, keys, before)
    curves, found = learn(point, keys, trace, data=data, params=params)
    cells = jnp.array([n.size for n in curves.writes], jnp.float32)
    return found | {
        "layer_ratio": curves.update_ratio,
        "step_ratio": curves.update_ratio @ (cells / cells.sum()),
    }


def _pretrained(point: Any, keys: Keys, data: Data) -> Any:
    """Weights after a noiseless training, the same for all chips of a seed."""
    recipe = Recipe(epochs=point.epochs, batch_size=point.batch_size)
    first, rate = keys._replace(seed=jr.fold_in(keys.seed, 3)), point.pretraining
    of = network(point), data, recipe, "ideal"
    return train(first, *of, learning_rate=rate).params


def sweeps(config: Config) -> dict[str, Sweep]:
    """EaPU and noisy backpropagation in every scenario, and its ideal training."""
    rules = {"rule": ("eapu", "noisy")}
    return config.beside_ideal(simulate, axes=rules, dims=DIMS)


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """All scenarios side by side; of each rule what is judged or drawn."""
    short = {"final": "accuracy", "update_ratio": "mean_ratio"}
    longer = {name: f"noisy_{new}" for name, new in short.items()}
    parts = []
    for name in config.scenarios:
        eapu, noisy = (found[name].sel(rule=r, drop=True) for r in ("eapu", "noisy"))
        ideal = taken(found[f"{name}_ideal"], final="ideal_accuracy")
        part = taken(eapu, "layer_ratio", "step_ratio", **short)
        part = part.merge(taken(noisy, **longer))
        parts.append(part.merge(ideal.isel(chip=0, drop=True)))
    scenarios = xr.Variable("scenario", list(config.scenarios))
    dataset = xr.concat(parts, scenarios, join="exact")
    dataset = dataset.assign_coords(step=np.arange(1, dataset.sizes["step"] + 1))
    return dataset.assign_attrs(config.facts())


FALLING = ["adam", "adam_low", "pretrained"]
"""Scenarios of Adam at 1, 1/10 and 1/100 of its learning rate."""


def claims(dataset: xr.Dataset) -> list[Claim]:
    """Update ratios and numbers of writes, and what the learning rate does."""
    per_mille, fewer = 1000 * dataset.mean_ratio, reduction(dataset)
    rows = (
        (
            ["sgd"],
            "update ratio below 1 per mille, averaged over a training with SGD "
            "(ours: a tiny network)",
            "abstract, Fig. 5d; mean 0.86 in press coverage",
            *(per_mille, "per mille", partial(below, 1.0), PUBLISHED_MEAN),
        ),
        (
            ["adam_low"],
            "writes fall by over three orders of magnitude (Adam, low learning rate)",
            "Fig. 5f",
            *(fewer, "times", partial(above, 1e3), 1e3),
        ),
        (
            ["pretrained"],
            "writes fall by four orders of magnitude with pre-trained weights",
            "Fig. 5f (four in all: inferred)",
            *(fewer, "times", partial(above, 1e4), 1e4),
        ),
        (
            FALLING,
            "update ratio falls with the learning rate of Adam "
            "(ours: at the lowest; the law predicts 0.073)",
            "Fig. 5f; derived",
            *(per_mille, "per mille", partial(_falls, per_mille), None),
        ),
    )
    made = []
    for scenarios, claim, source, values, unit, rule, published in rows:
        if set(scenarios) <= set(dataset.scenario.values):
            found = spread(values.sel(scenario=scenarios[-1]), 0.05)
            more: Any = {"unit": unit, "published": published}
            made.append(judged(dataset, claim, source, found, rule, **more))
    return made


def _falls(per_mille: xr.DataArray, low: float, high: float) -> str:
    del low, high
    medians = per_mille.sel(scenario=FALLING).median(("seed", "chip"))
    return monotone(medians.values.tolist(), rising=False)
