"""How many pulses the cells of a row got, in as few words as hold them."""

import jax.numpy as jnp
from jaxtyping import Array, UInt32

from eapu_jax.devices.base import Pulses
from eapu_jax.rows import Rows

Words = tuple[UInt32[Array, "..."], ...]
"""One word of three counts up to 1023, or three words: up, down, written."""

_BITS = 10


def words(pulses: Pulses) -> Words:
    """What the pulses of a cell add to the words of its row."""
    counts = [n.astype(jnp.uint32) for n in (pulses.up, pulses.down, pulses.sent)]
    if pulses.up.dtype != jnp.bool_:
        return tuple(counts)
    up, down, sent = counts  # a row has 256 cells
    return (up | (down << _BITS) | (sent << 2 * _BITS),)


def totals(rows: Rows, of_rows: Words) -> UInt32[Array, "arrays 3 2"]:
    """Pulses up, down and cells written of every array, in two words."""
    if len(of_rows) == 1:
        part = (1 << _BITS) - 1
        counts = [of_rows[0] >> i * _BITS & part for i in range(3)]
        return rows.small_totals(jnp.stack(counts, 1))
    return jnp.stack([rows.totals(of_row) for of_row in of_rows], 1)
