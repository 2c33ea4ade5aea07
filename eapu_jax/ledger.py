"""What happened to an array: counts that neither overflow nor round."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, UInt32

from eapu_jax.devices.base import Pulses
from eapu_jax.rows import Rows, add

Total = UInt32[Array, "2"]
"""A count up to 2**64: high word, low word."""


class Ledger(NamedTuple):
    """Counts of one array since its deployment.

    Attributes:
        writes: writes of every cell (a write sends one pulse or more); stays at
            2**32 - 1 once there.
        up: pulses that asked for more conductance, a `Total`.
        down: pulses that asked for less.
        reads: reads of the whole array; of one line where a rule reads line by line.
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
    return ledger._replace(
        writes=one_more(ledger.writes, pulses.sent),
        up=add(ledger.up, count(pulses.up)),
        down=add(ledger.down, count(pulses.down)),
        written=count(pulses.sent),
    )


def one_more(writes: UInt32[Array, "*cells"], sent: Array) -> UInt32[Array, "*cells"]:
    """One write more where a pulse was sent; a full counter stays full."""
    full = writes == jnp.uint32(2**32 - 1)
    return writes + (sent & ~full).astype(jnp.uint32)


def count(n: Array) -> Total:
    """The exact sum of counts, each below 2**22.

    Example:
        >>> import jax.numpy as jnp
        >>> value(count(jnp.full((3000, 1000), 4_000_000)))
        12000000000000
    """
    rows = Rows.of({"": n})
    return rows.sums(rows.pack({"": n.astype(jnp.uint32)}))[0]


def value(total: Total) -> int:
    """A concrete count as a Python integer."""
    high, low = (int(word) for word in total)
    return (high << 32) | low


def ratio(total: UInt32[Array, "*n 2"], size: int) -> Float[Array, "*n"]:
    """A count over a number of things; 0 where there are none. Works while traced."""
    high, low = (total[..., i].astype(jnp.float32) / max(size, 1) for i in (0, 1))
    return high * 2.0**32 + low
