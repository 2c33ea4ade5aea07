"""A study again, from the manifest that it left in a store or a dataset."""

from collections.abc import Callable, Mapping
from typing import Any

from experiments.sweep.ask import indices
from experiments.sweep.axes import Axis
from experiments.sweep.design import Layout
from experiments.sweep.labels import value_of
from experiments.sweep.study import Study

__all__ = ["study_from"]


def study_from(
    manifest: Mapping[str, Any],
    function: Callable | None = None,
    base: Any = None,
    *,
    strict: bool = True,
) -> Study:
    """The study of a manifest; what no module holds by name must be passed in.

    Without `strict`, such values come back as texts: enough to read results.

    Raises:
        ValueError: if the function or a value cannot be found again.
    """
    m = dict(manifest)
    axes = tuple(_axis_from(name, a, strict) for name, a in m["axes"].items())
    columns = {name: value_of(c, strict) for name, c in m["points"].items()}
    rows = [
        dict(zip(columns, r, strict=True)) for r in zip(*columns.values(), strict=True)
    ]
    points = tuple(rows) if columns else ({},)
    layout = Layout(tuple(m["dims"]), tuple(m["shape"]), points)
    return Study(
        function=value_of(m["function"], strict) if function is None else function,
        axes=axes,
        layout=layout,
        base=value_of(m["base"], strict) if base is None else base,
        chips=indices("chips", value_of(m["chips"])),
        seeds=indices("seeds", value_of(m["seeds"])),
        key=m["key"],
        common=m["common"],
        dims={k: tuple(v) for k, v in m["output_dims"].items()},
        reduce={k: value_of(v) for k, v in m["reduce"].items()},
        keep=value_of(m["keep"]),
        may_be_nan=tuple(m["may_be_nan"]),
        host=m["host"],
    )


def _axis_from(name: str, labelled: Mapping[str, Any], strict: bool) -> Axis:
    values, kind = value_of(labelled["values"], strict), labelled["kind"]
    ranged = not isinstance(values, tuple)
    return Axis(
        name=name,
        values=() if ranged else values,
        range=values if ranged else None,
        structural=kind == "structural",
        integer=kind == "int",
    )
