"""Thermodynamic natural gradient descent: how long to wait, how noisy, how late.

A board relaxes for a while at every step of a training; its voltages are the update.
Scanned are the time, the noise of the board and the delay of the digital side, beside
gradient descent (no time), the exact natural gradient and Adam. The published delay
is read here as a board that is never reset (INFERRED, see
`thermo.natural_gradient.running`).
"""

from collections.abc import Mapping
from typing import Annotated, Any

import jax.numpy as jnp
import numpy as np
import xarray as xr

from chipsweep import Keys, Structural
from experiments.contract import Seeded, Sweep, base_of, listed
from experiments.learning.inputs import INPUTS, prepare
from experiments.learning.loop import train
from experiments.learning.natural import Descent, descent, stiffness
from experiments.learning.networks import mlp
from experiments.learning.recipe import Recipe
from experiments.memristor.images import Lesson, images
from experiments.thermodynamic.tngd_claims import claims as claims
from experiments.thermodynamic.tngd_figure import plot as plot
from experiments.validate import (
    Ascending,
    Count,
    CountOrZero,
    NonNegative,
    Plural,
    Positive,
    Several,
    Width,
    one_of,
)

REPRODUCES = "TNGD (arXiv 2405.13817): MNIST over analog time, delay and noise"
DIMS = {"accuracy": ("epoch",), "loss": ("epoch",)}


class Run(Lesson, Recipe, Descent):
    """What one training depends on.

    Attributes:
        hidden: widths of the hidden dense layers.
        pool: images are shrunk by this factor (structural).
        inputs: how pixels enter, see `experiments.learning.inputs`.
    """

    schedule: Annotated[str, one_of("constant")] = "constant"
    hidden: Several[Width] = (32,)
    pool: Width = 2
    inputs: Annotated[str, one_of(*INPUTS)] = "unit"


class Config(Seeded, Lesson):
    """Train a small MLP by what a board says.

    Attributes:
        n_seeds: trainings with different starting weights and image orders.
        chunk: runs per device and call; measured when 0.
        hidden: widths of the hidden dense layers.
        pool: images are shrunk by this factor.
        epochs: passes over the training images.
        learning_rate: of all but Adam.
        adam_rate: of Adam.
        damping: added to the curvature.
        euler_step: of the simulated board, tau.
        times: that the board relaxes, tau; 0 is gradient descent.
        delays: of a board that is never reset, tau.
        delay_time: that it relaxes, tau.
        noises: kappa0 of the board.
        noise_time: that it relaxes, tau.
    """

    n_seeds: Plural = 4
    chunk: CountOrZero = 4
    hidden: Several[Width] = (32,)
    pool: Width = 2
    epochs: Count = 6
    learning_rate: Positive = 0.01
    adam_rate: Positive = 1e-3
    damping: Positive = 0.01
    euler_step: Positive = 0.1
    times: Ascending[NonNegative] = (0.0, 5.0, 10.0, 20.0, 50.0)
    delays: Ascending[NonNegative] = (0.0, 0.2, 1.0)
    delay_time: Positive = 5.0
    noises: Ascending[NonNegative] = (0.0, 0.001, 0.01, 0.1)
    noise_time: Positive = 20.0

    def __post_init__(self):
        """Check every field; scans need two ends."""
        super().__post_init__()
        for name in ("times", "noises"):
            self.require(len(getattr(self, name)) > 1, name, "a scan needs two")
        held = self.delay_time in self.times
        self.require(held, "delay_time", f"one of times, {self.times}")


PRESETS = {
    "smoke": Config(
        n_seeds=2, data="digits", n_train=128, n_test=50, pool=1, hidden=(4,), epochs=2,
        times=(0.0, 2.0), delay_time=2.0, noise_time=2.0, noises=(0.0, 0.1),
        euler_step=0.5,
    ),
    "large": Config(
        n_seeds=8, data="mnist", n_train=10_000, n_test=10_000, pool=1, epochs=10,
        noises=(0.0, 0.001, 0.01, 0.03, 0.1), noise_time=50.0,
    ),
}  # fmt: skip
"""STATED, and those of "large": 10,000 + 10,000 images of MNIST, batches of 64, 10
epochs, learning rate and damping of 0.01, steps of 0.1 tau, the times and delays, noise
up to 0.1. ASSUMED: the network, inputs from 0 to 1, the rate of Adam, and the times at
which delay and noise are scanned."""


def simulate(point: Any, chip: Any, keys: Keys, trace: bool = False) -> dict[str, Any]:
    """Train one network; the noise of its board is that of the chip.

    Returns:
        `accuracy` after each epoch, mean `loss` of each, `stiffness`: above 1, or NaN,
        where a step of the simulated board was too long. If traced also `losses`, of
        every step.
    """
    del chip
    recipe = base_of(Recipe, point)
    data = prepare(
        images(point.data, point.n_train, point.n_test), point.pool, point.inputs
    )
    curves = train(
        keys,
        mlp((*point.hidden, 10)),
        data,
        recipe,
        "ideal",
        optimizer=descent(keys.chip, point, recipe, point.n_train),
    )
    found = {
        "accuracy": curves.score,
        "loss": jnp.mean(curves.loss.reshape(point.epochs, -1), axis=1),
        "stiffness": stiffness(curves.optimizer),
    }
    return found | ({"losses": curves.loss} if trace else {})


def defaults(config: Config) -> Run:
    """What one training depends on."""
    return base_of(Run, config, time=config.times[-1])


def sweeps(config: Config) -> dict[str, Sweep]:
    """Over times, delays and noises; the exact natural gradient and Adam."""
    base = defaults(config)
    late = base_of(Run, base, method="running", time=config.delay_time)
    loud = base_of(Run, base, time=config.noise_time)
    rivals = [{"method": "natural"}]
    rivals += [{"method": "adam", "learning_rate": config.adam_rate}]
    asked: dict[str, tuple[Run, dict[str, Any]]] = {
        "times": (base, {"axes": {"time": Structural(config.times)}}),
        "delays": (late, {"axes": {"delay": config.delays}}),
        "noises": (loud, {"axes": {"board_noise": config.noises}}),
        "rivals": (base, listed(base, rivals)),
    }
    who: Any = {"seeds": config.n_seeds, "dims": DIMS, "chunk": config.chunk or None}
    return {
        name: config.sweep(simulate, at, **axes, **who)
        for name, (at, axes) in asked.items()
    }


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Accuracies in %, losses, and the largest stiffness of each scan."""
    parts = []
    for name, one in found.items():
        part = one.isel(chip=0, drop=True).load()
        if name == "rivals":
            part = part.assign_coords(point=["natural", "adam"]).rename(point="rival")
            part = part.drop_vars(["method", "learning_rate"], errors="ignore")
        epochs = np.arange(1, config.epochs + 1)
        part = part.assign(accuracy=100 * part.accuracy).assign_coords(epoch=epochs)
        parts.append(part.rename({k: f"{k}_{name}" for k in part.data_vars}))
    dataset = xr.merge(parts, join="exact", compat="equals")
    return dataset.assign_attrs(
        delay_time=config.delay_time, noise_time=config.noise_time,
        adam_rate=config.adam_rate,
        data=(
            f"{config.images().provenance}; MLP {config.hidden} (ASSUMED), "
            f"{config.n_seeds} seeds, batch {config.batch_size}, rate "
            f"{config.learning_rate:g}, damping {config.damping:g}, Euler steps of "
            f"{config.euler_step:g} tau"
        ),
    )  # fmt: skip
