"""Whole numbers within bounds, whoever counts them."""

import numbers
from collections.abc import Iterable
from typing import Any

import jax
import numpy as np

__all__ = ["MOST_CHIPS", "indices", "whole"]

MOST_CHIPS = 2**31 - 1
"""Chips and seeds are numbered by 32 bits, of which the generator takes 31 for sure."""


def whole(name: str, value: Any, *, at_least: int, at_most: int) -> int:
    """A whole number, Python's or NumPy's, as Python's.

    Raises:
        ValueError: naming the value and the bound.

    Example:
        >>> whole("chips", np.int64(3), at_least=1, at_most=8)
        3
    """
    if isinstance(value, np.ndarray | jax.Array) and value.ndim == 0:
        value = np.asarray(value)[()]
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Integral):
        raise ValueError(f"{name} must be a whole number, got {value!r}")
    if not at_least <= int(value) <= at_most:
        raise ValueError(f"{name} must be from {at_least} to {at_most}, got {value}")
    return int(value)


def indices(name: str, given: Any) -> range | tuple[int, ...]:
    """How many, or which: the indices one by one.

    Raises:
        ValueError: on none, on repeated ones, on one beyond the generator's range.

    Example:
        >>> indices("chips", 3), indices("chips", np.array([7, 9]))
        (range(0, 3), (7, 9))
    """
    if isinstance(given, numbers.Integral) or np.ndim(given) == 0:
        return range(whole(name, given, at_least=1, at_most=MOST_CHIPS))
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise ValueError(
            f"{name} must be a number or a sequence of indices, got {given!r}"
        )
    if isinstance(given, range):
        ends = (given[0], given[-1]) if len(given) else ()
        for end in ends:
            whole(f"every index of {name}", end, at_least=0, at_most=MOST_CHIPS - 1)
        found: range | tuple[int, ...] = given
    else:
        each = f"every index of {name}"
        found = tuple(whole(each, i, at_least=0, at_most=MOST_CHIPS - 1) for i in given)
        if len(set(found)) < len(found):
            raise ValueError(f"{name} must be distinct indices, got {given!r}")
    if not len(found):
        raise ValueError(f"{name} must be at least one index, got none")
    return found
