"""Training step by step: after a whole path, or after each step of it."""

from dataclasses import replace

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from thermo.generative.network import (
    QuarticNetwork,
    Scalar,
    ready,
    ready_path,
    ready_step,
    sound,
)
from thermo.generative.objective import residual, slope

__all__ = ["batch_update", "online_updates"]


def batch_update(
    network: QuarticNetwork,
    path: Float[Array, "steps+1 n"],
    dt: Scalar,
    rate: Scalar,
) -> QuarticNetwork:
    """Go downhill once, by the slope of the whole path.

    Args:
        network: so far.
        path: of `noising`.
        dt: its step.
        rate: of learning; STATED: dt / t_f, one over the number of steps.

    Raises:
        ValueError: naming what is no network, path, step or rate.
    """
    rate = ready_step("rate", ready(network), rate)
    down = slope(network, path, dt)
    coupling = network.coupling - rate * down.coupling
    bias = network.bias - rate * down.bias
    return sound(replace(network, coupling=coupling, bias=bias), "path", "dt", "rate")


def online_updates(
    network: QuarticNetwork,
    path: Float[Array, "steps+1 n"],
    dt: Scalar,
    rate: Scalar,
) -> QuarticNetwork:
    """Go downhill after each step of the path, by the slope of that step alone.

    Args:
        network: so far.
        path: of `noising`.
        dt: its step.
        rate: see `batch_update`.

    Raises:
        ValueError: naming what is no network, path, step or rate.
    """
    network, path, dt = ready_path(network, path, dt)
    rate = ready_step("rate", network, rate)
    mask = network.mask()

    def step(now: QuarticNetwork, at):
        later, moved = at
        r = rate * residual(now, later, moved, dt)
        both = jnp.outer(r, later) + jnp.outer(later, r)
        coupling = now.coupling - mask * both
        return replace(now, coupling=coupling, bias=now.bias - r[now.n_visible :]), None

    found = jax.lax.scan(step, network, (path[1:], path[1:] - path[:-1]))[0]
    return sound(found, "path", "dt", "rate")
