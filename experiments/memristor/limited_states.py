"""Few states: the published four-state LeNet-5 and 1,200-state MLP, every rule.

One pulse of a four-state device moves a weight by half of what it can be. Many tiles,
each of which counts half of the one before, are the published answer (arXiv
2510.02516); at 1,200 states two arrays are (Wu et al. 2024, 2025). Here every rule
learns on the same device, each with its own public numbers, see `limited_rules`. Beside
it the cheapest exact anchor, least squares on uneven pulses, see `limited_toy`.

The default is reduced: fewer images, epochs, weights and tiles. "public" has the public
sizes; it takes many hours, and was not run. Neither has the published warm start, which
`eapu_jax.multi_tile` offers.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import xarray as xr

from experiments.contract import Seeded, Sweep, base_of
from experiments.memristor import limited_toy
from experiments.memristor.images import DataSet, images
from experiments.memristor.limited_claims import claims as claims
from experiments.memristor.limited_states_figure import plot as plot
from experiments.memristor.limited_toy import Toy, least_squares
from experiments.memristor.limited_training import DIMS as DIMS
from experiments.memristor.limited_training import Limited
from experiments.memristor.limited_training import simulate as simulate
from experiments.memristor.setting import taken
from experiments.validate import (
    Ascending,
    Count,
    CountOrZero,
    Distinct,
    NonNegative,
    Plural,
    Positive,
    Proportion,
    Several,
    Width,
    one_of,
)

REPRODUCES = (
    "multi-tile residual learning on LeNet-5 with 4 states, and the MLP of 1,200"
)
TOY_DIMS = {"loss": ("batch",)}
ENTRANTS = (
    "noisy", "pulse_train", "stochastic_rounding", "eapu", "mixed_precision",
    "tiki_taka", "tiki_taka_v2", "chopped_tiki_taka", "agad", "residual_learning",
    "residual_learning_v2", "multi_tile",
)  # fmt: skip


class Config(Seeded):
    """Train two networks of two publications under every rule.

    Attributes:
        n_chips: simulated chips.
        chunk: runs per device and call; measured when 0.
        rules: that take part.
        data: data set, of 28x28 images.
        n_train: training images.
        n_test: test images.
        noise: standard deviation of a pulse, in pulses.
        lenet_states: of the LeNet-5's devices.
        lenet_tau: their largest weight.
        lenet_channels: of its convolutions.
        lenet_hidden: width of its dense layer.
        lenet_epochs: passes over the training images.
        lenet_step_epochs: after so many the learning rate is a tenth, again and again.
        lenet_batch: images per step.
        lenet_rate: learning rate.
        tiles: of multi-tile residual learning.
        fcn_states: of the MLP's devices.
        fcn_tau: their largest weight.
        fcn_hidden: widths of its hidden layers.
        fcn_pool: its images are shrunk by this factor.
        fcn_epochs: passes over the training images.
        fcn_step_epochs: after so many the learning rate is halved, again and again.
        fcn_batch: images per step.
        fcn_rate: learning rate.
        fcn_digital_rate: without arrays.
        uneven: how much smaller pulses downwards are, of the least squares.
        toy_chips: simulated chips of the least squares.
        toy_steps: full batches of the least squares.
    """

    n_chips: Plural = 8
    chunk: CountOrZero = 8
    rules: Distinct[Annotated[str, one_of(*ENTRANTS)]] = ENTRANTS
    data: DataSet = "mnist5k"
    n_train: Count = 2000
    n_test: Count = 500
    noise: NonNegative = 0.3
    lenet_states: Plural = 4
    lenet_tau: Positive = 1.0
    lenet_channels: Several[Width] = (8, 16)
    lenet_hidden: Width = 64
    lenet_epochs: Count = 3
    lenet_step_epochs: Count = 3
    lenet_batch: Count = 8
    lenet_rate: Positive = 0.05
    tiles: Plural = 4
    fcn_states: Plural = 1200
    fcn_tau: Positive = 0.6
    fcn_hidden: Several[Width] = (32,)
    fcn_pool: Width = 2
    fcn_epochs: Count = 10
    fcn_step_epochs: Count = 8
    fcn_batch: Count = 10
    fcn_rate: Positive = 0.05
    fcn_digital_rate: Positive = 0.1
    uneven: Ascending[Proportion] = limited_toy.UNEVEN
    toy_chips: Plural = 4
    toy_steps: Count = 600

    def __post_init__(self):
        """Check every field, and both trainings."""
        super().__post_init__()
        self.trainings()

    def trainings(self) -> dict[str, Limited]:
        """What one training of each setting depends on."""
        return {
            "lenet": base_of(
                Limited, self, setting="lenet", schedule="tenths",
                optimizer="plain_sgd", states=self.lenet_states, tau=self.lenet_tau,
                channels=self.lenet_channels, hidden=(self.lenet_hidden,),
                epochs=self.lenet_epochs, step_epochs=self.lenet_step_epochs,
                batch_size=self.lenet_batch, learning_rate=self.lenet_rate,
            ),
            "fcn": base_of(
                Limited, self, setting="fcn", schedule="halves",
                optimizer="plain_sgd", states=self.fcn_states, tau=self.fcn_tau,
                hidden=self.fcn_hidden, pool=self.fcn_pool,
                epochs=self.fcn_epochs, step_epochs=self.fcn_step_epochs,
                batch_size=self.fcn_batch, learning_rate=self.fcn_rate,
            ),
        }  # fmt: skip

    def digital_rates(self) -> dict[str, float]:
        """Learning rates without arrays."""
        return {"lenet": self.lenet_rate, "fcn": self.fcn_digital_rate}

    def of_chips(self, simulate: Any, base: Any, **other: Any) -> Sweep:
        """A sweep of all chips."""
        who: Any = {"chips": self.n_chips, "chunk": self.chunk or None}
        return self.sweep(simulate, base, **(who | other))


PRESETS = {
    "smoke": Config(
        n_chips=2, n_train=80, n_test=40, lenet_channels=(2, 3), lenet_hidden=4,
        lenet_epochs=1, fcn_hidden=(4,), fcn_pool=4, fcn_epochs=1, tiles=2,
        rules=("mixed_precision", "tiki_taka", "tiki_taka_v2", "multi_tile"),
        uneven=(0.0, 0.3), toy_chips=2, toy_steps=4,
    ),
    "large": Config(
        n_chips=16, n_train=4000, n_test=1000, lenet_channels=(16, 32),
        lenet_hidden=128, lenet_epochs=40, lenet_step_epochs=10, tiles=7,
        fcn_hidden=(256, 128), fcn_pool=1, fcn_epochs=30, fcn_step_epochs=15,
        chunk=0, toy_steps=limited_toy.STEPS,
    ),
    "public": Config(
        data="mnist", n_train=60_000, n_test=10_000, chunk=0,
        lenet_channels=(16, 32), lenet_hidden=128, lenet_epochs=200,
        lenet_step_epochs=50, tiles=7, fcn_hidden=(256, 128), fcn_pool=1,
        fcn_epochs=30, fcn_step_epochs=15, toy_steps=limited_toy.STEPS,
    ),
}  # fmt: skip
"""All numbers of "public" are STATED, and those of the default where both agree:
states (lenet also 10), largest weights (fcn also 0.5 and 0.7; 0.6, 0.78 and 0.8 in
2024), learning rates, batches, steps of the rate. The noise of a pulse is the default
of IBM's analog hardware kit (RECALLED); its spread from device to device is left out,
as are the optional converters of 7 and 9 bits (STATED). The published accuracies are
UNKNOWN to us."""


def defaults(config: Config) -> Limited:
    """What one training of the LeNet-5 depends on."""
    return config.trainings()["lenet"]


def sweeps(config: Config) -> dict[str, Sweep]:
    """Every rule in both settings, both without arrays, and the least squares."""
    asked = {}
    for name, base in config.trainings().items():
        axes = {"rule": config.rules}
        asked[name] = config.of_chips(simulate, base, axes=axes, dims=DIMS)
        digital = {"rule": ["ideal"], "learning_rate": [config.digital_rates()[name]]}
        asked[f"{name}_digital"] = config.of_chips(
            simulate, base, axes=digital, dims=DIMS, chips=1, chunk=1
        )
    axes = {"rule": [*limited_toy.RULES], "uneven": config.uneven}
    asked["toy"] = config.of_chips(
        least_squares,
        base_of(Toy, config, uneven=0.0),
        axes=axes | {"reference": [0.0, 1.0]},
        dims=TOY_DIMS,
        chips=config.toy_chips,
        chunk=None,
    )
    return asked


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Accuracies of both settings, the ends of the least squares."""
    parts = []
    for name in config.trainings():
        names = {k: f"{k}_{name}" for k in ("accuracy", "final", "pulses", "words")}
        one = taken(found[name].isel(seed=0, drop=True), **names)
        parts.append(one.rename(epoch=f"epoch_{name}"))
        digital = found[f"{name}_digital"].final.squeeze(drop=True).load()
        parts.append(digital.rename(f"digital_{name}").assign_attrs(units="1"))
    toy = taken(found["toy"].isel(seed=0, drop=True), end="toy_end")
    parts.append(toy.rename(rule="toy_rule", chip="toy_chip").toy_end)
    dataset = xr.merge(parts, compat="no_conflicts", join="exact")
    states = {f"{n}_states": one.states for n, one in config.trainings().items()}
    provenance = images(config.data, config.n_train, config.n_test).provenance
    return dataset.assign_attrs(states, data=provenance, tiles=config.tiles)
