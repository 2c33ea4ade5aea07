"""Elements of an array that are marked, a bit each, and found by their rank.

A loop that serves a few elements of many must find them without a pass over all. The
marks are counted once, up to every word; a turn of the loop takes the elements of the
next ranks, as many as it likes: where blocks of words begin among them is counted.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Int, Key, Shaped, UInt32

SIDE = 64  # words side by side; a power of two, that places are found by shifts
GROUP = 32 * SIDE  # elements whose bits lie in one row of words
BLOCK = 8  # words of which one is searched; a power of two

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
    """Marks, counted.

    Attributes:
        marks: the marks.
        up_to: how many there are up to and with every word.
    """

    marks: Marks
    up_to: Int[Array, " words"]

    @property
    def total(self) -> Int[Array, ""]:
        """How many elements are marked."""
        return self.up_to[-1]

    def elements(self, first: Int[Array, ""], n: int) -> Int[Array, " n"]:
        """The elements of `n` ranks from `first` on; past the end where there is none.

        Ranks that follow each other lie in words that do: blocks of words that begin
        among these ranks are counted, and only the word in its block is searched.
        """
        rank = first + jnp.arange(n, dtype=jnp.int32)
        here = rank < self.total
        rank = jnp.where(here, rank, 0)
        before = jnp.pad(self.up_to[BLOCK - 1 : -1 : BLOCK], (1, 0))
        begins = jnp.zeros(n + 1, jnp.int32)
        begins = begins.at[jnp.clip(before - first, 0, n)].add(1)[:n]
        block = jnp.where(here, running(begins) - 1, 0)
        word = self._word(block * BLOCK, rank)
        earlier = jnp.where(word > 0, _at(self.up_to, jnp.maximum(word, 1) - 1), 0)
        bit = _bit(_at(self.marks.ravel(), word), rank - earlier)
        element = (word // SIDE * 32 + bit) * SIDE + word % SIDE
        return jnp.where(here, element, self.marks.size * 32)

    def _word(self, start, rank):
        """The first word from `start` on, of a block, up to which there are more."""
        place = start
        for step in (1 << n for n in reversed(range(BLOCK.bit_length() - 1))):
            passed = _at(self.up_to, place + (step - 1)) <= rank
            place = jnp.where(passed, place + step, place)
        return place


def ranked(marks: Marks) -> Ranked:
    """Count marks."""
    return Ranked(marks, running(jax.lax.population_count(marks).ravel()))


def running(counts: Shaped[Array, " n"]) -> Int[Array, " n"]:
    """Running sums, of which no part of 64 sums to more than 2**24.

    Products with ones: `jnp.cumsum` adds up every sum from its beginning.
    """
    side = min(SIDE, counts.size)
    rows = jnp.pad(counts.astype(jnp.float32), (0, -counts.size % side))
    ones = jnp.triu(jnp.ones((side, side), jnp.float32))
    rows = jnp.matmul(rows.reshape(-1, side), ones, precision="highest")
    rows = rows.astype(jnp.int32)
    ends = jnp.cumsum(rows[:, -1]) - rows[:, -1]
    return (rows + ends[:, None]).ravel()[: counts.size]


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
