"""Elements of an array served one by one, in queues that work side by side."""

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


def take(queues: Queues) -> tuple[Queues, Int[Array, "groups side"]]:
    """The first element of every queue.

    Returns:
        What is left, and the numbers of the elements: past the end for an empty
        queue.
    """
    groups, free = queues.shape[0], queues[:, 0] == queues[:, 0]
    first = jnp.arange(groups, dtype=jnp.int32)[:, None] * _GROUP
    first = first + jnp.arange(SIDE, dtype=jnp.int32)[None, :]
    cell, taken = jnp.full_like(first, groups * _GROUP), []
    for w in range(WORDS):
        low = queues[:, w] & -queues[:, w]
        here = free & (low != 0)
        bit = 31 - jax.lax.clz(low).astype(jnp.int32)
        cell = jnp.where(here, first + (32 * w + bit) * SIDE, cell)
        taken.append(jnp.where(here, low, 0))
        free = free & ~here
    return queues ^ jnp.stack(taken, axis=1), cell


def zero(key: Key[Array, ""], queues: Queues) -> UInt32[Array, ""]:
    """0, which inside `shard_map` differs over the mesh axes that its origins do.

    What a loop carries must vary as much at the start as it will at the end.
    """
    return (jr.key_data(key).ravel()[0] ^ queues.ravel()[0]) & 0
