"""Evenly spaced levels of conductance."""

import jax
import jax.numpy as jnp

from eapu_jax.devices.base import Scalar


def nearest_level(g: jax.Array, g_min: Scalar, g_max: Scalar, levels: int) -> jax.Array:
    """The level next to `g`; NaN stays NaN. µS.

    Example:
        >>> import jax.numpy as jnp
        >>> nearest_level(jnp.array([-7.0, 4.9, 26.0]), 0.0, 30.0, 4).tolist()
        [0.0, 0.0, 30.0]
    """
    step = (g_max - g_min) / (levels - 1)
    number = jnp.clip(jnp.round((g - g_min) / step), 0, levels - 1)
    return jnp.where(number == levels - 1, g_max, g_min + number * step).astype(g.dtype)
