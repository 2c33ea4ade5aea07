"""Random draws of single elements: each what it would have drawn among all.

jax's partitionable threefry numbers its draws: element `i` of
`jax.random.normal(key, shape)` is a function of `key` and `i` alone. So code that is
written for a whole array can be mapped over a few of its elements, and draws the
very numbers that it would have drawn there.
"""

import math

import jax
import jax.numpy as jnp
import jax.random as jr
from jax.extend.random import define_prng_impl
from jaxtyping import Array, Key, UInt32

from prng import block, number_of, one_counting
from prng.checks import array_of

__all__ = ["element_keys"]


def element_keys(
    key: Key[Array, ""], index: UInt32[Array, "*few"]
) -> Key[Array, "*few"]:
    """A key for every element: scalars drawn with it are those of the element.

    `jr.normal(element_keys(key, i))` is `jr.normal(key, shape).ravel()[i]`, for any
    shape, and so for every sampler that takes one word of bits per number, and after
    any `split` and `fold_in`. A draw that is no scalar has a stream of its own.

    Args:
        key: typed key for which `counts_its_draws`.
        index: numbers of the elements, below 2**32.

    Raises:
        TypeError: if `key` is not one such key, or `index` no array of uint32.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> key, few = jax.random.key(0), jnp.array([3, 700], jnp.uint32)
        >>> drawn = jax.vmap(jax.random.normal)(element_keys(key, few))
        >>> bool((drawn == jax.random.normal(key, (30, 40)).ravel()[few]).all())
        True
    """
    array_of(jnp.uint32, "index", index)
    one_counting(key)
    words = jnp.broadcast_to(jr.key_data(key), (*index.shape, 2))
    return jr.wrap_key_data(
        jnp.concatenate([words, index[..., None]], axis=-1), impl=_ELEMENT
    )


def _random_bits(key, bit_width: int, shape: tuple[int, ...]):
    draw = jax.lax.iota(jnp.uint32, math.prod(shape)).reshape(shape)
    number = jnp.broadcast_to(key[2], shape)
    high, low = block(key, draw, number)
    return number_of(high, low, bit_width)


def _split(key, shape: tuple[int, ...]):
    number = jax.lax.iota(jnp.uint32, math.prod(shape)).reshape(shape)
    words = block(key, jnp.zeros_like(number), number)
    return jnp.stack([*words, jnp.broadcast_to(key[2], shape)], axis=-1)


def _fold_in(key, data):
    words = block(key, jnp.uint32(0), jnp.uint32(data))
    return jnp.stack([*words, key[2]])


def _seed(seed):
    words = jr.key_data(jr.key(seed, impl="threefry2x32"))
    return jnp.append(words, jnp.uint32(0))


_ELEMENT = define_prng_impl(
    key_shape=(3,),
    seed=_seed,
    split=_split,
    random_bits=_random_bits,
    fold_in=_fold_in,
    name="element_of_threefry",
    tag="elt3fry",
)
