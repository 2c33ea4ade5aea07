"""The fair fight: every update rule on every device, tuned alike, under one ledger.

Each rule gets the same trials: every learning rate of its optimizer with every
strength of its own number (its step, or its rate of transfer). The trial with the
best mean accuracy over the chips that tune is taken, and judged on other chips.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

import jax.numpy as jnp
import xarray as xr

from chipsweep import Keys
from experiments.claims import Claim, nothing_published
from experiments.contract import Sweep
from experiments.memristor import training
from experiments.memristor.arrays import Device, label
from experiments.memristor.contest.belief import belief
from experiments.memristor.contest.energy import joules, size
from experiments.memristor.contest.entrants import ENTRANTS, carried
from experiments.memristor.contest.tuned import Tuned
from experiments.memristor.images import DataSet
from experiments.memristor.rivals_figure import plot as plot
from experiments.memristor.setting import LARGE, SMOKE
from experiments.memristor.setting import defaults as defaults
from experiments.memristor.training import Training, learn
from experiments.validate import (
    Count,
    CountOrZero,
    Distinct,
    Positive,
    Width,
    one_of,
)

REPRODUCES = "nothing published: every update rule on every device, one ledger"
DIMS = training.DIMS
NETWORKS: dict[str, dict[str, Any]] = {
    "mlp": {"hidden": (32,)},
    "cnn": {"channels": (4, 8), "hidden": (16,)},
}
"""What learns, by name."""


class Config(Tuned):
    """Tune and judge every rule on every device.

    Attributes:
        devices: names of `eapu_jax.presets`, or files of devices, *.toml.
        rules: that take part, see `experiments.memristor.contest.entrants`.
        networks: "mlp", "cnn".
        adam_rates: learning rates tried with Adam.
        sgd_rates: with SGD; as many, so that the budget is one.
        strengths: of the rule's own number, tried with each of them.
        epochs: passes over the training images.
        pool: images are shrunk by this factor.
    """

    devices: Distinct[Device] = (
        "PUBLIC_CODE", "RERAM_EXPONENTIAL", "ELECTROCHEMICAL", "CMO_HFOX",
    )  # fmt: skip
    rules: Distinct[Annotated[str, one_of(*ENTRANTS)]] = ENTRANTS
    networks: Distinct[Annotated[str, one_of(*NETWORKS)]] = tuple(NETWORKS)
    adam_rates: Distinct[Positive] = (2e-3, 6e-3, 2e-2)
    sgd_rates: Distinct[Positive] = (0.05, 0.15, 0.5)
    strengths: Distinct[Positive] = (0.3, 1.0)
    chunk: CountOrZero = 0
    data: DataSet = "digits"
    n_train: Count = 1280
    n_test: Count = 355
    batch_size: Count = 32
    epochs: Count = 20
    pool: Width = 1

    def __post_init__(self):
        """Check every field; two files of one name would share their results."""
        super().__post_init__()
        self.refuse_crossbar()
        names = [label(device) for device in self.devices]
        self.require(len({*names}) == len(names), "devices", "files of different names")

    def trainings(self) -> Mapping[str, Training]:
        """What every network is trained with, before its rule is chosen."""
        return {name: self.training(**NETWORKS[name]) for name in self.networks}


PRESETS = {
    "smoke": Config(
        **{**SMOKE, "n_chips": 3}, devices=("PUBLIC_CODE",), networks=("mlp",),
        rules=("ideal", "eapu", "mixed_precision", "residual_learning"), tuners=1,
        adam_rates=(3e-3,), sgd_rates=(3e-2,), strengths=(1.0,), epochs=2,
    ),
    "large": Config(**{**LARGE, "n_seeds": 1}, epochs=30),
}  # fmt: skip


def simulate(point: Any, chip: Any, keys: Keys, trace: bool = False) -> dict[str, Any]:
    """Train one chip under one rule, and say what it cost.

    Returns:
        Beside the outputs of `experiments.memristor.training.simulate`: `pulses` and
        `reads` of all arrays, `worst`, writes of the most written cell, `words` and
        `bits`, what optimizer and rule keep for a weight.
    """
    del chip
    curves, found = learn(point, keys, trace)
    counts = curves.counts
    most = [jnp.max(n, initial=0) for n in curves.writes]
    return found | {
        "pulses": counts.up + counts.down,
        "reads": counts.reads,
        "worst": jnp.max(jnp.stack([*most, jnp.uint32(0)])).astype(jnp.float32),
        "words": jnp.float32(counts.words),
        "bits": jnp.float32(counts.bits),
    }


def sweeps(config: Config) -> dict[str, Sweep]:
    """Every trial of the rules that a device can carry, by network and device."""
    asked = {}
    for network, base in config.trainings().items():
        for device in config.devices:
            for optimizer, (rules, rates) in config.families(config.rules).items():
                if able := carried(device, rules):
                    on: Any = {"crossbar": device, "optimizer": optimizer}
                    axes = {"rule": able, "learning_rate": rates}
                    asked[f"{network}_{label(device)}_{optimizer}"] = config.sweep(
                        simulate,
                        replace(base, **on),
                        axes=axes | {"strength": config.strengths},
                        dims=DIMS,
                    )
    return asked


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """The chosen trial of every rule, and what the chips that judge found."""
    parts = []
    for network, base in config.trainings().items():
        for device in config.devices:
            for optimizer in config.families(config.rules):
                name = f"{network}_{label(device)}_{optimizer}"
                if name in found:
                    best = config.judged(found[name], *KEPT)
                    where = {"network": [network], "device": [device]}
                    on = replace(base, crossbar=device)
                    parts.append(_costed(best, on).expand_dims(where))
    dataset = xr.merge(parts, join="outer", compat="no_conflicts")
    order = {"rule": [*config.rules], "device": [*config.devices]}
    dataset = dataset.reindex(order | {"network": [*config.networks]})
    for name, cost_of_it in (("energy", dataset.joules), ("bits", dataset.bits)):
        dataset[f"unbeaten_{name}"] = _unbeaten(dataset.accuracy, cost_of_it)
    for name in dataset.data_vars:
        dataset[name].attrs["units"] = "J" if name in JOULES else "1"
    trials = len(config.adam_rates) * len(config.strengths)
    return dataset.assign_attrs(
        data=config.images().provenance, trials=trials, tuners=config.tuners,
        belief=belief(dataset),
    )  # fmt: skip


KEPT = ("update_ratio", "pulses", "reads", "worst", "words", "bits")
JOULES = ("joules", "joules_low", "joules_high")


def _costed(judged: xr.Dataset, base: Training) -> xr.Dataset:
    """Joules of every training, by the constants of `eapu_jax.cost`, and lifetimes.

    Steps over writes, of the mean and of the most written cell; NaN: none is written.
    """
    steps = len(base.decay(base.n_train))
    how: Any = {"steps": steps, "batch": base.batch_size, "size": size(base)}
    ends = ("joules_low", "joules", "joules_high")

    def of(rule, pulses, reads, bits):
        run = {"pulses": pulses, "reads": reads, "bits": bits}
        return tuple(joules(run, rule, **how))

    made = xr.apply_ufunc(
        of, judged.rule, judged.pulses, judged.reads, judged.bits,
        vectorize=True, output_core_dims=[[]] * 3,
    )  # fmt: skip
    lives = {
        "lifetime": 1 / judged.update_ratio.where(judged.update_ratio > 0),
        "lifetime_worst": steps / judged.worst.where(judged.worst > 0),
    }
    return judged.assign(dict(zip(ends, made, strict=True)) | lives)


def _unbeaten(accuracy: xr.DataArray, price: xr.DataArray) -> xr.DataArray:
    """Which rules no other one beats in both; medians over the chips count."""
    good, dear = accuracy.median("chip"), price.median("chip")
    other = {"rule": "rival"}
    rival, cheap = good.rename(other), dear.rename(other)
    beaten = (rival >= good) & (cheap <= dear) & ((rival > good) | (cheap < dear))
    return good.notnull() & ~beaten.any("rival")


def claims(dataset: xr.Dataset) -> list[Claim]:
    """Nobody has published this comparison; MADEM stays unidentified."""
    return nothing_published(dataset)
