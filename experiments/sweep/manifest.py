"""A study again, from the manifest that it left in a store or a dataset."""

from collections.abc import Callable, Mapping
from typing import Any

from experiments.store import StoreError
from experiments.sweep.ask import indices
from experiments.sweep.axes import Axis
from experiments.sweep.design import Layout
from experiments.sweep.recall import is_reduction, named_of, value_of
from experiments.sweep.reductions import Reduction
from experiments.sweep.study import Study

__all__ = ["study_from", "study_to_read"]


def study_from(
    manifest: Mapping[str, Any], function: Callable | None = None, base: Any = None
) -> Study:
    """The study of a manifest, to compute; what no module holds must be passed in.

    Raises:
        ValueError: if the function or a value cannot be found again.
    """
    return _study(manifest, value_of, function, base)


def study_to_read(manifest: Mapping[str, Any]) -> Study:
    """The study of a manifest, to look at: whatever it says, nothing of it is run.

    Functions, types and dataclasses of others are names only: see `named_of`.

    Raises:
        StoreError: if it makes no sense.
    """
    try:
        return _study(manifest, named_of)
    except (KeyError, TypeError, ValueError, AttributeError) as e:
        raise StoreError(f"the manifest of this sweep is damaged: {e!r}") from e


def _study(
    manifest: Mapping[str, Any],
    read: Callable[[Any], Any],
    function: Callable | None = None,
    base: Any = None,
) -> Study:
    m = dict(manifest)
    axes = tuple(_axis_from(name, a, read) for name, a in m["axes"].items())
    columns = {name: read(c) for name, c in m["points"].items()}
    rows = [
        dict(zip(columns, r, strict=True)) for r in zip(*columns.values(), strict=True)
    ]
    points = tuple(rows) if columns else ({},)
    layout = Layout(tuple(m["dims"]), tuple(m["shape"]), points)
    return Study(
        function=read(m["function"]) if function is None else function,
        axes=axes,
        layout=layout,
        base=read(m["base"]) if base is None else base,
        chips=indices("chips", read(m["chips"])),
        seeds=indices("seeds", read(m["seeds"])),
        key=m["key"],
        common=m["common"],
        dims={k: tuple(v) for k, v in m["output_dims"].items()},
        reduce={k: _reductions(k, read(v)) for k, v in m["reduce"].items()},
        keep=None if m["keep"] is None else _names("keep", read(m["keep"])),
        may_be_nan=tuple(m["may_be_nan"]),
        host=m["host"],
    )


def _axis_from(name: str, labelled: Mapping[str, Any], read: Callable) -> Axis:
    values, kind = read(labelled["values"]), labelled["kind"]
    ranged = not isinstance(values, tuple)
    return Axis(
        name=name,
        values=() if ranged else values,
        range=values if ranged else None,
        structural=kind == "structural",
        integer=kind == "int",
    )


def _names(what: str, found: Any) -> tuple[str, ...]:
    if not isinstance(found, tuple) or not all(isinstance(x, str) for x in found):
        raise ValueError(f"{what} must be names, got {found}")
    return found


def _reductions(output: str, found: Any) -> tuple[Reduction, ...]:
    for one in found:
        if not is_reduction(one):
            raise ValueError(f"reduce: {output} needs {one}: import its module first")
    return tuple(found)
