"""Random numbers for the few: the usual stream, computed only where it is read.

EaPU writes one cell in a hundred or fewer, and a normal number costs more than the
rest of a write. jax's partitionable threefry numbers its draws: element `i` of
`jax.random.bits(key, shape)` is a function of `key` and `i` alone. So the draws of
a few elements can be computed without the others, and are the same bits.
"""

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Float, Int, Key, UInt32

from prng import bits_at, counts_its_draws

__all__ = ["normal_where"]

_WORDS = 4  # words of 32 bits in a queue
_CELLS = 32 * _WORDS  # a queue: its elements are served one in a turn
_WORTHWHILE = 4096  # with fewer elements, the loop costs more than it saves
_CROWD = 16  # with more than one in so many, drawing for all is cheaper


def normal_where(
    key: Key[Array, ""], hit: Bool[Array, "*cells"], dtype: jax.typing.DTypeLike
) -> Float[Array, "*cells"]:
    """`jax.random.normal(key, hit.shape, dtype)` where `hit`, 0 elsewhere.

    On a CPU at the price of the hits: queues of 128 elements each serve the next of
    theirs in every turn of a loop, until all are served. Which of the ways is taken
    (all elements at once where hits are dense, in a small array, on an accelerator)
    changes nothing in the numbers but the last bit.

    Args:
        key: typed key.
        hit: the elements to draw for.
        dtype: of the draws.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> key, hit = jax.random.key(0), jnp.arange(5000) % 100 == 0
        >>> z = normal_where(key, hit, jnp.float32)
        >>> dense = jnp.where(hit, jax.random.normal(key, (5000,)), 0)
        >>> bool(jnp.allclose(z, dense, atol=1e-6))
        True
    """
    hashed = counts_its_draws(key) and jnp.dtype(dtype) == jnp.float32
    if jax.default_backend() != "cpu" or hit.size < _WORTHWHILE or not hashed:
        return jnp.where(hit, jr.normal(key, hit.shape, dtype), 0)
    return _few_or_all(key, hit)


@jax.jit  # else eager calls compile anew
def _few_or_all(key, hit):
    queues = _pack(hit)
    waiting = jnp.sum(jax.lax.population_count(queues).astype(jnp.int32))
    crowded = waiting > hit.size // _CROWD
    few = _serve(key, jnp.where(crowded, 0, queues), hit.size).reshape(hit.shape)

    def everywhere(_):
        return _zero(key, queues) != 0, jnp.where(hit, jr.normal(key, hit.shape), 0)

    crowded |= _zero(key, queues) != 0
    # A loop of no or one turn: under `vmap` a `cond` would always do both.
    return jax.lax.while_loop(lambda carry: carry[0], everywhere, (crowded, few))[1]


def _pack(hit: jax.Array) -> UInt32[Array, "words queues"]:
    """One bit per element: element `i` is bit `b` of word `w` of its queue.

    `i = (32 w + b) queues + q`: neighbours sit in different queues.
    """
    lanes = jnp.pad(hit.ravel(), (0, -hit.size % _CELLS)).reshape(_WORDS, 32, -1)
    word = jnp.zeros((_WORDS, lanes.shape[-1]), jnp.uint32)
    for b in range(32):  # unrolled: as a reduction it does not vectorise
        word |= lanes[:, b].astype(jnp.uint32) << b
    return word


def _serve(key, queues: UInt32[Array, "words queues"], size: int):
    """A normal for every set bit, one per queue and turn."""
    width = queues.shape[1]
    out = jnp.zeros(_CELLS * width) + _zero(key, queues).astype(jnp.float32)

    def turn(carry):
        queues, out = carry
        queues, cell = _next(queues)
        # what is drawn for an empty queue lands outside and is dropped
        z = normal_of(bits_at(key, cell.astype(jnp.uint32)))
        return queues, out.at[cell].set(z, mode="drop", unique_indices=True)

    queues |= _zero(key, queues)
    waits = lambda carry: jnp.any(carry[0] != 0)  # noqa: E731
    return jax.lax.while_loop(waits, turn, (queues, out))[1][:size]


def _next(queues) -> tuple[jax.Array, Int[Array, " queues"]]:
    """Take the first element of every queue; past the end where there is none."""
    width, left = queues.shape[1], queues[0] * 0 == 0
    cell = jnp.full_like(queues[0], _CELLS * width, jnp.int32)
    position, rows = jnp.arange(width, dtype=jnp.int32), []
    for w in range(_WORDS):
        low = queues[w] & -queues[w]
        here = left & (low != 0)
        bit = 31 - jax.lax.clz(low).astype(jnp.int32)
        cell = jnp.where(here, (32 * w + bit) * width + position, cell)
        rows.append(jnp.where(here, queues[w] ^ low, queues[w]))
        left = left & ~here
    return jnp.stack(rows), cell


def normal_of(bits: UInt32[Array, "..."]) -> Float[Array, "..."]:
    """The normal that `jax.random.normal` makes of 32 random bits."""
    low = jnp.nextafter(jnp.float32(-1), jnp.float32(0))
    mantissa = (bits >> 9) | jnp.uint32(0x3F800000)
    unit = jax.lax.bitcast_convert_type(mantissa, jnp.float32) - 1
    uniform = jnp.maximum(low, unit * (1 - low) + low)
    return jnp.float32(2**0.5) * jax.lax.erf_inv(uniform)


def _zero(key, queues) -> UInt32[Array, ""]:
    """0, which inside `shard_map` differs over the mesh axes that its origins do.

    What a loop carries must vary as much at the start as it will at the end.
    """
    return (jr.key_data(key).ravel()[0] ^ queues.ravel()[0]) & 0
