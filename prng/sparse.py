"""Random numbers for the few: the usual stream, computed only where it is read.

EaPU writes one cell in a hundred or fewer, and a normal number costs more than the
rest of a write. jax's partitionable threefry numbers its draws: element `i` of
`jax.random.bits(key, shape)` is a function of `key` and `i` alone. So the draws of
a few elements can be computed without the others, and are the same bits.
"""

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Float, Key, UInt32

from prng import bits_at, counts_its_draws, queues
from prng.checks import array_of

__all__ = ["normal_where"]

WORTHWHILE = 4096  # with fewer elements, the loop costs more than it saves
CROWD = 16  # with more than one in so many, drawing for all is cheaper


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
        dtype: of the draws; a float.

    Raises:
        TypeError: if `key` is not a typed key, `hit` no array of bools, or `dtype`
            no float.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> key, hit = jax.random.key(0), jnp.arange(5000) % 100 == 0
        >>> z = normal_where(key, hit, jnp.float32)
        >>> dense = jnp.where(hit, jax.random.normal(key, (5000,)), 0)
        >>> bool(jnp.allclose(z, dense, atol=1e-6))
        True
    """
    array_of(jnp.bool_, "hit", hit)
    array_of(jnp.floating, "dtype", jax.ShapeDtypeStruct((), dtype))
    hashed = counts_its_draws(key) and jnp.dtype(dtype) == jnp.float32
    if jax.default_backend() != "cpu" or hit.size < WORTHWHILE or not hashed:
        return jnp.where(hit, jr.normal(key, hit.shape, dtype), 0)
    return _few_or_all(key, hit)


@jax.jit  # else eager calls compile anew
def _few_or_all(key, hit):
    wait = queues.pack(hit)
    nothing = queues.zero(key, wait)
    crowded = (queues.waiting(wait) > hit.size // CROWD) | (nothing != 0)
    few = _serve(key, jnp.where(crowded, 0, wait), hit.size).reshape(hit.shape)

    def everywhere(_):
        return nothing != 0, jnp.where(hit, jr.normal(key, hit.shape), 0)

    # A loop of no or one turn: under `vmap` a `cond` would always do both.
    return jax.lax.while_loop(lambda carry: carry[0], everywhere, (crowded, few))[1]


def _serve(key, wait: queues.Queues, size: int) -> Float[Array, " size"]:
    """A normal for every set bit, one per queue and turn."""
    nothing = queues.zero(key, wait)
    out = jnp.zeros(wait.size * 32) + nothing.astype(jnp.float32)

    def turn(carry):
        wait, out = carry
        wait, cell = queues.take(wait)
        # what is drawn for an empty queue lands outside and is dropped
        z = normal_of(bits_at(key, cell.astype(jnp.uint32)))
        return wait, out.at[cell].set(z, mode="drop", unique_indices=True)

    some_wait = lambda carry: jnp.any(carry[0] != 0)  # noqa: E731
    return jax.lax.while_loop(some_wait, turn, (wait | nothing, out))[1][:size]


def normal_of(bits: UInt32[Array, "..."]) -> Float[Array, "..."]:
    """The normal that `jax.random.normal` makes of 32 random bits."""
    low = jnp.nextafter(jnp.float32(-1), jnp.float32(0))
    mantissa = (bits >> 9) | jnp.uint32(0x3F800000)
    unit = jax.lax.bitcast_convert_type(mantissa, jnp.float32) - 1
    uniform = jnp.maximum(low, unit * (1 - low) + low)
    return jnp.float32(2**0.5) * jax.lax.erf_inv(uniform)
