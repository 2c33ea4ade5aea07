"""All digits in every matrix product, whatever the device.

A GPU multiplies matrices of float32 with eleven-bit mantissas unless told
otherwise: fast, good enough for training, and a thousand times too coarse for
the laws of this package.
"""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import jax

__all__ = ["full_precision"]

P = ParamSpec("P")
T = TypeVar("T")


def full_precision(law: Callable[P, T]) -> Callable[P, T]:
    """The same function, whose matrix products keep the digits of their dtype."""

    @functools.wraps(law)
    def exactly(*args: P.args, **kwargs: P.kwargs) -> T:
        with jax.default_matmul_precision("highest"):
            return law(*args, **kwargs)

    return exactly
