"""Elements of an array that are marked, a bit each, and found by their rank.

A loop that serves a few elements of many must find them without a pass over all. The
marks are counted once; then the element of any rank, the 0th, the 1st, ... that is
marked, is found by bisection, and a turn of the loop takes as many ranks as it likes.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Int, Key, Shaped, UInt32

SIDE = 64  # words side by side; a power of two, that places are found by shifts
GROUP = 32 * SIDE  # elements whose bits lie in one row of words

Marks = UInt32[Array, "groups side"]
"""One bit per element: element `(32 g + b) side + s` is bit `b` of word `g, s`."""


def lanes(x: Array, fill: float = 0) -> Shaped[Array, "groups 32 side"]:
    """The elements in the order of their bits, filled up."""
    full = jnp.pad(x.ravel(), (0, -x.size % GROUP), constant_values=fill)
    return full.reshape(-1, 32, SIDE)


def pack(mask: Bool[Array, "..."]) -> Marks:
    """Marks on the elements that are set."""
    bits = lanes(mask)
    word = jnp.zeros(bits[:, 0].shape, jnp.uint32)
    for b in range(32):  # unrolled: as a reduction it does not vectorise
        word |= bits[:, b].astype(jnp.uint32) << b
    return word


def unpack(marks: Marks, shape: tuple[int, ...], size: int) -> Bool[Array, "..."]:
    """Which elements are marked, as a mask of the shape of what was packed."""
    bit = jnp.arange(32, dtype=jnp.uint32)[None, :, None]
    mask = (marks[:, None, :] >> bit) & 1 == 1
    return mask.ravel()[:size].reshape(shape)


def count(marks: Marks) -> Int[Array, ""]:
    """How many elements are marked."""
    return jnp.sum(jax.lax.population_count(marks).astype(jnp.int32))


class Ranked(NamedTuple):
    """Marks, counted: how many there are up to and with every word.

    Attributes:
        marks: the marks.
        groups: how many in this group and those before.
        words: how many in this word and those before in its group.
    """

    marks: Marks
    groups: Int[Array, " groups"]
    words: Int[Array, "groups side"]

    @property
    def total(self) -> Int[Array, ""]:
        """How many elements are marked."""
        return self.groups[-1]

    def element(self, rank: Int[Array, " few"]) -> Int[Array, " few"]:
        """The elements of these ranks; past the end where there is none."""
        here = rank < self.total
        rank = jnp.where(here, rank, 0)
        group, rank_in = _bisect(self.groups, 0, len(self.groups), rank)
        word, rank_in = _bisect(self.words.ravel(), group * SIDE, SIDE, rank_in)
        bit = _bit(_at(self.marks.ravel(), group * SIDE + word), rank_in)
        end = self.marks.size * 32
        return jnp.where(here, (group * 32 + bit) * SIDE + word, end)


def ranked(marks: Marks) -> Ranked:
    """Count marks."""
    each = jax.lax.population_count(marks).astype(jnp.float32)
    # a product with ones, exact as no sum passes 2048: a running sum is slow
    words = (each @ jnp.triu(jnp.ones((SIDE, SIDE), jnp.float32))).astype(jnp.int32)
    return Ranked(marks, jnp.cumsum(words[:, -1]), words)


def _bisect(counts, start, length: int, rank):
    """Where a rank lies, by running counts.

    The first of `length` places from `start` on, up to which more than `rank` are
    counted, and the rank among those of that place; there must be such a place.
    """
    place, before = jnp.zeros_like(rank), jnp.zeros_like(rank)
    for step in (1 << n for n in reversed(range((length - 1).bit_length()))):
        there = place + step
        up_to = _at(counts, start + jnp.minimum(there, length) - 1)
        go = (there < length) & (up_to <= rank)
        place, before = jnp.where(go, there, place), jnp.where(go, up_to, before)
    return place, rank - before


def _bit(word: UInt32[Array, " few"], rank: Int[Array, " few"]) -> Int[Array, " few"]:
    """The number of the bit of this rank among those that are set in a word."""
    place = jnp.zeros_like(rank)
    for width in (16, 8, 4, 2, 1):
        low = (word >> place.astype(jnp.uint32)) & jnp.uint32((1 << width) - 1)
        passed = jax.lax.population_count(low).astype(rank.dtype)
        go = rank >= passed
        place = jnp.where(go, place + width, place)
        rank = jnp.where(go, rank - passed, rank)
    return place


def _at(x: Shaped[Array, " n"], place: Int[Array, " few"]) -> Shaped[Array, " few"]:
    return x.at[place].get(mode="promise_in_bounds")


def zero(key: Key[Array, ""], marks: Marks) -> UInt32[Array, ""]:
    """0, which inside `shard_map` differs over the mesh axes that its origins do.

    What a loop carries must vary as much at the start as it will at the end.
    """
    return (jr.key_data(key).ravel()[0] ^ marks.ravel()[0]) & 0
