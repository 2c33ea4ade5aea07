r"""How many levels a weight needs: int8 to int2, under rules that train on them.

An array of $L$ levels holds weights of -1 to $1 - 2 / L$, 0 among them, as `INT4` and
`INT2` of `eapu_jax.presets` do. Every rule's step is one level, or the error of a
write where that is larger: no smaller request is sure to move a cell. Rules with
several arrays per weight ask for less; what they ask becomes whole levels by chance.

Every rule has as many learning rates to choose from; the one of best mean accuracy on
the chips that tune is judged on the others, level by level.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import jax.numpy as jnp
import xarray as xr

import eapu_jax as ej
from chipsweep import Keys, Structural
from experiments.claims import nothing_published as claims  # noqa: F401
from experiments.contract import Sweep, base_of
from experiments.learning.loop import first_weights
from experiments.learning.rules import RULES
from experiments.memristor import training
from experiments.memristor.contest.tuned import Tuned
from experiments.memristor.images import DataSet
from experiments.memristor.levels_figure import plot as plot
from experiments.memristor.setting import LARGE, SMOKE
from experiments.memristor.training import (
    PUBLIC_R_WG,
    Training,
    learn,
    network,
    prepared,
)
from experiments.validate import (
    Ascending,
    Count,
    Distinct,
    NonNegative,
    Plural,
    Several,
    Width,
    bounds,
    one_of,
)

REPRODUCES = "nothing published: accuracy by levels of a weight, int8 to int2"
DIMS = training.DIMS

Levels = Annotated[int, bounds(2, 2**16)]


class Levelled(Training):
    """What one training on an array of few levels depends on.

    Attributes:
        levels: of a cell (structural).
        write_noise: SD of one write before it is put at the level next to it, µS.
    """

    levels: Levels = 16


class Config(Tuned):
    """Train an MLP under every rule, at every number of levels.

    Attributes:
        rules: that take part, see `experiments.learning.rules`.
        levels: of a weight, ascending.
        write_errors: SD of one write before it is put at the level next to it, µS.
        tuners: chips that choose the learning rate; all others judge it.
        hidden: widths of the hidden layers.
        epochs: passes over the training images.
    """

    rules: Distinct[Annotated[str, one_of(*RULES[1:])]] = (
        "eapu", "noisy", "stochastic_rounding", "mixed_precision", "residual_learning",
        "multi_tile",
    )  # fmt: skip
    levels: Ascending[Levels] = (4, 8, 16, 64, 256)
    write_errors: Distinct[NonNegative] = (0.0, 2.0)
    tuners: Count = 4
    n_chips: Plural = 20
    hidden: Several[Width] = (32,)
    data: DataSet = "digits"
    n_train: Count = 1280
    n_test: Count = 355
    batch_size: Count = 32
    epochs: Count = 10

    def __post_init__(self):
        """Check every field; a crossbar that is asked for would be ignored."""
        super().__post_init__()
        self.refuse_crossbar()


PRESETS = {
    "smoke": Config(
        **{**SMOKE, "n_chips": 3}, rules=("eapu", "noisy"), levels=(4, 16), tuners=1,
        adam_rates=(3e-3, 1e-2), sgd_rates=(1e-2, 3e-2), hidden=(8,), epochs=1,
    ),
    "large": Config(**{**LARGE, "n_seeds": 1}, hidden=(512, 256), epochs=30),
}  # fmt: skip


def levelled(levels: int, write_noise: Any = 0.0) -> ej.Crossbar:
    """An array of weights from -1 to 1 - 2 / levels, at 1/80 per µS."""
    device = ej.AdditiveError(
        write_noise=write_noise,
        g_min=-1 / PUBLIC_R_WG,
        g_max=(1 - 2 / levels) / PUBLIC_R_WG,
    )
    cells = ej.FiniteLevels(device=device, levels=levels)
    return ej.Crossbar(device=cells, r_wg=PUBLIC_R_WG)


def simulate(point: Any, chip: Any, keys: Keys, trace: bool = False) -> dict[str, Any]:
    """Train one chip of few levels, from weights on them.

    Returns:
        The outputs of `experiments.memristor.training.simulate`.
    """
    del chip
    array = levelled(point.levels, point.write_noise)
    drawn = first_weights(keys.seed, network(point), prepared(point))
    on_levels, _ = ej.deploy(keys.seed, array, drawn)  # nothing is drawn
    step = jnp.maximum(2 / point.levels, point.write_noise * PUBLIC_R_WG)
    own: Any = {"params": on_levels, "arrays": array, "threshold": step}
    return learn(point, keys, trace, **own)[1]


def defaults(config: Config) -> Levelled:
    """What one training depends on."""
    return base_of(Levelled, config, levels=config.levels[0])


def sweeps(config: Config) -> dict[str, Sweep]:
    """Every rule by its optimizer, and the digital network at its learning rates."""
    asked, levels = {}, Structural(config.levels)
    for optimizer, (rules, rates) in config.families(config.rules).items():
        base = base_of(Levelled, defaults(config), optimizer=optimizer)
        axes = {"rule": rules, "levels": levels, "write_noise": config.write_errors}
        if rules:
            axes |= {"learning_rate": rates}
            asked[optimizer] = config.sweep(simulate, base, axes=axes, dims=DIMS)
    digital = base_of(Training, config, rule="ideal")
    rates = {"learning_rate": config.adam_rates}
    asked["ideal"] = config.sweep(training.simulate, digital, axes=rates, dims=DIMS)
    return asked


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """The chosen learning rate of every rule, and what the chips that judge found."""
    more = ("update_ratio",)
    parts = [config.judged(found[o], *more) for o in ("adam", "sgd") if o in found]
    dataset = xr.concat(parts, "rule", join="outer").sel(rule=[*config.rules])
    ideal = config.judged(found["ideal"], *more).accuracy
    dataset["ideal_accuracy"] = ideal.median("chip")
    for name in dataset.data_vars:
        dataset[name].attrs["units"] = "1"
    return dataset.assign_attrs(
        data=config.images().provenance,
        rates=len(config.adam_rates),
        tuners=config.tuners,
    )
