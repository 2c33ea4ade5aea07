"""Sums that keep what rounding takes off: a number and a small one that belongs to it.

In float32 a running sum of ones stops at 2^24, since the next one is rounded away. Held
in two parts it counts to 2^48.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Inexact


class Pair(NamedTuple):
    """A sum in two parts; `low` is below the rounding of `high`."""

    high: Inexact[Array, "..."]
    low: Inexact[Array, "..."]


def pair(x: Inexact[Array, "..."]) -> Pair:
    """A number that is known exactly."""
    return Pair(x, jnp.zeros_like(x))


def add(total: Pair, more: Inexact[Array, "..."]) -> Pair:
    """Add a number of any size (Knuth's two-sum).

    Example:
        >>> import jax.numpy as jnp
        >>> total = pair(jnp.float32(2**24))
        >>> total = add(add(total, jnp.float32(1)), jnp.float32(1))
        >>> float(total.high + total.low) - 2**24
        2.0
    """
    more = more + total.low
    high = total.high + more
    added = high - total.high
    return Pair(high, (total.high - (high - added)) + (more - added))
