"""What a function is told about the point at hand."""

from collections.abc import Iterator, Mapping
from typing import Any

from chipsweep.suggest import suggest


class BadFunction(ValueError):
    """The function cannot be swept like this, at any point."""


class NoSuchField(AttributeError, BadFunction):
    """The function asks the point for something that is neither axis nor base."""


class Point(Mapping[str, Any]):
    """The values at one point of a sweep: `point.threshold`, `point["threshold"]`.

    Axes that are mapped arrive as traced scalars, structural ones and the base
    as they were given; `seed` is the index of the seed.

    Example:
        >>> point = Point({"threshold": 2.0, "seed": 0})
        >>> point.threshold, dict(point)
        (2.0, {'threshold': 2.0, 'seed': 0})
    """

    def __init__(self, values: Mapping[str, Any], read: set[str] | None = None):
        """Hold `values`; every name that is read is added to `read`."""
        self._values = dict(values)
        self._read = set() if read is None else read

    def __getitem__(self, name: str) -> Any:
        if name not in self._values:
            hint = suggest(name, sorted(self._values))
            raise NoSuchField(f"the sweep has no axis or base value {name!r}{hint}")
        self._read.add(name)
        return self._values[name]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
