"""Thermodynamic natural gradient descent: how long to wait, how noisy, how late.

A board relaxes for a while at every step of a training; its voltages are the update.
Scanned are the time, the noise of the board and the delay of the digital side, beside
gradient descent (no time), the exact natural gradient and Adam. The published delay
is read here as a board that is never reset (INFERRED, see
`thermo.natural_gradient.running`).
"""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

import jax.numpy as jnp
import numpy as np
import xarray as xr

from chipsweep import Keys, Structural
from experiments.claims import Claim, above, below, both, judged, monotone
from experiments.contract import Seeded, Sweep, base_of, listed
from experiments.learning.inputs import INPUTS, prepare
from experiments.learning.loop import train
from experiments.learning.natural import Descent, descent, stiffness
from experiments.learning.networks import mlp
from experiments.learning.recipe import Recipe
from experiments.memristor.images import Lesson, images
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
        "accuracy": curves.test_accuracy,
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


TEXT, SECOND = "arXiv 2405.13817", "a text about arXiv 2405.13817 (second hand)"


def _near(bound: float, low: float, high: float) -> str:
    """The whole band within a bound on either side of zero."""
    return both(above(-bound, low, high), below(bound, low, high))


def claims(dataset: xr.Dataset) -> list[Claim]:
    """Time, noise and delay, each as the data say."""
    last = dataset.isel(epoch=-1)
    times, exact = last.accuracy_times, last.accuracy_rivals.sel(rival="natural")
    longest = times.isel(time=-1)
    tau = float(times.time[-1])
    noises = last.accuracy_noises
    reset = times.sel(time=dataset.delay_time)
    late = last.accuracy_delays.isel(delay=-1)
    delay = float(late.delay)
    early = dataset.isel(epoch=0)
    lead = early.accuracy_times.isel(time=-1) - early.accuracy_rivals.sel(rival="adam")

    def points(claim, source, found, rule, also=()):
        return judged(dataset, claim, source, found, rule, unit="points", also=also)

    def lost(kappa: float) -> xr.DataArray:
        at = noises.sel(board_noise=kappa, method="nearest")
        return noises.isel(board_noise=0) - at

    rising = monotone(times.median("seed").values.tolist(), slack=1.0)
    return [
        points(
            f"t = 50 tau is about the natural gradient (ours: accuracy at {tau:g} tau "
            "less that of the exact one; within 1 point)",
            TEXT, longest - exact, partial(_near, 1.0),
        ),
        points(
            "the longer the board relaxes the better (ours: longest time less none, "
            "medians rising)",
            TEXT, longest - times.isel(time=0), partial(above, 0.0), [rising],
        ),
        points(
            "noise of 0.01 is harmless (ours: accuracy lost to it at "
            f"{dataset.noise_time:g} tau; below 1 point)",
            TEXT, lost(0.01), partial(below, 1.0),
        ),
        points(
            "noise of 0.1 is visible (ours: accuracy lost to it at "
            f"{dataset.noise_time:g} tau; above 1 point)",
            TEXT, lost(0.1), partial(above, 1.0),
        ),
        points(
            f"a delay helps as momentum does (ours: a board never reset, {delay:g} tau "
            f"late, less one that is reset, at {dataset.delay_time:g} tau)",
            TEXT, late - reset, partial(above, 0.0),
        ),
        points(
            "with a delay it is better than the exact natural gradient (ours: the same "
            "board)",
            SECOND, late - exact, partial(above, 0.0),
        ),
        points(
            f"it is ahead of Adam at first (ours: after one epoch, {tau:g} tau)",
            SECOND, lead, partial(above, 0.0),
        ),
    ]  # fmt: skip
