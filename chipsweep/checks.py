"""Whole numbers within bounds, whoever counts them."""

import numbers
from typing import Any

import jax
import numpy as np

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
    if not isinstance(given, range) and np.ndim(given) == 0:
        return range(whole(name, given, at_least=1, at_most=MOST_CHIPS))
    each, most = f"every index of {name}", MOST_CHIPS - 1
    told = (*given[:1], *given[-1:]) if isinstance(given, range) else given
    found = tuple(whole(each, i, at_least=0, at_most=most) for i in told)
    if not found:
        raise ValueError(f"{name} must be at least one index, got none")
    if isinstance(given, range):
        return given
    if len(set(found)) < len(found):
        raise ValueError(f"{name} must be distinct indices, got {given!r}")
    return found
