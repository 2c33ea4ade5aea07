"""What stands between the optimizer and the weights."""

from typing import Any

import jax
import jax.random as jr
import optax
from jaxtyping import Array, Key

import eapu_jax as ej

RULES = (
    *("ideal", "noisy", "eapu", "drop_below", "lift_above"),
    *("manhattan", "sign_threshold", "stochastic_rounding", "mixed_precision"),
)


def hardware(
    key: Key[Array, ""], rule: str, crossbar: Any, threshold: jax.Array | float
) -> optax.GradientTransformationExtraArgs:
    """What stands between the optimizer and the weights under `rule`.

    Args:
        key: random draws of the rule and of the writes.
        rule: "ideal" (nothing), "noisy" (every update is written), "eapu", one of
            the authors' deterministic ablations "drop_below", "lift_above", or a
            rival of EaPU, whose pulses are as large as its threshold.
        crossbar: of all layers, or a tree of them like the weights.
        threshold: dW_th in units of the weights.

    Returns:
        The tail of the chain.

    Raises:
        ValueError: if `rule` is unknown.
    """
    if rule not in RULES:
        raise ValueError(f"rule must be one of {RULES}, got {rule!r}")
    if rule == "ideal":
        return optax.with_extra_args_support(optax.identity())
    key_rule, key_write = jr.split(key)
    gate = {
        "noisy": ej.write_all,
        "eapu": lambda: ej.eapu(threshold, key=key_rule),
        "drop_below": lambda: ej.drop_below(threshold),
        "lift_above": lambda: ej.lift_above(threshold),
        "manhattan": lambda: ej.manhattan(threshold),
        "sign_threshold": lambda: ej.sign_threshold(threshold),
        "stochastic_rounding": lambda: ej.stochastic_rounding(threshold, key=key_rule),
        "mixed_precision": lambda: ej.mixed_precision(threshold),
    }[rule]()
    return optax.chain(gate, ej.program(crossbar, key=key_write))
