"""What is swept: values that are mapped, and values that decide the program.

Numbers are mapped: one compiled program serves them all. Text, booleans, callables
and types decide what the program *is*: each is compiled anew. A number that does (a
width, a number of steps) must be declared `Structural`.
"""

import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from chipsweep.suggest import suggest

RESERVED = ("chip", "point", "reason", "seed")
"""Names of a sweep's own dimensions and status."""


@dataclass(frozen=True)
class Structural:
    """Values that change the program: one compilation each."""

    values: Sequence[Any]

    def __post_init__(self):
        object.__setattr__(self, "values", tuple(self.values))


@dataclass(frozen=True, kw_only=True)
class Range:
    """An interval that a random or quasi-random design draws from.

    Attributes:
        low: lower end.
        high: upper end, above `low`.
        log: spread evenly over the logarithm.

    Example:
        >>> Range(low=1e-14, high=1e-12, log=True).at(0.5)
        1e-13
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self):
        for name in ("low", "high"):
            value = getattr(self, name)
            if not _is_number(value) or not math.isfinite(value):
                raise ValueError(f"{name} of a Range must be finite, got {value!r}")
        if not self.low < self.high:
            raise ValueError(f"low = {self.low} must be below high = {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"low of a log Range must be above 0, got {self.low}")

    def at(self, u: float) -> float:
        """The value at fraction `u` of the way, to twelve digits, within the ends."""
        if not self.log:
            return float(self.low + u * (self.high - self.low))
        low, high = math.log(self.low), math.log(self.high)
        value = float(f"{math.exp(low + u * (high - low)):.12g}")
        return float(min(max(value, self.low), self.high))


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
        axes: name -> values, `Structural` or `Range`.
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
            raise ValueError(f"axis {name!r} must be a name, and none of {RESERVED}")
        if closed and name not in (base or {}):
            hint = suggest(name, sorted(base or {}))
            raise ValueError(f"unknown axis {name!r}{hint}")
    return tuple(_axis(name, given, base or {}) for name, given in axes.items())


def label(value: Any) -> int | float | str:
    """A value as a coordinate: a number or a short text."""
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        return value
    return getattr(value, "__name__", None) or str(value)


def _axis(name: str, given: Any, base: Mapping[str, Any]) -> Axis:
    if isinstance(given, Range):
        return Axis(name=name, range=given)
    values = _values(name, given)
    if isinstance(given, Structural) or not all(map(_is_number, values)):
        _require_distinct(name, "labels", values, [str(label(v)) for v in values])
        return Axis(name=name, values=values, structural=True)
    integer = all(isinstance(v, numbers.Integral) for v in values)
    integer = integer and not isinstance(base.get(name), float)
    values = tuple(map(int if integer else float, values))
    kind = np.dtype(np.int32) if integer else jax.dtypes.canonicalize_dtype(float)
    _require_held(name, values, kind)
    return Axis(name=name, values=values, integer=integer)


def _values(name: str, given: Any) -> tuple[Any, ...]:
    """The values, numbers of numpy and jax as Python's."""
    if isinstance(given, Structural):
        given = given.values
    elif isinstance(given, str | bytes | Mapping) or not hasattr(given, "__iter__"):
        raise ValueError(f"axis {name!r} must be a sequence of values, got {given!r}")
    if isinstance(given, jax.Array):
        given = np.asarray(given)
    scalars = (np.generic, np.ndarray, jax.Array)
    values = tuple(
        v.item() if isinstance(v, scalars) and v.ndim == 0 else v for v in given
    )
    if not values:
        raise ValueError(f"axis {name!r} has no values")
    return values


def _require_held(name: str, values: tuple, kind: Any) -> None:
    """Refuse what the compiled program would not see as it was given."""
    _require_distinct(name, "values", values, values)
    bound = jax.numpy.iinfo(kind) if kind.kind == "i" else jax.numpy.finfo(kind)
    for value in values:
        if not float(bound.min) <= value <= float(bound.max):
            raise ValueError(f"axis {name!r} must be finite in {kind}, got {value}")
    held = np.array(values, kind).tolist()
    _require_distinct(name, f"{kind} values", values, held)


def _require_distinct(name: str, what: str, values: tuple, keys: Sequence) -> None:
    seen: dict[Any, Any] = {}
    for value, key in zip(values, keys, strict=True):
        if key in seen:
            both = f"{seen[key]!r} and {value!r}"
            raise ValueError(f"axis {name!r} must have distinct {what}, got {both}")
        seen[key] = value


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
