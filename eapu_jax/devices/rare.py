"""Noise for the few: random numbers for the cells that are written."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Float, Key, UInt32

_LANES = 32  # cells of a group: one bit of a word each
_WORTHWHILE = 1024  # with fewer cells, two loops cost more than they save
_CROWD = 8  # with more than one cell in so many written, one draw per cell is cheaper

Draw = Callable[[Key[Array, ""], tuple[int, ...], Any], jax.Array]


def draw_where(
    draw: Draw, key: Key[Array, ""], hit: Bool[Array, "*cells"], dtype: Any
) -> Float[Array, "*cells"]:
    """Independent draws where `hit`, 0 elsewhere; on a CPU at the price of the hits.

    EaPU writes one cell in a hundred or fewer, and a normal number costs more than
    the rest of a write. So 32 cells share a queue: in turn `n` every queue gets one
    draw from `fold_in(key, n)`, for the next of its cells that was hit, until all
    are served. No draw is used twice, and which cell gets which depends on `hit`
    alone: the law of every hit cell is that of `draw`, independent of all others.
    Where hits are dense, in a small array, and on an accelerator, every cell gets a
    draw at once.

    Args:
        draw: `jax.random.normal` or another of the signature (key, shape, dtype).
        key: typed key.
        hit: the cells to draw for.
        dtype: of the draws.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> hit = jnp.arange(2000) % 100 == 0
        >>> z = draw_where(jax.random.normal, jax.random.key(0), hit, jnp.float32)
        >>> bool(jnp.all((z != 0) == hit)), len(set(z.tolist()))
        (True, 21)
    """
    return _draw_where(draw, key, hit, dtype)


@functools.partial(jax.jit, static_argnums=(0, 3))  # else eager calls compile anew
def _draw_where(draw, key, hit, dtype):
    def everywhere(key):
        return jnp.where(hit, draw(key, hit.shape, dtype), 0)

    if jax.default_backend() != "cpu" or hit.size < _WORTHWHILE:
        return everywhere(key)
    key_queue, key_all = jr.split(key)
    queues = _queues(hit)
    waiting = jnp.sum(jax.lax.population_count(queues).astype(jnp.int32))
    crowded = waiting > hit.size // _CROWD
    lanes = _serve(draw, key_queue, jnp.where(crowded, 0, queues), dtype)
    sparse = lanes.ravel()[: hit.size].reshape(hit.shape)
    # A loop of no or one turn: under `vmap` a `cond` would always do both.
    dense = lambda _: (False, everywhere(key_all))  # noqa: E731
    return jax.lax.while_loop(lambda carry: carry[0], dense, (crowded, sparse))[1]


def _bits() -> UInt32[Array, "32 1"]:
    """The bit of each lane."""
    return jnp.uint32(1) << jnp.arange(_LANES, dtype=jnp.uint32)[:, None]


def _queues(hit: jax.Array) -> UInt32[Array, " groups"]:
    """One word per group of 32 cells: its set bits are the cells that were hit."""
    lanes = jnp.pad(hit.ravel(), (0, -hit.size % _LANES)).reshape(_LANES, -1)
    return jnp.sum(jnp.where(lanes, _bits(), 0), axis=0, dtype=jnp.uint32)


def _serve(draw: Draw, key, queues, dtype) -> Float[Array, "32 groups"]:
    """Give every set bit a draw of its own, one per queue and turn.

    What was drawn is handed out a turn later: the draw that a loop carries is
    stored, where XLA would compute a fresh one anew for each of its 32 lanes.
    """

    def turn(carry):
        n, queues, served, z, lanes = carry
        lanes = jnp.where(_bits() == served[None, :], z[None, :], lanes)
        served = queues & -queues  # the lowest bit
        return n + 1, queues ^ served, served, fresh(n), lanes

    def fresh(n):
        return draw(jr.fold_in(key, n), queues.shape, dtype)

    first = queues & -queues
    lanes = jnp.zeros((_LANES, queues.size), dtype)
    start = (jnp.int32(1), queues ^ first, first, fresh(0), lanes)
    return jax.lax.while_loop(lambda carry: jnp.any(carry[2] != 0), turn, start)[-1]
