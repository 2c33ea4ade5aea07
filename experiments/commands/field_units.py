"""Units of the fields of one run, and of what it gives back."""

import inspect
import re
from collections.abc import Mapping

import xarray as xr

__all__ = ["units", "with_units"]

_UNITS = ("µS", "1/µS", "µs", "V", "V^2")
"""What the docstrings of fields end in; a word that is not listed is no unit."""


def units(kind: type) -> dict[str, str]:
    """Field -> unit, of the fields whose entry ends in a comma and a unit.

    Args:
        kind: a dataclass; what its bases say holds where it says nothing.

    Example:
        >>> class Base:
        ...     '''One run.
        ...
        ...     Attributes:
        ...         noise: SD of one write
        ...             before it is read, µS.
        ...         length: of a cell, in all.
        ...     '''
        >>> units(Base)
        {'noise': 'µS'}
    """
    found: dict[str, str] = {}
    for one in reversed(kind.__mro__):
        text = inspect.cleandoc(one.__dict__.get("__doc__") or "")
        _, _, fields = text.partition("Attributes:\n")
        for name, said in re.findall(r"^    (\w+): (.*(?:\n     +.*)*)", fields, re.M):
            unit = re.search(r",\s+(\S+)\.$", said)
            if unit and unit[1] in _UNITS:
                found[name] = unit[1]
    return found


def with_units(
    dataset: xr.Dataset, kind: type, outputs: Mapping[str, str]
) -> xr.Dataset:
    """A sweep that tells units, of the fields swept and of its outputs.

    Args:
        dataset: the sweep.
        kind: dataclass of its fields.
        outputs: output -> unit; those that are numbers by themselves are not there.
    """
    fields = {
        name: unit for name, unit in units(kind).items() if name in dataset.coords
    }
    made = {name: unit for name, unit in outputs.items() if name in dataset}
    new = {n: dataset[n].assign_attrs(units=u) for n, u in (fields | made).items()}
    told = dataset.assign({n: new[n] for n in made})
    return told.assign_coords({n: new[n] for n in fields})
