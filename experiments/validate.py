"""What a field may hold, said once: by its annotation.

Every Config, and every dataclass that a sweep starts from, is `Checked` when it
is made, be it from Python, the command line or a grid: what cannot be
meant is refused before anything is computed. NumPy's numbers become Python's,
whole numbers in a real field become real, lists become tuples; nothing else
changes its type.
"""

import math
import numbers
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Annotated, Any, NamedTuple, TypeVar

import numpy as np

__all__ = [
    "Ascending",
    "Bits",
    "Checked",
    "Count",
    "CountOrZero",
    "Distinct",
    "EffectiveBits",
    "NonNegative",
    "Plural",
    "Positive",
    "Proportion",
    "Seed",
    "Several",
    "Width",
    "bounds",
    "check",
    "multiple_of",
    "one_of",
]

T = TypeVar("T")


class Rule(NamedTuple):
    """What a value must be, in words and as a test of it."""

    words: str
    holds: Callable[[Any], bool]


def bounds(low: float, high: float) -> Rule:
    """From `low` to `high`, both allowed."""
    return Rule(f"must be from {low:,} to {high:,}", lambda v: low <= v <= high)


def multiple_of(unit: int) -> Rule:
    """A whole multiple of `unit`."""
    return Rule(f"must be a multiple of {unit}", lambda v: v % unit == 0)


def one_of(*names: str) -> Rule:
    """One of these names."""
    return Rule(f"must be one of {', '.join(names)}", lambda v: v in names)


_LARGEST = 2**31 - 1  # of the whole numbers that jax computes with
_TINY, _HUGE = (float(x) for x in (np.finfo("f4").tiny, np.finfo("f4").max))
_SINGLE = f"from {_TINY:.2g} to {_HUGE:.2g}, as single precision holds them"
_SEVERAL = Rule("must hold at least one value", lambda v: len(v) > 0)
_DISTINCT = Rule("must hold no value twice", lambda v: len(set(v)) == len(v))
_ASCENDING = Rule("must increase", lambda v: all(a < b for a, b in pairwise(v)))
_POSITIVE = Rule(f"must be positive, {_SINGLE}", lambda v: _TINY <= v <= _HUGE)
_NON_NEGATIVE = Rule(f"must be 0 or {_SINGLE}", lambda v: v == 0 or _TINY <= v <= _HUGE)

Seed = Annotated[int, bounds(0, _LARGEST)]
"""Root of random keys."""
Count = Annotated[int, bounds(1, _LARGEST)]
"""How many."""
CountOrZero = Annotated[int, bounds(0, _LARGEST)]
"""How many, where 0 leaves the choice to the program."""
Plural = Annotated[int, bounds(2, _LARGEST)]
"""How many, and not just one."""
Width = Annotated[int, bounds(1, 2**16)]
"""Side of an array or a matrix."""
Bits = Annotated[int, bounds(1, 24)]
"""Resolution; single precision has 24."""
EffectiveBits = Annotated[float, bounds(1, 24)]
"""Resolution that need not be a whole number of bits."""
Positive = Annotated[float, _POSITIVE]
NonNegative = Annotated[float, _NON_NEGATIVE]
Proportion = Annotated[float, bounds(0, 1)]
Several = Annotated[tuple[T, ...], _SEVERAL]
Distinct = Annotated[tuple[T, ...], _SEVERAL, _DISTINCT]
Ascending = Annotated[tuple[T, ...], _SEVERAL, _ASCENDING]


def check(thing: Any) -> None:
    """Hold every field of a dataclass against its annotation.

    Raises:
        ValueError: naming class, field, value and bound.

    Example:
        >>> import dataclasses
        >>> @dataclasses.dataclass(frozen=True)
        ... class Config:
        ...     n_chips: Count = 8
        ...     rates: Distinct[Proportion] = (0.5,)
        ...     __post_init__ = check
        >>> Config(np.int64(2), [0, 0.1])
        Config(n_chips=2, rates=(0.0, 0.1))
        >>> Config(rates=(1.5,))
        Traceback (most recent call last):
            ...
        ValueError: Config.rates[0] = 1.5: must be from 0 to 1
    """
    for name, kind in _kinds(type(thing)).items():
        where = f"{type(thing).__name__}.{name}"
        object.__setattr__(thing, name, _fitted(where, getattr(thing, name), kind))


@typing.dataclass_transform(frozen_default=True, kw_only_default=True)
class Checked:
    """What derives from it is a frozen dataclass, checked whenever one is made.

    Example:
        >>> class Config(Checked):
        ...     rate: Proportion = 0.5
        >>> Config(rate=1.5)
        Traceback (most recent call last):
            ...
        ValueError: Config.rate = 1.5: must be from 0 to 1
    """

    def __init_subclass__(cls, **more):
        super().__init_subclass__(**more)
        dataclass(frozen=True, kw_only=True)(cls)

    def __post_init__(self):
        check(self)

    def require(self, holds: bool, field: str, words: str) -> None:
        """Refuse a field for what the other fields are.

        Raises:
            ValueError: naming class, field, value and bound.
        """
        if not holds:
            where = f"{type(self).__name__}.{field}"
            raise ValueError(f"{where} = {getattr(self, field)!r}: {words}")


@cache
def _kinds(owner: type) -> dict[str, Any]:
    return typing.get_type_hints(owner, include_extras=True)


def _fitted(where: str, value: Any, kind: Any) -> Any:
    """The value as its annotation wants it."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is Annotated:
        return _ruled(where, _fitted(where, value, parts[0]), parts[1:])
    if origin in (typing.Union, types.UnionType):
        (one,) = (part for part in parts if part is not type(None))
        return None if value is None else _fitted(where, value, one)
    if origin is tuple:
        if not isinstance(value, tuple | list):
            raise ValueError(f"{where} = {value!r}: must be a tuple")
        return tuple(_fitted(f"{where}[{i}]", v, parts[0]) for i, v in enumerate(value))
    return _scalar(where, value, kind)


def _ruled(where: str, value: Any, rules: tuple[Any, ...]) -> Any:
    for rule in rules:
        if isinstance(rule, Rule) and not rule.holds(value):
            raise ValueError(f"{where} = {value!r}: {rule.words}")
    return value


_SCALARS: dict[type, tuple[Any, str]] = {
    bool: (bool | np.bool_, "True or False"),
    int: (numbers.Integral, "a whole number"),
    float: (numbers.Real, "a real number"),
    str: (str, "a text"),
}


def _scalar(where: str, value: Any, kind: type) -> Any:
    accepted, words = _SCALARS[kind]
    truth = isinstance(value, bool) and kind is not bool
    if truth or not isinstance(value, accepted):
        raise ValueError(f"{where} = {value!r}: must be {words}")
    if kind is float and not _is_finite(value):
        raise ValueError(f"{where} = {value!r}: must be a finite number")
    return kind(value)


def _is_finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond double precision
        return False
