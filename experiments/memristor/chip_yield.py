"""How many chips of a batch are good enough, against spread and stuck cells.

Every chip has its own devices, its own stuck cells and its own errors; a small
network learns on each. What a hardware team needs to know: which spread and which
rate of stuck cells still give the yield it wants.

The kinds of imperfection are ASSUMED: log-normal write noise, from chip to chip
and again from cell to cell with the same relative spread, and cells that are
stuck, equally often, at zero or at either stuck level.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import xarray as xr

import eapu_jax as ej
from chipsweep import Fraction, Histogram, Keys, Moments, Quantiles
from experiments.claims import nothing_published as claims  # noqa: F401
from experiments.contract import Sweep, base_of
from experiments.learning.loop import first_weights
from experiments.memristor import training
from experiments.memristor.chip_yield_figure import plot as plot
from experiments.memristor.images import DataSet
from experiments.memristor.setting import MlpSetting
from experiments.memristor.training import Training, crossbar, learn, network, prepared
from experiments.validate import (
    Count,
    CountOrZero,
    Distinct,
    NonNegative,
    Positive,
    Proportion,
    Several,
    Width,
)

REPRODUCES = "nothing published: accuracy, lifetime and yield of 128 to 10,000 chips"
DIMS = training.DIMS


class Chip(Training):
    """What one training on an imperfect chip depends on.

    Attributes:
        spread: relative log-normal spread of the write noise, from chip to chip
            and again from cell to cell.
        stuck_rate: probability that a cell is stuck.
        stuck_level: conductance at which cells stick, of either sign or zero, µS.
    """

    spread: NonNegative = 0.0
    stuck_rate: Proportion = 0.0
    stuck_level: NonNegative = 40.0


class Config(MlpSetting):
    """Train a batch of chips at every spread and every rate of stuck cells.

    Attributes:
        n_chips: per seed and at every point.
        spreads: relative spreads of the write noise.
        stuck_rates: fractions of stuck cells.
        required: accuracies for which the yield is told.
        learning_rate: of Adam.
    """

    n_seeds: Count = 4
    n_chips: Count = 32
    spreads: Distinct[NonNegative] = (0.0, 0.5, 1.0)
    stuck_rates: Distinct[Proportion] = (0.0, 0.05, 0.1, 0.2)
    required: Distinct[Proportion] = (0.75, 0.8, 0.85)
    hidden: Several[Width] = (32,)
    pool: Width = 1
    epochs: Count = 3
    learning_rate: Positive = 3e-3
    batch_size: Count = 32
    data: DataSet = "digits"
    n_train: Count = 1440
    n_test: Count = 355
    chunk: CountOrZero = 0


PRESETS = {
    "smoke": Config(
        n_seeds=2,
        n_chips=3,
        spreads=(0.0, 1.0),
        stuck_rates=(0.0, 0.3),
        required=(0.2, 0.5),
        hidden=(8,),
        epochs=1,
    ),
    "large": Config(n_chips=2_500),
    # The figure of merit: 10,000 chips x 3 epochs within 3 minutes and 4 GB.
    "batch": Config(n_chips=2_500, spreads=(0.5,), stuck_rates=(0.02,)),
}


def simulate(point: Any, chip: Any, keys: Keys, trace: bool = False) -> dict[str, Any]:
    """Build one `Chip` (its key draws devices and stuck cells, too), train it, test it.

    Returns:
        `accuracy` after each epoch, `final` accuracy, `lifetime` (training steps
        per write of a cell).
    """
    del chip
    built, draws = jr.split(keys.chip)
    params = first_weights(keys.seed, network(point), prepared(point))
    arrays = hardware(built, point, params)
    keys = keys._replace(chip=draws)
    curves, found = learn(point, keys, trace, params=params, arrays=arrays)
    found.pop("update_ratio")
    steps = len(curves.loss)
    return found | {"lifetime": ej.lifetime_factor(curves.writes, steps)}


def hardware(key: jax.Array, point: Any, params: Any) -> Any:
    """The crossbars of one chip, a tree like the weights: spread, and stuck cells."""
    key_devices, key_stuck = jr.split(key)
    sigma = {"write_noise": point.spread}
    spread = ej.Spread(chip_to_chip=sigma, cell_to_cell=sigma)
    drawn = ej.sample_chip(key_devices, 0, crossbar(point), params, spread)
    leaves, tree = jax.tree.flatten(params)
    keys = jax.tree.unflatten(tree, jr.split(key_stuck, len(leaves)))
    return jax.tree.map(partial(_with_stuck, point), params, keys, drawn)


def _with_stuck(point: Any, w: jax.Array, key: jax.Array, crossbar: Any) -> Any:
    """A crossbar with cells that are stuck at some level; the rate may be traced."""
    if w.ndim < 2:
        return crossbar
    key_who, key_where = jr.split(key)
    stuck = jr.uniform(key_who, w.shape) < point.stuck_rate
    sign = jr.randint(key_where, w.shape, -1, 2).astype(jnp.float32)
    return replace(crossbar, stuck=stuck, stuck_at=point.stuck_level * sign)


def defaults(config: Config) -> Chip:
    """What one training on a chip without imperfections depends on."""
    return base_of(Chip, config, schedule="constant")


def sweeps(config: Config) -> dict[str, Sweep]:
    """Spread and stuck cells; what a chip did is kept as statistics only."""
    axes = {"spread": config.spreads, "stuck_rate": config.stuck_rates}
    good = Fraction(at_least=config.required)
    shape = Histogram(low=0.0, high=1.0, bins=100)
    reduce = {
        "accuracy": Moments(),
        "final": [Moments(), Quantiles(), shape, good],
        "lifetime": [Moments(), Quantiles()],
    }
    base = defaults(config)
    return {"chips": config.sweep(simulate, base, axes=axes, dims=DIMS, reduce=reduce)}


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """The statistics; the fraction of good chips is the yield."""
    dataset = found["chips"].load().drop_vars(["reason", "chip", "seed"])
    names = {"final_at_least": "required", "final_fraction": "yield"}
    who = f"{config.n_seeds} seeds x {config.n_chips} chips per point"
    shown = f"{who}, median, middle half and middle nine tenths"
    return dataset.rename(names).assign_attrs(
        data=f"{config.images().provenance}; {shown}"
    )
