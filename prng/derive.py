"""Keys made of keys, fast and one by one.

A chain of keys written out is one expression in which XLA repeats every link for each
word that is read of it, and its rolled loops keep the links apart but take longer than
a training step of a small chip. Written out and stored, a link is neither.
"""

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Int, Key

from prng import block, counts_its_draws
from prng.once import computed_once

__all__ = ["folded", "halves"]


def folded(
    key: Key[Array, ""], data: Int[Array, ""] | int, step: Int[Array, ""]
) -> Key[Array, ""]:
    """`jax.random.fold_in(key, data)`, stored before anybody reads it.

    Args:
        key: typed key.
        data: what to fold in.
        step: any count that is never negative.

    Example:
        >>> import jax
        >>> key, one = jax.random.key(3), jax.numpy.int32(1)
        >>> bool(folded(key, 7, one) == jax.random.fold_in(key, 7))
        True
    """
    if not counts_its_draws(key):
        return jr.fold_in(key, data)
    words = block(jr.key_data(key), jnp.uint32(0), jnp.asarray(data).astype(jnp.uint32))
    return _stored(key, jnp.stack(words), step)


def halves(key: Key[Array, ""], step: Int[Array, ""]) -> Key[Array, "2"]:
    """`jax.random.split(key)`, stored before anybody reads it.

    Args:
        key: typed key.
        step: any count that is never negative.

    Example:
        >>> import jax
        >>> key, one = jax.random.key(3), jax.numpy.int32(1)
        >>> bool((halves(key, one) == jax.random.split(key)).all())
        True
    """
    if not counts_its_draws(key):
        return jr.split(key)
    number = jnp.arange(2, dtype=jnp.uint32)
    words = block(jr.key_data(key), jnp.zeros_like(number), number)
    return _stored(key, jnp.stack(words, axis=-1), step)


def _stored(key, words: jax.Array, step) -> Key[Array, "..."]:
    return jr.wrap_key_data(computed_once(words, step), impl=jr.key_impl(key))
