"""What is swept: values that are traced and mapped, and values that are not.

Numbers are mapped: one compiled program serves them all. Text, booleans,
callables and types decide what the program *is*: for each of them it is
compiled anew. A number that does (a width, a number of steps) must be declared
`Structural`.
"""

import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.catalogue import suggest

__all__ = ["Axis", "Range", "Structural", "Traced", "read_axes"]

RESERVED = ("chip", "point", "reason", "seed")


@dataclass(frozen=True)
class Structural:
    """Values that change the program: one compilation each.

    Example:
        >>> Structural([16, 32]).values
        (16, 32)
    """

    values: Sequence[Any]

    def __post_init__(self):
        object.__setattr__(self, "values", tuple(self.values))


@dataclass(frozen=True)
class Traced:
    """Values that must be mapped: anything but numbers is refused."""

    values: Sequence[Any]

    def __post_init__(self):
        object.__setattr__(self, "values", tuple(self.values))


@dataclass(frozen=True, kw_only=True)
class Range:
    """An interval that a random or Sobol design draws from.

    Attributes:
        low: lower end.
        high: upper end, above `low`.
        log: spread evenly over the logarithm.

    Example:
        >>> Range(low=1.0, high=100.0, log=True).at(0.5)
        10.0
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self):
        if not (math.isfinite(self.low) and self.low < self.high < math.inf):
            raise ValueError(f"low = {self.low} must be below high = {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"low = {self.low}: above 0 where log=True")

    def at(self, u: float) -> float:
        """The value at fraction `u` of the way."""
        if not self.log:
            return float(self.low + u * (self.high - self.low))
        low, high = math.log(self.low), math.log(self.high)
        return float(round(math.exp(low + u * (high - low)), 12))


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One named axis, its kind decided.

    Attributes:
        name: of the dimension, and of the point's field.
        values: in the order given; empty for a range.
        range: where values are to be drawn from, else None.
        structural: whether every value is a program of its own.
        integer: whether the traced values are whole numbers.
    """

    name: str
    values: tuple[Any, ...] = ()
    range: Range | None = None
    structural: bool = False
    integer: bool = False


def read_axes(
    axes: Mapping[str, Any],
    base: Mapping[str, Any] | None = None,
    *,
    closed: bool = False,
) -> tuple[Axis, ...]:
    """Decide for every axis whether it is mapped or compiled.

    Args:
        axes: name -> values, `Structural`, `Traced` or `Range`.
        base: other fields; one that is a float makes whole numbers floats.
        closed: whether an axis must be one of the fields.

    Raises:
        ValueError: naming the axis and what is wrong with it.

    Example:
        >>> [a.structural for a in read_axes({"noise": [0.5, 1], "rule": ["eapu"]})]
        [False, True]
    """
    for name in axes:
        if not isinstance(name, str) or not name.isidentifier() or name in RESERVED:
            raise ValueError(f"axis {name!r}: a name, and none of {RESERVED}")
        if closed and name not in (base or {}):
            hint = suggest(name, sorted(base or {}))
            raise ValueError(f"unknown axis {name!r}{hint}")
    return tuple(_axis(name, given, base or {}) for name, given in axes.items())


def _axis(name: str, given: Any, base: Mapping[str, Any]) -> Axis:
    if isinstance(given, Range):
        return Axis(name=name, range=given)
    if isinstance(given, Structural | Traced):
        values = tuple(given.values)
    elif isinstance(given, str | bytes | Mapping) or not hasattr(given, "__iter__"):
        raise ValueError(f"axis {name!r} must be a sequence of values, got {given!r}")
    else:
        values = tuple(given)
    values = tuple(v.item() if _is_scalar_array(v) else v for v in values)
    _require_distinct(name, values)
    plain = all(map(_is_number, values))
    if isinstance(given, Traced) and not plain:
        odd = next(v for v in values if not _is_number(v))
        raise ValueError(
            f"axis {name!r} is marked Traced, but {odd!r} is no number: "
            "use Structural([...]), compiled once per value"
        )
    if isinstance(given, Structural) or not plain:
        return Axis(name=name, values=values, structural=True)
    _require_finite(name, values)
    integer = all(isinstance(v, numbers.Integral) for v in values)
    integer = integer and not isinstance(base.get(name), float)
    kind = int if integer else float
    return Axis(name=name, values=tuple(map(kind, values)), integer=integer)


def _is_scalar_array(value: Any) -> bool:
    return hasattr(value, "item") and np.ndim(value) == 0


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _require_finite(name: str, values: tuple) -> None:
    wrong = [v for v in values if not math.isfinite(v)]
    if wrong:
        raise ValueError(f"axis {name!r} must be finite, got {wrong[0]}")


def _require_distinct(name: str, values: tuple) -> None:
    if not values:
        raise ValueError(f"axis {name!r} has no values")
    seen = []
    for value in values:
        if any(value is s or (type(value) is type(s) and value == s) for s in seen):
            raise ValueError(f"axis {name!r} has {value!r} twice")
        seen.append(value)
