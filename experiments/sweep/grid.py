"""A plain grid over any fields of a Config: one run per point, one dataset."""

import dataclasses
import itertools
import json
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import xarray as xr

from experiments import catalogue
from experiments.work import Work

__all__ = ["grid", "parse_axis", "points"]


def grid(
    experiment: str | ModuleType,
    base_config: Any,
    axes: Mapping[str, Sequence[Any]],
    work: Work | None = None,
) -> xr.Dataset:
    """Run an experiment at every point of a grid of config values.

    Within a run, chips and seeds are vmapped by the experiment itself; here the
    points follow one another, so any field may be swept, sizes too. Every point
    is one part of `work`.

    Args:
        experiment: name or module.
        base_config: the config whose other fields stay.
        axes: field -> values.
        work: where finished points are kept; nowhere when None.

    Returns:
        The runs' datasets with one more dimension per field, in the order of
        `axes`, named like the field (`config_<field>` if the runs themselves
        have something of that name). Values that are not numbers are labelled
        by their text. Where runs differ in size the gaps are NaN.

    Raises:
        ValueError: for an unknown field or a value the Config refuses, before
            anything runs.
    """
    module = catalogue.find(experiment) if isinstance(experiment, str) else experiment
    asked = points(base_config, axes)
    kept = work or Work()
    kept.expect(len(asked))
    runs = [
        kept.part(_label(point), lambda c=config: module.run(c, _within(kept, c)))
        for point, config in asked
    ]
    return _assembled(runs, axes)


def points(
    base_config: Any, axes: Mapping[str, Sequence[Any]]
) -> list[tuple[dict[str, Any], Any]]:
    """Every point of a grid and its config, the last field fastest.

    Raises:
        ValueError: for an unknown field or a value the Config refuses.
    """
    _require_axes(type(base_config), axes)
    combinations = itertools.product(*axes.values())
    asked = [dict(zip(axes, values, strict=True)) for values in combinations]
    return [(point, _changed(base_config, point)) for point in asked]


def parse_axis(config_type: type, text: str) -> tuple[str, list[Any]]:
    """Read `field=a,b,c`; the items of a tuple are joined by colons.

    Example:
        >>> @dataclasses.dataclass(frozen=True)
        ... class Config:
        ...     n_chips: int = 8
        ...     sigmas: tuple[float, ...] = (1.0,)
        >>> parse_axis(Config, "n_chips=4,16")
        ('n_chips', [4, 16])
        >>> parse_axis(Config, "sigmas=0:1,2")
        ('sigmas', [(0.0, 1.0), (2.0,)])
    """
    field, equals, values = text.partition("=")
    if not equals or not values:
        raise ValueError(f"grid = {text!r}: expected FIELD=VALUE,VALUE,...")
    _require_field(config_type, field)
    hint = typing.get_type_hints(config_type)[field]
    try:
        return field, [_parsed(hint, value.strip()) for value in values.split(",")]
    except ValueError as e:
        raise ValueError(f"grid = {text!r}: {e}") from None


def _parsed(hint: Any, text: str) -> Any:
    """One value of the type that a field's annotation names."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        items = text.split(":")
        kinds = [args[0]] * len(items) if args[-1] is Ellipsis else list(args)
        if len(items) != len(kinds):
            raise ValueError(f"{text!r} has {len(items)} items, not {len(kinds)}")
        return tuple(_parsed(k, i) for k, i in zip(kinds, items, strict=True))
    if origin in (typing.Union, types.UnionType):
        if text == "None" and type(None) in args:
            return None
        return _first_fit([a for a in args if a is not type(None)], text)
    if origin is typing.Literal:
        if text not in map(str, args):
            raise ValueError(f"{text!r} is not one of {', '.join(map(str, args))}")
        return next(a for a in args if str(a) == text)
    if hint is bool:
        if text.lower() not in ("true", "false"):
            raise ValueError(f"{text!r} is neither true nor false")
        return text.lower() == "true"
    if hint in (int, float, str, Path):
        return hint(text)
    raise ValueError(f"a field of type {hint} cannot be swept from the command line")


def _first_fit(hints: list[Any], text: str) -> Any:
    for hint in hints:
        try:
            return _parsed(hint, text)
        except ValueError:
            continue
    raise ValueError(f"{text!r} fits none of {hints}")


def _require_axes(config_type: type, axes: Mapping[str, Sequence[Any]]) -> None:
    if not axes:
        raise ValueError("grid is empty: give --grid FIELD=VALUE,... at least once")
    for field, values in axes.items():
        _require_field(config_type, field)
        labels = [_coordinate(value) for value in values]
        if not labels or len(set(labels)) < len(labels):
            raise ValueError(f"{field} = {list(values)}: distinct values are needed")


def _require_field(config_type: type, field: str) -> None:
    known = [f.name for f in dataclasses.fields(config_type)]
    if field not in known:
        raise ValueError(f"unknown field {field!r}{catalogue.suggest(field, known)}")


def _changed(config: Any, point: Mapping[str, Any]) -> Any:
    try:
        return replace(config, **point)
    except (ValueError, TypeError) as e:
        raise ValueError(f"grid point {_label(point)}: {e}") from e


def _within(work: Work, config: Any) -> Work:
    """A run's own parts, kept beside those of plain runs of the same config."""
    return Work(folder=work.folder, config=config)


def _label(point: Mapping[str, Any]) -> str:
    return ", ".join(f"{field}={value}" for field, value in point.items())


def _coordinate(value: Any) -> Any:
    return value if isinstance(value, bool | int | float) else str(value)


def _assembled(runs: list[xr.Dataset], axes: Mapping[str, Sequence[Any]]) -> xr.Dataset:
    attrs, inner = runs[0].attrs, list(runs[0].coords)
    taken = {name for run in runs for name in (*run.dims, *run.variables)}
    runs = [run.reset_coords() for run in _numbered(runs)]
    for field, values in reversed(list(axes.items())):
        name = f"config_{field}" if field in taken else field
        labels = xr.DataArray([_coordinate(v) for v in values], dims=name, name=name)
        n = len(values)
        runs = [_stacked(runs[i : i + n], labels) for i in range(0, len(runs), n)]
    whole = runs[0].set_coords([c for c in inner if c in runs[0].variables])
    swept = {field: [_coordinate(v) for v in values] for field, values in axes.items()}
    return whole.assign_attrs({**attrs, "swept": json.dumps(swept)})


def _stacked(runs: list[xr.Dataset], labels: xr.DataArray) -> xr.Dataset:
    return xr.concat(
        runs,
        labels,
        data_vars="all",
        coords="minimal",
        compat="override",
        join="outer",
        combine_attrs="override",
    ).assign_coords({str(labels.name): labels})


def _numbered(runs: list[xr.Dataset]) -> list[xr.Dataset]:
    """Number the entries of unlabelled dimensions that differ in size."""
    bare = {d for run in runs for d in run.dims if d not in run.coords}
    differ = [d for d in bare if len({run.sizes.get(d) for run in runs}) > 1]
    return [
        run.assign_coords({d: np.arange(run.sizes[d]) for d in differ if d in run.dims})
        for run in runs
    ]
