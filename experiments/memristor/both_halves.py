"""A thermodynamic board computes the update, memristors learn it: both halves at once.

`optax.chain(relaxed(...), scale(-rate), eapu(...), program(...))`: the natural gradient
is what a noisy board says after a while, EaPU turns it into rare pulses, an array with
write errors holds the weights. Beside it Adam and gradient descent with EaPU, and all
of them as noisy backpropagation, which writes every update. Each has several learning
rates, as rates of different methods are not comparable; nothing else is tuned.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from chipsweep import Keys
from experiments.claims import nothing_published as claims  # noqa: F401
from experiments.contract import Sweep, base_of
from experiments.learning.curves import Step
from experiments.learning.natural import Descent, descent, stiffness
from experiments.learning.recipe import Recipe
from experiments.memristor.both_halves_figure import plot as plot
from experiments.memristor.setting import SMOKE, MlpSetting, taken
from experiments.memristor.training import Training, learn
from experiments.validate import (
    Ascending,
    Count,
    NonNegative,
    Positive,
    Proportion,
    Several,
    Width,
    one_of,
)

REPRODUCES = "nothing published: natural gradients of a board, learned by memristors"
DIMS = {"accuracy": ("epoch",), "pulses": ("epoch",)}
RULES = ("eapu", "noisy", "ideal")
METHODS = ("relaxed", "adam", "sgd")


class Run(Descent, Training):
    """What one training depends on; `optimizer` and `strength` are not used.

    Attributes:
        method: see `experiments.learning.natural.Descent`.
    """

    method: Annotated[str, one_of(*METHODS)] = "relaxed"
    schedule: Annotated[str, one_of("constant")] = "constant"
    learning_rate: Positive = 0.03
    inputs: Annotated[str, one_of("unit", "standardised", "bipolar")] = "unit"


class Config(MlpSetting):
    """Train an MLP on noisy arrays by three methods at several learning rates.

    Attributes:
        learning_rate: of the scan of the board's noise.
        relaxed_rates: of the natural gradient, ascending.
        adam_rates: of Adam, ascending.
        sgd_rates: of gradient descent, ascending.
        time: that the board relaxes, tau.
        damping: added to the curvature.
        euler_step: of the simulated board, tau.
        board_noise: kappa0 of the board.
        board_noises: of the scan, ascending.
        target: test accuracy at which writes and steps are compared.
    """

    n_seeds: Count = 1
    n_chips: Count = 6
    epochs: Count = 5
    hidden: Several[Width] = (32,)
    learning_rate: Positive = 0.03
    relaxed_rates: Ascending[Positive] = (0.01, 0.03, 0.1)
    adam_rates: Ascending[Positive] = (3e-4, 1e-3, 3e-3)
    sgd_rates: Ascending[Positive] = (0.05, 0.15, 0.5)
    time: Positive = 5.0
    damping: Positive = 0.01
    euler_step: Positive = 0.1
    board_noise: NonNegative = 1e-4
    board_noises: Ascending[NonNegative] = (0.0, 1e-4, 1e-3, 1e-2)
    target: Proportion = 0.85

    def rates(self) -> dict[str, tuple[float, ...]]:
        """Learning rates by method."""
        return {m: getattr(self, f"{m}_rates") for m in METHODS}

    def __post_init__(self):
        """Check every field; all methods have as many chances."""
        super().__post_init__()
        self.refuse_crossbar()
        for name, rates in self.rates().items():
            as_many = len(rates) == len(self.relaxed_rates)
            self.require(as_many, f"{name}_rates", "as many as relaxed_rates")


PRESETS = {
    "smoke": Config(
        **SMOKE, hidden=(4,), pool=1, epochs=2, time=1.0, euler_step=0.5, target=0.1,
        relaxed_rates=(0.1,), adam_rates=(1e-2,), sgd_rates=(0.5,),
        board_noises=(0.0, 1e-2),
    ),
    "large": Config(
        n_seeds=2, n_chips=32, data="mnist", n_train=10_000, n_test=10_000, chunk=0,
        pool=1, epochs=10, time=50.0,
    ),
}  # fmt: skip


def simulate(point: Any, chip: Any, keys: Keys, trace: bool = False) -> dict[str, Any]:
    """Train one chip.

    Returns:
        `accuracy` and `pulses` per cell after each epoch, `stiffness` of the board. If
        traced also what `experiments.memristor.training.simulate` adds.
    """
    del chip
    recipe = base_of(Recipe, point)
    optimizer = descent(keys.chip, point, recipe, point.n_train)
    curves, found = learn(
        point, keys, trace, observe=_written, optimizer=optimizer
    )  # fmt: skip
    pulses = jnp.reshape(curves.observed, (point.epochs, -1))[:, -1]
    held = {"final", "update_ratio"}
    found = {k: v for k, v in found.items() if k not in held}
    return found | {"pulses": pulses, "stiffness": stiffness(curves.optimizer)}


def _written(step: Step) -> jax.Array:
    """Writes per cell since the start."""
    each = [jnp.sum(n, dtype=jnp.float32) for n in step.writes]
    total = sum(each, jnp.zeros(()))
    return total / sum(n.size for n in step.writes)


def defaults(config: Config) -> Run:
    """What one training depends on."""
    return base_of(Run, config)


def sweeps(config: Config) -> dict[str, Sweep]:
    """Every method at its rates under every rule; the noise of the board."""
    base = defaults(config)
    asked = {}
    for method, rates in config.rates().items():
        at = replace(base, method=method)
        axes = {"rule": RULES[:2], "learning_rate": rates}
        asked[method] = config.sweep(simulate, at, axes=axes, dims=DIMS)
        alone = replace(asked[method], base=replace(at, rule="ideal"), chips=1)
        axes = {"learning_rate": rates}
        asked[f"{method}_ideal"] = replace(alone, axes=axes, chunk=None)
    axes = {"board_noise": config.board_noises}
    asked["noise"] = config.sweep(simulate, base, axes=axes, dims=DIMS)
    return asked


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Curves by method and rate; the best rate; what it took to reach the target."""
    both, ideal = (
        xr.concat(
            [_ranked(found[f"{m}{end}"]) for m in METHODS],
            xr.IndexVariable("method", list(METHODS)),
        )
        for end in ("", "_ideal")
    )
    noise = taken(found["noise"], "accuracy", "pulses").rename(
        accuracy="noise_accuracy", pulses="noise_pulses"
    )
    dataset = both.merge(noise, join="exact", compat="equals")
    dataset["ideal"] = ideal.accuracy.isel(chip=0, drop=True)
    epochs = np.arange(1, config.epochs + 1)
    dataset = dataset.assign_coords(epoch=epochs, rate_of=("method", _words(config)))
    last = dataset.accuracy.isel(epoch=-1).median(("seed", "chip"))
    dataset["best"] = last.fillna(-1).argmax("rate")
    at = dataset.isel(rate=dataset.best)
    reached = at.accuracy >= config.target
    ever = reached.any("epoch")
    when = reached.argmax("epoch")
    steps = config.training().steps_per_epoch(config.n_train)
    dataset["steps_to"] = (steps * (when + 1)).where(ever)
    dataset["pulses_to"] = at.pulses.isel(epoch=when).where(ever)
    return dataset.assign_attrs(
        config.facts(), target=config.target, steps=steps, time=config.time,
        scan_rate=config.learning_rate,
        data=(
            f"{config.images().provenance}; MLP {config.hidden}, inputs 0 to 1, "
            f"{config.write_noise:g} µS a write, threshold the same, R_wg = 1/80; "
            f"board: {config.time:g} tau, damping {config.damping:g}, kappa0 "
            f"{config.board_noise:g} (ASSUMED)"
        ),
    )  # fmt: skip


def _ranked(one: xr.Dataset) -> xr.Dataset:
    """A sweep whose rates are numbered, from the smallest on."""
    kept = taken(one, "accuracy", "pulses")
    return kept.drop_vars("learning_rate").rename(learning_rate="rate")


def _words(config: Config) -> list[str]:
    return [", ".join(f"{r:g}" for r in rates) for rates in config.rates().values()]
