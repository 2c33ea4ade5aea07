"""What stands between the optimizer and the weights, and which weights it meets."""

from typing import Any

import jax
import jax.random as jr
import optax
from jaxtyping import Array, Key

import eapu_jax as ej
from eapu_jax.placement import on_array

RULES = ("ideal", "noisy", "eapu", "drop_below", "lift_above")
Scalar = jax.Array | float


def layer_names(params: Any) -> list[str]:
    """Names of the layers that live on the array, in the order of `Curves`.

    Example:
        >>> import jax.numpy as jnp
        >>> layer_names({"Dense_0": {"kernel": jnp.ones((2, 2)), "bias": jnp.ones(2)}})
        ['Dense_0']
    """
    return [path.split("/")[0] for path in on_array(params)]


def hardware(
    key: Key[Array, ""],
    rule: str,
    *,
    write_noise: Scalar,
    threshold: Scalar,
    r_wg: Scalar,
) -> optax.GradientTransformationExtraArgs:
    """What stands between the optimizer and the weights under `rule`.

    Args:
        key: dice of the rule and errors of the writes.
        rule: "ideal" (nothing), "noisy" (every update is written), "eapu", or one
            of the authors' deterministic ablations "drop_below", "lift_above".
        write_noise: SD of one write error, uS.
        threshold: dW_th in conductance, uS.
        r_wg: weight per conductance, 1/uS.

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
        "eapu": lambda: ej.eapu(threshold * r_wg, key=key_rule),
        "drop_below": lambda: ej.drop_below(threshold * r_wg),
        "lift_above": lambda: ej.lift_above(threshold * r_wg),
    }[rule]()
    device = ej.AdditiveError(write_noise=write_noise)
    crossbar = ej.Crossbar(device=device, r_wg=r_wg)
    return optax.chain(gate, ej.program(crossbar, key=key_write))
