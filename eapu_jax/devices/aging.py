"""Cells that know their age, and how they wander as it grows."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from eapu_jax.devices.base import Scalar
from prng.normals import normal


class AgingCells(NamedTuple):
    """Cells that remember when they were written.

    Attributes:
        g: conductance, µS.
        age: time since the last write, s.
    """

    g: Float[Array, "*cells"]
    age: Float[Array, "*cells"]


def wandered(
    key: jax.Array, g: jax.Array, growth: jax.Array, g_min: Scalar, g_max: Scalar
) -> jax.Array:
    """Conductances after an independent Gaussian step, within their window.

    Args:
        key: typed key.
        g: conductances, µS.
        growth: variance of the step, µS²; where it is not positive nothing moves.
        g_min: lower end of the window, µS.
        g_max: upper end, µS.
    """
    grown = growth > 0
    # sqrt has no slope at 0: keep its argument away from there
    sd = jnp.where(grown, jnp.sqrt(jnp.where(grown, growth, 1)), 0)
    moved = jnp.clip(g + sd * normal(key, g.shape, g.dtype), g_min, g_max)
    return jnp.where(grown, moved, g).astype(g.dtype)
