"""Refusals that name the argument; types are known to a compiled program, too."""

from typing import Any

import jax
import jax.numpy as jnp


def typed(key: Any) -> None:
    """Refuse what is no typed key, nor an array of them.

    Raises:
        TypeError: showing what was given.
    """
    dtype = getattr(key, "dtype", None)
    if dtype is None or not jnp.issubdtype(dtype, jax.dtypes.prng_key):
        raise TypeError(
            f"key must be a typed key such as jax.random.key(0), got {key!r}"
        )


def array_of(kind: Any, name: str, value: Any) -> None:
    """Refuse what is no array of this kind of numbers, such as `jnp.uint32`.

    Raises:
        TypeError: showing what was given.
    """
    held = getattr(value, "dtype", None)
    if held is None or not jnp.issubdtype(held, kind):
        raise TypeError(f"{name} must be an array of {kind.__name__}, got {value!r}")
