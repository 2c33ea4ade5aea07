r"""Independent events of given probabilities, at the price of the likely ones.

Most events are decided by eight random bits: with $t = 256 p$, an event whose byte is
at least $t$ does not happen. Of the others, $\lceil t \rceil$ in 256, the share
$t / \lceil t \rceil$ happens; that is decided by 64 bits more, drawn for them alone.
(Where rounding lets one byte more or less pass, the share is of those that pass.)
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
    return decided(jr.split(key), jnp.maximum(p, 0))


def decided(
    keys: Key[Array, "2"], part: Float[Array, "*events"], whole: Any = 1
) -> Bool[Array, "*events"]:
    """Independent events of probability `abs(part) / whole`.

    `happens(key, p)` is this of the two keys that `key` splits into. Who looks at the
    events by parts, as the functions below do, splits once.

    Args:
        keys: of the eight bits and of the others, typed, for which
            `counts_its_draws`.
        part: probabilities, of `whole`.
        whole: what is certain, above 0; one number, or what broadcasts to `part`.
    """
    way = _few_or_all if loop_pays(part.size) else _all
    return way(keys, part, jnp.asarray(whole, part.dtype))


def possible(
    keys: Key[Array, "2"], part: Float[Array, "*events"], whole: Any = 1
) -> marks.Marks:
    """The events that eight bits do not rule out, as marks; see `decided`."""
    return _candidates(keys[0], part, whole)


def happens_at(
    keys: Key[Array, "2"],
    index: UInt32[Array, "*few"],
    part: Float[Array, "*few"],
    whole: Any = 1,
) -> Bool[Array, "*few"]:
    """Whether elements number `index` happen that are `possible`; see `decided`."""
    return _accepted(keys[1], index, part, whole)


def happens_among(
    keys: Key[Array, "2"],
    wait: marks.Marks,
    part: Float[Array, "*events"],
    whole: Any = 1,
) -> Bool[Array, "*events"]:
    """`decided`, all elements at once, given those that are `possible`."""
    every = jnp.arange(part.size, dtype=jnp.uint32).reshape(part.shape)
    marked = marks.unpack(wait, part.shape, part.size)
    return marked & happens_at(keys, every, part, whole)


@jax.jit
def _all(keys, part, whole):
    wait = possible(keys, part, whole)
    return happens_among(keys, computed_once(wait, marks.count(wait)), part, whole)


@jax.jit
def _few_or_all(keys, part, whole):
    wait = possible(keys, part, whole)
    nothing = marks.zero(keys, wait)
    crowded = (marks.count(wait) > part.size // CROWD) | (nothing != 0)
    few = _serve(keys, jnp.where(crowded, 0, wait), part, whole)
    every = lambda _: happens_among(keys, wait, part, whole)  # noqa: E731
    return where_wanted(crowded, every, few)


def _candidates(key, part, whole) -> marks.Marks:
    """Elements whose byte does not rule them out; eight bytes of one block each."""
    unit = whole / 256
    if jnp.ndim(unit):
        unit = marks.lanes(jnp.broadcast_to(unit, part.shape), fill=1)
    part = marks.lanes(part)
    word = jnp.zeros(part[:, 0].shape, jnp.uint32)
    number = jnp.arange(word.size, dtype=jnp.uint32).reshape(word.shape)
    for eighth in range(4):
        block = blocks_at(key, jnp.uint32(eighth), number)
        for n in range(8):
            byte, b = (block[n // 4] >> (8 * (n % 4))) & 255, 8 * eighth + n
            of = unit[:, b] if jnp.ndim(unit) else unit
            word |= likely(byte, part[:, b], of).astype(jnp.uint32) << b
    return word


def likely(byte: UInt32[Array, "..."], part: Float[Array, "..."], unit: Any) -> Array:
    """Whether eight bits leave an event of probability `abs(part / unit) / 256` open.

    By a product: only those that are left open need the quotient.
    """
    return ~(byte.astype(part.dtype) * unit >= jnp.abs(part))


def bytes_left(part: Float[Array, "..."], unit: Any) -> Float[Array, "..."]:
    """How many of 256 bytes are `likely`, by the very products that decide it."""
    size = jnp.abs(part)
    n = jnp.clip(jnp.ceil(size / unit), 0, 256)
    n = jnp.where((n * unit < size) & (n < 256), n + 1, n)
    return jnp.where((n - 1) * unit >= size, n - 1, n)


def sure(v: Float[Array, "..."], part: Float[Array, "..."], unit: Any) -> Array:
    """Whether a `likely` event happens, by a uniform `v` on [0, 1]."""
    scaled = jnp.abs(part) / unit
    return ~(v * bytes_left(part, unit) >= scaled) | (scaled >= 256)


def _accepted(key, index: UInt32[Array, "..."], part, whole) -> Bool[Array, "..."]:
    high, low = blocks_at(key, jnp.uint32(0), index)
    v = high.astype(part.dtype) * 2.0**-32 + low.astype(part.dtype) * 2.0**-64
    return sure(v, part, whole / 256)


def _serve(keys, wait: marks.Marks, part, whole) -> Bool[Array, "*events"]:
    """Of the elements that wait, those that happen."""
    nothing = marks.zero(keys, wait)
    ranks, batch = marks.ranked(wait | nothing), few_at_once(part.size)

    end = wait.size * 32

    def turn(carry):
        start, found = carry
        element = ranks.elements(start, batch)
        here = [_taken(x, part.shape, element) for x in (part, whole)]
        yes = happens_at(keys, element.astype(jnp.uint32), *here)
        # what does not happen is written past the end and dropped
        place = jnp.where(yes, element, end)
        return start + batch, found.at[place].set(True, mode="drop")

    some_wait = lambda carry: any_of(carry[0] < ranks.total)  # noqa: E731
    start = ranks.total * 0, jnp.zeros(end, bool) | (nothing != 0)
    found = jax.lax.while_loop(some_wait, turn, start)[1]
    return found[: part.size].reshape(part.shape)


def _taken(x, shape: tuple[int, ...], element):
    """Its entries there, were it of this shape; one number stays one."""
    if jnp.ndim(x) == 0:
        return x
    return jnp.broadcast_to(x, shape).ravel().at[element].get(mode="clip")


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
