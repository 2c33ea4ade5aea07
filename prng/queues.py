"""Elements of an array served one by one, in queues that work side by side."""

from functools import reduce

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Int, Key, Shaped, UInt32

WORDS = 4  # words of 32 bits in a queue
LENGTH = 32 * WORDS  # elements of a queue: one is served in a turn
SIDE = 64  # queues side by side; a power of two, that places are found by shifts
_GROUP = LENGTH * SIDE

Queues = UInt32[Array, "groups words side"]
"""One bit per element: element `((g words + w) 32 + b) side + s` is bit `b` of word
`w` of queue `s` in group `g`, so that neighbours sit in different queues."""


def lanes(x: Array) -> Shaped[Array, "groups words 32 side"]:
    """The elements in the order of their bits, filled up with 0."""
    return jnp.pad(x.ravel(), (0, -x.size % _GROUP)).reshape(-1, WORDS, 32, SIDE)


def pack(mask: Bool[Array, "..."]) -> Queues:
    """The elements that are set, waiting in their queues."""
    bits = lanes(mask)
    word = jnp.zeros((bits.shape[0], WORDS, SIDE), jnp.uint32)
    for b in range(32):  # unrolled: as a reduction it does not vectorise
        word |= bits[:, :, b].astype(jnp.uint32) << b
    return word


def unpack(queues: Queues, shape: tuple[int, ...], size: int) -> Bool[Array, "..."]:
    """Which elements wait, as a mask of the shape of what was packed."""
    bit = jnp.arange(32, dtype=jnp.uint32)[None, None, :, None]
    mask = (queues[:, :, None, :] >> bit) & 1 == 1
    return mask.ravel()[:size].reshape(shape)


def waiting(queues: Queues) -> Int[Array, ""]:
    """How many elements wait."""
    return jnp.sum(jax.lax.population_count(queues).astype(jnp.int32))


def words(queues: Queues) -> tuple[UInt32[Array, "groups side"], ...]:
    """Word by word: what a loop carries, as no part of it need be put together."""
    return tuple(queues[:, w] for w in range(WORDS))


def some_wait(words: tuple[UInt32[Array, "groups side"], ...]) -> Bool[Array, ""]:
    """Whether any element waits."""
    return jnp.any(reduce(jnp.bitwise_or, words) != 0)


def take(
    words: tuple[UInt32[Array, "groups side"], ...],
) -> tuple[tuple[UInt32[Array, "groups side"], ...], Int[Array, "groups side"]]:
    """The first element of every queue.

    Returns:
        What is left, and the numbers of the elements: past the end for an empty
        queue.
    """
    groups, free = words[0].shape[0], jnp.bool_(True)
    first = jnp.arange(groups, dtype=jnp.int32)[:, None] * _GROUP
    first = first + jnp.arange(SIDE, dtype=jnp.int32)[None, :]
    cell, left = jnp.full_like(first, groups * _GROUP), []
    for w, word in enumerate(words):
        here = free & (word != 0)
        cell = jnp.where(here, first + (32 * w + _lowest(word)) * SIDE, cell)
        left.append(jnp.where(here, word & (word - 1), word))
        free = free & ~here
    return tuple(left), cell


def _lowest(word: UInt32[Array, "..."]) -> Int[Array, "..."]:
    """The number of the lowest bit that is set: the exponent of the bit as a float."""
    bit = jax.lax.bitcast_convert_type(word & -word, jnp.int32).astype(jnp.float32)
    return ((jax.lax.bitcast_convert_type(bit, jnp.int32) >> 23) & 255) - 127


def zero(key: Key[Array, ""], queues: Queues) -> UInt32[Array, ""]:
    """0, which inside `shard_map` differs over the mesh axes that its origins do.

    What a loop carries must vary as much at the start as it will at the end.
    """
    return (jr.key_data(key).ravel()[0] ^ queues.ravel()[0]) & 0
