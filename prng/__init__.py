"""Random numbers at the speed of their consumer.

On a CPU jax lowers its default generator, threefry2x32, with rolled loops that
nothing can fuse with. The same twenty rounds written out in plain `jax.numpy`
give the same bits several times faster. `unrolled` swaps the one for the
other: the stream, and so every result, stays that of jax's default.

Elsewhere (GPU, TPU) jax's own kernels are kept.
"""

import math

import jax
import jax.numpy as jnp
import jax.random as jr
from jax.extend.random import define_prng_impl
from jaxtyping import Array, Key, UInt32

from prng.checks import array_of, typed

__all__ = ["bits_at", "blocks_at", "counts_its_draws", "unrolled"]

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = 0x1BD11BDA  # Skein's constant: keeps the three key words from cancelling


def unrolled(key: Key[Array, "..."]) -> Key[Array, "..."]:
    """Same key, same stream, drawn by the unrolled generator on a CPU.

    Args:
        key: typed key, or an array of them. Keys of another generator, and any
            key on an accelerator, are returned as they are.

    Returns:
        A typed key whose bits equal those of `key` under jax's default setting
        `jax_threefry_partitionable=True`.

    Raises:
        TypeError: if `key` is not a typed key.

    Example:
        >>> import jax
        >>> key = jax.random.key(7)
        >>> bool(jax.random.normal(unrolled(key)) == jax.random.normal(key))
        True
    """
    typed(key)
    partitionable = getattr(jax.config, "jax_threefry_partitionable", True)
    if jax.default_backend() != "cpu" or not partitionable:
        return key
    if str(jr.key_impl(key)) != "threefry2x32":
        return key
    return jr.wrap_key_data(jr.key_data(key), impl=_UNROLLED)


def counts_its_draws(key: Key[Array, "..."]) -> bool:
    """Whether draw `i` of `key` is a function of the key and `i` alone.

    True of threefry2x32 under jax's default `jax_threefry_partitionable=True`,
    whether drawn by jax or by `unrolled`.

    Raises:
        TypeError: if `key` is not a typed key.
    """
    typed(key)
    partitionable = getattr(jax.config, "jax_threefry_partitionable", True)
    named = str(jr.key_impl(key))
    return partitionable and ("threefry2x32" in named or "u3fry" in named)


def one_counting(key: Key[Array, ""]) -> None:
    """Refuse anything but one key for which `counts_its_draws`.

    Raises:
        TypeError: saying what was given.
    """
    if not counts_its_draws(key) or key.shape != ():
        raise TypeError(
            f"key must be one key of threefry2x32, got {key.shape} of "
            f"{jr.key_impl(key)}"
        )


def bits_at(key: Key[Array, ""], index: UInt32[Array, "..."]) -> UInt32[Array, "..."]:
    """The elements number `index` of `jax.random.bits(key, (n,))`, whatever `n`.

    Args:
        key: typed key for which `counts_its_draws`.
        index: numbers of the draws, below 2**32.

    Raises:
        TypeError: if `key` is not one typed key, or `index` no array of uint32.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> key = jax.random.key(7)
        >>> bool(bits_at(key, jnp.uint32(41)) == jax.random.bits(key, (50,))[41])
        True
    """
    array_of(jnp.uint32, "index", index)
    high, low = blocks_at(key, jnp.uint32(0), index)
    return high ^ low


def blocks_at(
    key: Key[Array, ""], high: UInt32[Array, "..."], low: UInt32[Array, "..."]
) -> tuple[UInt32[Array, "..."], UInt32[Array, "..."]]:
    """Two words of random bits for every counter of two words.

    Raises:
        TypeError: if `key` is not one typed key of threefry2x32, or a word is no
            array of uint32.
    """
    array_of(jnp.uint32, "high", high)
    array_of(jnp.uint32, "low", low)
    one_counting(key)
    return block(jr.key_data(key), jnp.broadcast_to(high, low.shape), low)


@jax.jit
def block(key, x0, x1):
    """Twenty rounds of add, rotate, xor on two 32-bit words."""
    k0, k1 = key[0], key[1]
    schedule = (k0, k1, k0 ^ k1 ^ jnp.uint32(_PARITY))
    x0, x1 = x0 + k0, x1 + k1
    for group in range(5):
        for r in _ROTATIONS[group % 2]:
            x0 = x0 + x1
            x1 = (x1 << jnp.uint32(r)) | (x1 >> jnp.uint32(32 - r))
            x1 = x0 ^ x1
        x0 = x0 + schedule[(group + 1) % 3]
        x1 = x1 + schedule[(group + 2) % 3] + jnp.uint32(group + 1)
    return x0, x1


def _blocks(key: UInt32[Array, "2"], shape: tuple[int, ...]):
    """One block per element of `shape`, numbered in row-major order."""
    size = math.prod(shape)
    if size >= 2**32:
        raise NotImplementedError(f"shape has {size} elements, the bound is 2**32 - 1")
    counter = jax.lax.iota(jnp.uint32, size).reshape(shape)
    return block(key, jnp.zeros_like(counter), counter)


def _random_bits(key, bit_width: int, shape: tuple[int, ...]):
    high, low = _blocks(key, shape)
    return number_of(high, low, bit_width)


def number_of(high: UInt32[Array, "..."], low: UInt32[Array, "..."], bit_width: int):
    """The random bits that jax makes of a block, as an integer of a width."""
    if bit_width == 64:
        high, low = high.astype(jnp.uint64), low.astype(jnp.uint64)
        return (high << jnp.uint64(32)) | low
    dtype = {8: jnp.uint8, 16: jnp.uint16, 32: jnp.uint32}[bit_width]
    return (high ^ low).astype(dtype)


# Keys are few, and derived from each other in chains. Written out, such a chain is one
# expression in which XLA repeats every link for each word that is read of it: newer
# versions compile that for ever. jax's own rolled loop keeps the links apart.
def _split(key, shape: tuple[int, ...]):
    return jr.key_data(jr.split(_default(key), shape))


def _fold_in(key, data):
    return jr.key_data(jr.fold_in(_default(key), data))


def _default(key):
    return jr.wrap_key_data(key, impl="threefry2x32")


def _seed(seed):
    return jr.key_data(jr.key(seed, impl="threefry2x32"))


_UNROLLED = define_prng_impl(
    key_shape=(2,),
    seed=_seed,
    split=_split,
    random_bits=_random_bits,
    fold_in=_fold_in,
    name="threefry2x32_unrolled",
    tag="u3fry",
)
