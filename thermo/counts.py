"""Whole numbers: those that are given, and one that is kept and never overflows."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, UInt32


def check_count(name: str, x: Any, least: int = 1) -> None:
    """Refuse what is not one whole number, or less than `least`.

    Raises:
        ValueError: naming the number and its bound.
    """
    if isinstance(x, Tracer):
        return
    value = np.asarray(x, object if isinstance(x, list | tuple | dict) else None)
    if value.shape or value.dtype.kind not in "iu":
        raise ValueError(f"{name} = {x!r}: must be a whole number, at least {least}.")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")


class Count(NamedTuple):
    """A number of samples up to 2^64, in two words of 32 bits.

    Attributes:
        high: multiples of 2^32.
        low: the rest.
    """

    high: UInt32[Array, ""]
    low: UInt32[Array, ""]

    @classmethod
    def zero(cls, shape: tuple[int, ...] = ()) -> "Count":
        """Nothing counted yet."""
        return cls(jnp.zeros(shape, jnp.uint32), jnp.zeros(shape, jnp.uint32))

    def plus(self, more: "Count | Array | int") -> "Count":
        """The sum; `more` is another count, or a number below 2^32.

        Example:
            >>> int(Count.zero().plus(2**32 - 1).plus(2).value()) - 2**32
            1
        """
        if not isinstance(more, Count):
            word = np.uint32(more) if isinstance(more, int) else more
            more = Count(jnp.uint32(0), jnp.asarray(word).astype(jnp.uint32))
        low = self.low + more.low
        return Count(self.high + more.high + (low < self.low).astype(jnp.uint32), low)

    def real(self, dtype: Any) -> Float[Array, ""]:
        """The count as a floating-point number, rounded."""
        return self.high.astype(dtype) * 2.0**32 + self.low.astype(dtype)

    def value(self) -> Any:
        """The exact number in NumPy; while it is being traced, a rounded one."""
        if isinstance(self.low, Tracer):
            return self.real(jnp.float32)
        high, low = (np.asarray(x, np.uint64) for x in self)
        return (high << np.uint64(32)) + low
