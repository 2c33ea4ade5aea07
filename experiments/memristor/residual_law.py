"""How often EaPU writes, and how often a digital residual would have.

Both turn small updates into pulses of one threshold. EaPU keeps nothing and draws; a
residual (mixed precision) keeps a number per weight, and opposite updates cancel
before they are written; it takes (threshold / learning rate)^2 steps until it writes as
its law says. Weights see gradients that are noise with a little signal;
no array is simulated, only what is asked of it. A residual of few bits lies between.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import xarray as xr

import eapu_jax as ej
from chipsweep import Keys
from experiments.claims import nothing_published as claims  # noqa: F401
from experiments.contract import Seeded, Sweep, base_of
from experiments.memristor.residual_law_figure import plot as plot
from experiments.validate import (
    Ascending,
    Checked,
    Count,
    NonNegative,
    Positive,
    bounds,
    one_of,
)

REPRODUCES = "nothing published: writes of EaPU and of a residual, and digital bits"
DIMS: dict[str, tuple[str, ...]] = {}
RULES = ("eapu", "residual", "few_bits")

FewBits = Annotated[int, bounds(0, 16)]


class Weights(Checked):
    """What one run depends on; each weight is independent of all others.

    Attributes:
        rule: "eapu", "residual" (mixed precision) or "few_bits" (EaPU with a residual
            of `bits`).
        bits: of the residual of "few_bits" (structural).
        learning_rate: of Adam.
        threshold: ΔW_th, in units of the weights.
        signal: mean of a gradient over its standard deviation.
        n_weights: how many (structural).
        n_steps: of training, the first half of which is not counted (structural).
    """

    rule: Annotated[str, one_of(*RULES)] = "eapu"
    bits: FewBits = 0
    learning_rate: Positive = 1e-3
    threshold: Positive = 2 / 80
    signal: NonNegative = 0.0
    n_weights: Count = 512
    n_steps: Count = 8000


class Config(Seeded):
    """Count the writes of both rules over learning rates and signals.

    Attributes:
        n_chips: of `n_weights` weights each.
        learning_rates: of Adam, ascending.
        signals: means of a gradient over its standard deviation, ascending.
        bits: of the residual between the two, ascending.
        threshold: ΔW_th, in units of the weights.
        n_weights: how many.
        n_steps: of training, the first half of which is not counted.
    """

    n_chips: Count = 4
    learning_rates: Ascending[Positive] = (5e-4, 1e-3, 3e-3, 1e-2)
    signals: Ascending[NonNegative] = (0.0, 0.01, 0.1, 1.0)
    bits: Ascending[FewBits] = (0, 1, 2, 3, 4, 6, 8)
    threshold: Positive = 2 / 80
    n_weights: Count = 512
    n_steps: Count = 8000


PRESETS = {
    "smoke": Config(
        n_chips=2, learning_rates=(1e-3, 3e-3), signals=(0.0, 0.1), bits=(0, 4),
        n_weights=64, n_steps=200,
    ),
    "large": Config(n_chips=64, n_weights=4096, n_steps=20_000),
}  # fmt: skip


def simulate(point: Any, chip: Any, keys: Keys, trace: bool = False) -> dict[str, Any]:
    """Let Adam ask, and count what the rule sends.

    Returns:
        `writes`: pulses per weight and step in the second half; if traced also
        `sent`, of every weight at every step.
    """
    del chip
    key_rule, key_noise = jr.split(keys.chip)
    tx = optax.chain(optax.adam(point.learning_rate), _rule(key_rule, point))
    w = jnp.zeros((point.n_weights, 1))

    def step(state, i):
        noise = jr.normal(jr.fold_in(key_noise, i), w.shape)
        with jax.numpy_dtype_promotion("standard"):  # optax's Adam is not strict
            sent, state = tx.update(point.signal + noise, state, w)
        return state, jnp.not_equal(jnp.asarray(sent), 0)

    _, sent = jax.lax.scan(step, tx.init(w), jnp.arange(point.n_steps))
    counted = sent[point.n_steps // 2 :]
    found = {"writes": jnp.mean(counted.astype(jnp.float32))}
    return found | ({"sent": sent[..., 0]} if trace else {})


def _rule(key: jax.Array, point: Any) -> optax.GradientTransformation:
    if point.rule == "residual":
        return ej.mixed_precision(point.threshold)
    if point.rule == "few_bits":
        return ej.eapu_residual(point.threshold, point.bits, key=key)
    return ej.eapu(point.threshold, key=key)


def defaults(config: Config) -> Weights:
    """What one run depends on."""
    return base_of(Weights, config, bits=0)


def sweeps(config: Config) -> dict[str, Sweep]:
    """Both rules over rates and signals; without signal, bits in between and a word."""
    rates = {"learning_rate": config.learning_rates}
    both = rates | {"rule": RULES[:2], "signal": config.signals}
    base = base_of(Weights, config, bits=0)
    few, word = (replace(base, rule=rule) for rule in ("few_bits", "residual"))
    asked = {
        "rules": (base, both),
        "bits": (few, rates | {"bits": config.bits}),
        "word": (word, rates),
    }
    return {
        name: config.sweep(simulate, base, axes=axes, chips=config.n_chips)
        for name, (base, axes) in asked.items()
    }


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Writes beside their laws; for the bits, beside the writes of a whole word."""
    units = {"units": "1"}
    counted = {
        name: one.writes.isel(seed=0, drop=True).load().assign_attrs(units)
        for name, one in found.items()
    }
    rates = np.geomspace(config.learning_rates[0], config.learning_rates[-1], 60)
    laws = [
        [_law(rule, rates, config.threshold, rho) for rho in config.signals]
        for rule in RULES[:2]
    ]
    names = ("rule", "signal", "rate")
    dataset = xr.Dataset(
        {
            "writes": counted["rules"],
            "few_writes": counted["bits"],
            "word_writes": counted["word"],
            "law": (names, laws, units),
        },
        {"rate": rates},
    )
    weights = f"{config.n_weights} weights, {config.n_steps} steps"
    return dataset.assign_attrs(threshold=config.threshold, data=weights)


def _law(rule: str, rates: np.ndarray, threshold: float, signal: float) -> np.ndarray:
    if rule == "eapu":
        law = ej.laws.adam_update_ratio(jnp.asarray(rates), threshold, signal=signal)
    else:
        law = ej.laws.residual_update_ratio(jnp.asarray(rates), threshold, signal)
    return np.asarray(law)
