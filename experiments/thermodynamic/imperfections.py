"""What can be wrong with a board, and the error that it leaves for ever."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from experiments.thermodynamic import errors
from thermo import exact
from thermo.circuits import AbstractBoard, Tolerances

KINDS = tuple(field.name for field in dataclasses.fields(Tolerances))
"""Of component."""


def on_grid(
    x: jax.Array, low: jax.Array | float, high: jax.Array | float, bits: Any
) -> jax.Array:
    """The nearest of 2**bits equally spaced values; all but `x` may be traced too.

    Example:
        >>> on_grid(jnp.array([0.1, 0.8]), 0.0, 3.0, 2)
        Array([0., 1.], dtype=float32)
    """
    top = 2.0**bits - 1
    step = (high - low) / top
    return low + step * jnp.clip(jnp.round((x - low) / step), 0, top)


def floor(
    board: AbstractBoard, target: Float[Array, "d d"], added: jax.Array | float = 0.0
) -> Float[Array, "2"]:
    """Error of infinitely many samples: raw, and after the best single factor.

    Args:
        board: as it is.
        target: covariance of the voltages that was wanted, V^2.
        added: what the read-out adds to every variance, V^2.
    """
    form = board.linear()
    states = exact.lyapunov(form.drift, form.diffusion)
    covariance = form.readout @ states @ form.readout.T
    covariance = covariance + added * jnp.eye(len(target))
    fitted = errors.best_scale(covariance, target) * covariance
    return jnp.stack([errors.relative_error(c, target) for c in (covariance, fitted)])
