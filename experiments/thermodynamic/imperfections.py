"""What can be wrong with the components of a board."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp

from thermo.circuits import Tolerances

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
