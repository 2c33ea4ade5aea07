"""Values again, from their labels: made to compute with, or only named to be shown."""

import dataclasses
import functools
import importlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from experiments.sweep.axes import Range
from experiments.sweep.reductions import (
    Best,
    Fraction,
    Histogram,
    Moments,
    Quantiles,
)

__all__ = ["Named", "imported", "is_reduction", "named_of", "value_of"]

_OURS = (Range, Best, Fraction, Histogram, Moments, Quantiles)
_READ = {f"{c.__module__}:{c.__qualname__}": c for c in _OURS}


@dataclass(frozen=True)
class Named:
    """A value that is not made again: as equal as the labels are.

    Attributes:
        label: the whole label, as JSON.
        name: what a person is shown.
    """

    label: str
    name: str

    def __str__(self) -> str:
        """The name alone."""
        return self.name


def value_of(labelled: Any) -> Any:
    """What `label` labelled: functions and types are imported, dataclasses made.

    Raises:
        ValueError: if no module holds a value under its name, or what should be a
            dataclass is something else.

    Example:
        >>> from experiments.sweep.labels import label
        >>> value_of(label({"rule": "eapu", "widths": (32, 10)}))
        {'rule': 'eapu', 'widths': (32, 10)}
    """
    return _read(labelled, _made)


def named_of(labelled: Any) -> Any:
    """The same, to be looked at: nothing is imported and nothing of others is run.

    Ranges and reductions of this package are made; anything else that is not a
    plain value becomes a `Named`.

    Example:
        >>> str(named_of({"import": "subprocess:Popen"}))
        'Popen'
    """
    return _read(labelled, _named)


def is_reduction(value: Any) -> bool:
    """Whether it has the four methods of a `Reduction`."""
    return all(hasattr(value, name) for name in ("init", "update", "merge", "finish"))


def _read(labelled: Any, other: Callable[[dict[str, Any]], Any]) -> Any:
    if not isinstance(labelled, dict):
        return labelled
    kind, held = _kind(labelled)
    if kind in ("tuple", "list"):
        return (tuple if kind == "tuple" else list)(_read(v, other) for v in held)
    if kind == "dict":
        return {k: _read(v, other) for k, v in held.items()}
    return other(labelled)


def _kind(labelled: dict[str, Any]) -> tuple[str, Any]:
    if not labelled:
        raise ValueError("an empty label says nothing")
    return next(iter(labelled.items()))


def _made(labelled: dict[str, Any]) -> Any:
    kind, held = _kind(labelled)
    try:
        if kind == "import":
            return imported(held)
        if kind == "make":
            return _dataclass(imported(held), labelled, value_of)
        raise ValueError("no module holds it")
    except (ValueError, ImportError, AttributeError, TypeError) as e:
        raise ValueError(f"{held} cannot be made again ({e}): pass it in") from e


def _named(labelled: dict[str, Any]) -> Any:
    kind, held = _kind(labelled)
    known = _READ.get(held) or _loaded_reduction(str(held))
    if kind == "make" and known:
        return _dataclass(known, labelled, named_of)
    name = str(held).rpartition(":")[2].rpartition(".")[2]
    if kind == "make":
        fields = {k: named_of(v) for k, v in labelled["fields"].items()}
        name += f"({', '.join(f'{k}={v!r}' for k, v in fields.items())})"
    return Named(json.dumps(labelled), name)


def _dataclass(owner: Any, labelled: dict[str, Any], read: Callable) -> Any:
    """An instance; only of a dataclass, for anything else may do anything."""
    if not (isinstance(owner, type) and dataclasses.is_dataclass(owner)):
        raise ValueError(f"{owner} is no dataclass")
    return owner(**{k: read(v) for k, v in labelled["fields"].items()})


def _loaded_reduction(where: str) -> type | None:
    """A user's own reduction, if its module is loaded already."""
    module, _, name = where.partition(":")
    found = vars(sys.modules[module]).get(name) if module in sys.modules else None
    mine = isinstance(found, type) and dataclasses.is_dataclass(found)
    return found if mine and is_reduction(found) else None


def imported(where: str) -> Any:
    """What a module holds: "module:name"."""
    module, _, name = where.partition(":")
    return functools.reduce(getattr, name.split("."), importlib.import_module(module))
