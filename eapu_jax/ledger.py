"""What happened to an array: counts that neither overflow nor round."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, UInt32

from eapu_jax.devices.base import Pulses

_BLOCK = 1024  # counts added in one 32-bit word: each may be as large as 2**22

Total = UInt32[Array, "2"]
"""A count up to 2**64: high word, low word."""


class Ledger(NamedTuple):
    """Counts of one array since its deployment.

    Attributes:
        writes: writes of every cell (a write sends one pulse or more); stays at
            2**32 - 1 once there.
        up: pulses that asked for more conductance, a `Total`.
        down: pulses that asked for less.
        reads: reads of the whole array.
        foreign: weights found changed from outside (see `program`).
        written: cells written at the last update.
    """

    writes: UInt32[Array, "*cells"]
    up: Total
    down: Total
    reads: Total
    foreign: Total
    written: Total


def blank(cells: tuple[int, ...]) -> Ledger:
    """A ledger of cells that nothing has happened to."""
    writes = jnp.zeros(cells, jnp.uint32)
    return Ledger(writes, *(jnp.zeros(2, jnp.uint32) for _ in range(5)))


def record(ledger: Ledger, pulses: Pulses) -> Ledger:
    """Add the pulses of one update."""
    sent = pulses.sent
    full = ledger.writes == jnp.uint32(2**32 - 1)
    return ledger._replace(
        writes=ledger.writes + (sent & ~full).astype(jnp.uint32),
        up=add(ledger.up, count(pulses.up)),
        down=add(ledger.down, count(pulses.down)),
        written=count(sent),
    )


def count(n: Int[Array, "..."]) -> Total:
    """The exact sum of counts, each from 0 to 2**22, over at most 2**31 of them.

    Example:
        >>> import jax.numpy as jnp
        >>> value(count(jnp.full((3000, 1000), 4_000_000)))
        12000000000000
    """
    words = jnp.pad(n.ravel().astype(jnp.uint32), (0, -n.size % _BLOCK))
    rows = jnp.sum(words.reshape(-1, _BLOCK), axis=1, dtype=jnp.uint32)
    low = jnp.sum(rows & 0xFFFF, dtype=jnp.uint32)
    high = jnp.sum(rows >> 16, dtype=jnp.uint32)
    return add(
        jnp.stack([high >> 16, high << 16]), jnp.stack([jnp.zeros_like(low), low])
    )


def add(a: Total, b: Total) -> Total:
    """The sum of two counts.

    Example:
        >>> import jax.numpy as jnp
        >>> most = jnp.array([0, 2**32 - 1], jnp.uint32)
        >>> value(add(most, jnp.array([0, 1], jnp.uint32)))
        4294967296
    """
    low = a[1] + b[1]
    return jnp.stack([a[0] + b[0] + (low < a[1]).astype(jnp.uint32), low])


def value(total: Total) -> int:
    """A concrete count as a Python integer."""
    high, low = (int(word) for word in total)
    return (high << 32) | low


def ratio(total: Total, size: int) -> Float[Array, ""]:
    """A count over a number of things; 0 where there are none. Works while traced."""
    high, low = total[0].astype(jnp.float32), total[1].astype(jnp.float32)
    return (high / max(size, 1)) * 2.0**32 + low / max(size, 1)


def as_float(total: Total) -> jax.Array:
    """A count in single precision, 24 bits of it; for sums use `value`."""
    return ratio(total, 1)
