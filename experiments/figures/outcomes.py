"""What a sweep has found, as numbers over its axes: a middle, and a band of chips."""

import json
import warnings
from typing import Any, NamedTuple

import xarray as xr

__all__ = ["Outcome", "in_words", "outcomes", "swept", "with_unit"]

_POPULATION = ("chip", "seed")
_AXES_OF_TIME = ("step", "epoch", "time")
_NO_OUTCOME = ("reason", "computed")


class Outcome(NamedTuple):
    """One quantity over the swept dimensions.

    Attributes:
        name: of the variable, in words, and on a second line what was taken of it.
        low: 25 % of the chips lie below; None if there is no population.
        middle: median over the chips.
        high: 25 % lie above.
        values: chip by chip; None if only statistics were kept.
        unit: as the variable's attribute `units` has it; empty if it has none.
    """

    name: str
    low: xr.DataArray | None
    middle: xr.DataArray
    high: xr.DataArray | None
    values: xr.DataArray | None
    unit: str = ""

    @property
    def label(self) -> str:
        """Name and unit, for an axis."""
        name = self.name.partition("\n")[0]
        return f"{name} [{self.unit}]" if self.unit else name

    @property
    def taken(self) -> str:
        """What was taken of the variable; empty if it is shown as it is."""
        return self.name.partition("\n")[2]


def in_words(values: xr.DataArray, name: str) -> str:
    """The attribute `long_name`, or the name with spaces.

    Example:
        >>> in_words(xr.DataArray(1.0), "write_noise")
        'write noise'
    """
    return str(values.attrs.get("long_name", name)).replace("_", " ")


def with_unit(values: xr.DataArray, name: str) -> str:
    """In words, and the attribute `units` in brackets: none is guessed.

    Example:
        >>> with_unit(xr.DataArray(1.0, attrs={"units": "µS"}), "g_max")
        'g max [µS]'
    """
    unit = str(values.attrs.get("units", ""))
    return f"{in_words(values, name)} [{unit}]" if unit else in_words(values, name)


def swept(dataset: xr.Dataset) -> list[str]:
    """Names of the dimensions that a sweep went over.

    Raises:
        ValueError: if the dataset is not of a sweep.
    """
    if "sweep" not in dataset.attrs:
        raise ValueError("this dataset is not the result of a sweep")
    return list(json.loads(dataset.attrs["sweep"])["dims"])


def outcomes(dataset: xr.Dataset) -> list[Outcome]:
    """Every numerical quantity that depends on the swept dimensions."""
    dims, found = swept(dataset), []
    for name, values in dataset.data_vars.items():
        name = str(name)
        if name in _NO_OUTCOME or values.dtype.kind not in "fiub":
            continue
        if not set(dims) <= set(values.dims):
            continue
        whole = name.removesuffix("_quantile")
        if whole != name and f"{whole}_q" in values.dims:
            one = _of_quantiles(whole, values, dims)
        elif not _is_statistic(name, dataset):
            whole, one = name, _of_values(name, values, dims)
        else:
            continue
        words = in_words(values, whole)
        label = "\n".join(filter(None, (words, one.taken.replace("_", " "))))
        found.append(one._replace(name=label, unit=str(values.attrs.get("units", ""))))
    found.sort(key=lambda outcome: "\n" in outcome.name)  # the plain ones first
    first: dict[Any, Outcome] = {}  # of those that say the same
    for one in found:
        first.setdefault((one.middle.dims, one.middle.values.tobytes()), one)
    return list(first.values())


def _of_values(name: str, values: xr.DataArray, dims: list[str]) -> Outcome:
    values, name = _without_own(name, values.astype(float), [*dims, *_POPULATION])
    over = [d for d in _POPULATION if d in values.dims and d not in dims]
    if not over:
        return Outcome(name, None, values, None, None)
    with warnings.catch_warnings():  # where every chip is missing
        warnings.simplefilter("ignore", RuntimeWarning)
        low, middle, high = values.quantile([0.25, 0.5, 0.75], over)
    return Outcome(name, low, middle, high, values)


def _of_quantiles(name: str, found: xr.DataArray, dims: list[str]) -> Outcome:
    """From the quantiles that were kept: those nearest to the quarters."""
    q = f"{name}_q"
    rows = found.sel({q: [0.25, 0.5, 0.75]}, method="nearest").drop_vars(q)
    rows, label = _without_own(name, rows, [*dims, q])
    low, middle, high = rows.transpose(q, ...)
    return Outcome(label, low, middle, high, None)


def _without_own(
    name: str, values: xr.DataArray, keep: list[str]
) -> tuple[xr.DataArray, str]:
    """The last step, and the mean over any other dimension; the name says so."""
    own = [str(d) for d in values.dims if d not in keep]
    last = [d for d in own if d.removeprefix(f"{name}_") in _AXES_OF_TIME]
    others = [d for d in own if d not in last]
    values = values.isel(dict.fromkeys(last, -1), drop=True).mean(others)
    said = [f"last {d}" for d in last]
    said += [f"mean over {', '.join(others)}"] if others else []
    return values, "\n".join([name, ", ".join(said)] if said else [name])


def _is_statistic(name: str, dataset: xr.Dataset) -> bool:
    """Whether a reduction has made it, and the quantiles say it already."""
    reduced = json.loads(dataset.attrs["sweep"])["reduce"]
    of = [output for output in reduced if name.startswith(f"{output}_")]
    shown = any(name == f"{o}_mean" and f"{o}_quantile" not in dataset for o in of)
    return bool(of) and not shown
