"""From what a user asks for to a study: checked, and decided what is mapped."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from experiments.sweep.axes import read_axes
from experiments.sweep.design import Design, Grid, Layout
from experiments.sweep.reductions import Reduction
from experiments.sweep.study import Study, fields_of

__all__ = ["Indices", "indices", "study"]

Indices = int | Sequence[int]


def study(
    function: Callable,
    axes: Mapping[str, Any],
    *,
    chips: Indices = 1,
    seeds: Indices = 1,
    design: Design | None = None,
    base: Any = None,
    key: int = 0,
    common: bool = True,
    dims: Mapping[str, Sequence[str]] | None = None,
    reduce: Mapping[str, Reduction | Sequence[Reduction]] | None = None,
    keep: Sequence[str] | None = None,
    may_be_nan: Sequence[str] = (),
    host: bool = False,
) -> Study:
    """Check what the user asks for, and decide what is mapped. See `sweep`."""
    if not isinstance(axes, Mapping):
        raise ValueError(f"axes must map names to values, got {axes!r}")
    fields = fields_of(base)
    if not callable(function):
        raise ValueError(f"function must be callable, got {function!r}")
    if isinstance(key, bool) or not isinstance(key, int):
        raise ValueError(f"key must be a whole number, the root seed; got {key!r}")
    read = read_axes(axes, fields, closed=dataclasses.is_dataclass(base))
    layout = (design or Grid()).lay_out(read)
    _require_valid(base, layout)
    for name, given in (("dims", dims), ("reduce", reduce)):
        if not isinstance(given, Mapping | None):
            raise ValueError(f"{name} must map outputs, got {given!r}")
    reduce = reduce or {}
    lists = {k: v if isinstance(v, Sequence) else (v,) for k, v in reduce.items()}
    for name, reductions in lists.items():
        if not all(hasattr(reduction, "init") for reduction in reductions):
            raise ValueError(
                f"reduce[{name!r}] must be reductions, such as Moments(), "
                f"got {reduce[name]!r}"
            )
    return Study(
        function=function,
        axes=read,
        layout=layout,
        base=base,
        chips=indices("chips", chips),
        seeds=indices("seeds", seeds),
        key=key,
        common=common,
        dims={k: tuple(v) for k, v in (dims or {}).items()},
        reduce={k: tuple(v) for k, v in lists.items()},
        keep=None if keep is None else _names("keep", keep),
        may_be_nan=_names("may_be_nan", may_be_nan),
        host=host,
    )


def _names(name: str, given: Sequence[str]) -> tuple[str, ...]:
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise ValueError(f"{name} must be names of outputs, got {given!r}")
    return tuple(given)


def _require_valid(base: Any, layout: Layout) -> None:
    """Let a dataclass refuse the values of any point before anything runs."""
    if isinstance(base, Mapping) or base is None:
        return
    for point in layout.points:
        try:
            dataclasses.replace(base, **point)
        except ValueError as e:
            raise ValueError(f"at {point}: {e}") from None


def indices(name: str, given: Indices) -> tuple[int, ...]:
    """How many, or which: the indices one by one."""
    if isinstance(given, int) and not isinstance(given, bool):
        if given < 1:
            raise ValueError(f"{name} = {given}: at least 1")
        given = range(given)
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise ValueError(
            f"{name} must be a number or a sequence of indices, got {given!r}"
        )
    found = tuple(int(i) for i in given)
    if not found or min(found) < 0 or len(set(found)) < len(found):
        raise ValueError(f"{name} must be one or more distinct indices, got {given!r}")
    return found
