"""Which rules meet on which devices, and how they are tuned."""

import jax
import jax.numpy as jnp
import jax.random as jr

from experiments.learning.rules import ADAPTERS, SEVERAL, adapted, hardware
from experiments.memristor.arrays import crossbar_named

NAMES = {
    "ideal": "digital, no array",
    "noisy": "noisy backpropagation",
    "eapu": "EaPU",
    "eapu_residual": "EaPU, 3-bit residual",
    "drop_below": "deterministic threshold, small updates dropped",
    "lift_above": "deterministic threshold, small updates lifted",
    "manhattan": "Manhattan",
    "sign_threshold": "sign above a threshold (STELLAR-like)",
    "stochastic_rounding": "stochastic rounding",
    "stochastic_sparse": "stochastic sparse momentum",
    "pulse_train": "stochastic pulse trains",
    "mixed_precision": "mixed precision, digital residual",
    "hidden_integer": "hidden integer",
    "tiki_taka": "Tiki-Taka",
    "tiki_taka_v2": "Tiki-Taka v2",
    "chopped_tiki_taka": "chopped Tiki-Taka (c-TTv2)",
    "agad": "AGAD",
    "residual_learning": "residual learning",
    "residual_learning_v2": "residual learning v2",
    "track_symmetric_point": "symmetric-point tracking",
    "low_rank_tiki_taka": "low-rank Tiki-Taka",
    "multi_tile": "multi-tile residual learning",
    "digital_adapters": "frozen array, digital adapters",
    "eapu_adapters": "frozen array, EaPU on adapters",
}
"""What a reader calls a rule. MADEM, a rival in the paper, is UNIDENTIFIED: none of
these is it, and none is called so."""

SGD = (*SEVERAL, "digital_adapters")
"""Rules that the literature trains with SGD: no digital moments beside the arrays.
Every other has Adam before it; so has EaPU in the paper."""


def carried(device: str, rules: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the rules that a device can carry."""
    return tuple(rule for rule in rules if refusal(device, rule) is None)


def refusal(device: str, rule: str) -> str | None:
    """Why a device cannot carry a rule, in the words of the rule; None: it can."""
    try:
        tail = hardware(jr.key(0), rule, crossbar_named(device), jnp.float32(1.0))
        params = adapted(jr.key(0), rule, {"kernel": jnp.zeros((8, 8))})
        jax.eval_shape(tail.init, params)
    except ValueError as error:
        return str(error)
    return None


ENTRANTS = tuple(NAMES)


def kind(rule: str) -> str:
    """The camp of a rule: "digital", "gate", "residual", "several", "adapters"."""
    if rule == "ideal":
        return "digital"
    if rule in SEVERAL:
        return "several"
    if rule in ADAPTERS:
        return "adapters"
    return "residual" if rule in RESIDUAL else "gate"


RESIDUAL = ("mixed_precision", "eapu_residual", "hidden_integer")
"""Rules that keep digitally what they have not yet written."""
