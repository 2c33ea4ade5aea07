r"""Independent events of given probabilities, at the price of the likely ones.

Most events are decided by eight random bits: with $t = 256 p$, an event whose byte is
at least $t$ does not happen. Of the others, $\lceil t \rceil$ in 256, the share
$t / \lceil t \rceil$ happens; that is decided by 64 bits more, drawn for them alone.
"""

from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Float, Key, UInt32

from prng import blocks_at, counts_its_draws, marks
from prng.checks import array_of
from prng.once import any_of, computed_once, where_wanted

__all__ = ["decided", "happens", "happens_among", "happens_at", "possible"]

WORTHWHILE = 1024  # with fewer elements, the loop costs more than it saves
CROWD = 16  # with more than one in so many, drawing for all is cheaper


def happens(key: Key[Array, ""], p: Float[Array, "*events"]) -> Bool[Array, "*events"]:
    """Independent events, each of probability `min(1, p)`; 0 never, NaN always.

    Probabilities are right down to 2**-64. Every element's event is a function of
    the key, its number and `p` there, whatever else is asked.

    Args:
        key: typed key of threefry2x32; others draw 32 bits for each element and
            share 32 more.
        p: probabilities; below 0 as 0.

    Raises:
        TypeError: if `key` is not a typed key, or `p` no array of floats.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> seen = happens(jax.random.key(0), jnp.full(100_000, 0.003))
        >>> bool(abs(seen.mean() - 0.003) < 0.001)
        True
    """
    array_of(jnp.floating, "p", p)
    if not counts_its_draws(key):
        return ~(_uniforms(key, p.shape, p.dtype) >= p) & (p != 0)
    return decided(jr.split(key), p)


def decided(keys: Key[Array, "2"], p: Float[Array, "*events"]) -> Bool[Array, "..."]:
    """`happens(key, p)`, given the two keys that `key` splits into.

    Who looks at the events by parts, as the functions below do, splits once.

    Args:
        keys: of the eight bits and of the others, typed, for which
            `counts_its_draws`.
        p: probabilities.
    """
    return _few_or_all(keys, p) if loop_pays(p.size) else _all(keys, p)


def possible(
    keys: Key[Array, "2"], part: Float[Array, "*events"], whole: Any = 1
) -> marks.Marks:
    """The events of probability `abs(part) / whole` that eight bits do not rule out.

    As marks; see `decided`. The quotient is never stored.
    """
    return _candidates(keys[0], part, whole)


def happens_at(
    keys: Key[Array, "2"], index: UInt32[Array, "*few"], p: Float[Array, "*few"]
) -> Bool[Array, "*few"]:
    """Whether elements number `index` happen that are `possible`; see `decided`."""
    return _accepted(keys[1], index, p)


def happens_among(
    keys: Key[Array, "2"], wait: marks.Marks, p: Float[Array, "*events"]
) -> Bool[Array, "*events"]:
    """`decided`, all elements at once, given those that are `possible`."""
    every = jnp.arange(p.size, dtype=jnp.uint32).reshape(p.shape)
    return marks.unpack(wait, p.shape, p.size) & happens_at(keys, every, p)


@jax.jit
def _all(keys, p):
    wait = possible(keys, jnp.maximum(p, 0))
    return happens_among(keys, computed_once(wait, marks.count(wait)), p)


@jax.jit
def _few_or_all(keys, p):
    wait = possible(keys, jnp.maximum(p, 0))
    nothing = marks.zero(keys, wait)
    crowded = (marks.count(wait) > p.size // CROWD) | (nothing != 0)
    few = _serve(keys, jnp.where(crowded, 0, wait), p)

    return where_wanted(crowded, lambda _: happens_among(keys, wait, p), few)


def _candidates(key, part, whole) -> marks.Marks:
    """Elements whose byte does not rule them out; eight bytes of one block each."""
    if jnp.ndim(whole):
        whole = marks.lanes(jnp.broadcast_to(whole, part.shape), fill=1)
    part = marks.lanes(part)
    word = jnp.zeros(part[:, 0].shape, jnp.uint32)
    number = jnp.arange(word.size, dtype=jnp.uint32).reshape(word.shape)
    for eighth in range(4):
        block = blocks_at(key, jnp.uint32(eighth), number)
        for n in range(8):
            byte, b = (block[n // 4] >> (8 * (n % 4))) & 255, 8 * eighth + n
            p = jnp.abs(part[:, b]) / (whole[:, b] if jnp.ndim(whole) else whole)
            word |= likely(byte, 256 * p).astype(jnp.uint32) << b
    return word


def likely(byte: UInt32[Array, "..."], scaled: Float[Array, "..."]) -> Array:
    """Whether eight bits leave an event of probability `scaled / 256` possible."""
    return ~(byte.astype(scaled.dtype) >= scaled)


def sure(v: Float[Array, "..."], scaled: Float[Array, "..."]) -> Array:
    """Whether a possible event happens, by a uniform `v` on [0, 1]."""
    return ~(v * jnp.minimum(jnp.ceil(scaled), 256) >= scaled) | (scaled >= 256)


def _accepted(key, index: UInt32[Array, "..."], p) -> Bool[Array, "..."]:
    high, low = blocks_at(key, jnp.uint32(0), index)
    v = high.astype(p.dtype) * 2.0**-32 + low.astype(p.dtype) * 2.0**-64
    return sure(v, 256 * p)


def _serve(keys, wait: marks.Marks, p) -> Bool[Array, "*events"]:
    """Of the elements that wait, those that happen."""
    nothing, flat = marks.zero(keys, wait), p.ravel()
    ranks, batch = marks.ranked(wait | nothing), few_at_once(p.size)

    end = wait.size * 32

    def turn(carry):
        start, found = carry
        element = ranks.elements(start, batch)
        here = flat.at[element].get(mode="clip")
        yes = happens_at(keys, element.astype(jnp.uint32), here)
        # what does not happen is written past the end and dropped
        place = jnp.where(yes, element, end)
        return start + batch, found.at[place].set(True, mode="drop")

    some_wait = lambda carry: any_of(carry[0] < ranks.total)  # noqa: E731
    start = ranks.total * 0, jnp.zeros(end, bool) | (nothing != 0)
    found = jax.lax.while_loop(some_wait, turn, start)[1]
    return found[: p.size].reshape(p.shape)


def loop_pays(size: int) -> bool:
    """Whether a loop over few of so many elements can number them, and is faster."""
    return jax.default_backend() == "cpu" and WORTHWHILE <= size < 2**31


def few_at_once(size: int) -> int:
    """Of so many elements, how many a turn of a loop over few of them serves.

    Eight bits leave one in 256 possible, however small its probability. Of many small
    chips the one with the most decides how many turns all take: hence the least.
    """
    return max(size // 256, 24)


def _uniforms(key, shape: tuple[int, ...], dtype) -> Float[Array, "..."]:
    key_own, key_shared = jr.split(key)
    own = jr.bits(key_own, shape, jnp.uint32).astype(dtype)
    shared = jr.bits(key_shared, (), jnp.uint32).astype(dtype)
    return (own + shared * 2.0**-32) * 2.0**-32
