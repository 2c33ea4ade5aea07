"""Everything that decides the numbers of a sweep, and nothing else."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from chipsweep.axes import Axis, read_axes
from chipsweep.checks import MOST_CHIPS, indices, whole
from chipsweep.designs import Design, Grid, Layout
from chipsweep.reductions import Reduction, Reductions, numbered

Indices = int | Sequence[int] | np.ndarray
MOST_RUNS = 2**40


class Group(NamedTuple):
    """Points that share their structural values, and so one compiled program.

    Attributes:
        number: of the group.
        structural: axis -> value.
        points: numbers of its points, ascending.
    """

    number: int
    structural: Mapping[str, Any]
    points: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Spec:
    """A function, where it is evaluated, and what is kept of it.

    The fields are arguments of `sweep`, read and checked, but for these two.

    Attributes:
        layout: the points.
        read: fields of the point that the function was seen to read.
    """

    function: Callable
    axes: tuple[Axis, ...]
    layout: Layout
    base: Any
    chips: Sequence[int]
    seeds: Sequence[int]
    key: int
    common: bool
    dims: Mapping[str, tuple[str, ...]]
    reduce: Reductions
    keep: tuple[str, ...] | None
    may_be_nan: tuple[str, ...]
    outputs: Mapping[str, tuple[str, tuple[int, ...]]] | None
    read: set[str] = field(default_factory=set)

    def __getstate__(self) -> dict[str, Any]:
        """Without what this process traced: a worker traces the code that it has."""
        return {k: v for k, v in vars(self).items() if k != "_traced"}

    @functools.cached_property
    def group_of(self) -> np.ndarray:
        """Number of the group of every point; they count in the order they come in."""
        kind = np.zeros(self.layout.size, int)
        for axis in self.axes:
            if axis.structural:
                kind = kind * len(axis.values) + self.layout.index[axis.name]
        _, first, member = np.unique(kind, return_index=True, return_inverse=True)
        return np.argsort(np.argsort(first))[member]

    @functools.cached_property
    def groups(self) -> tuple[Group, ...]:
        """All groups, in the order of their numbers."""
        made = []
        for number in np.unique(self.group_of).tolist():
            points = np.flatnonzero(self.group_of == number)
            point = self.layout.point(points[0])
            structural = {a.name: point[a.name] for a in self.axes if a.structural}
            made.append(Group(number, structural, points))
        return tuple(made)

    @property
    def traced(self) -> tuple[Axis, ...]:
        """The axes that are mapped."""
        return tuple(a for a in self.axes if not a.structural)

    def chips_at(self, where: np.ndarray) -> np.ndarray:
        """The chips at some positions: what this takes does not grow with all chips."""
        return np.array([self.chips[i] for i in where.tolist()], np.int64)

    def seeds_at(self, where: np.ndarray) -> np.ndarray:
        """The seeds at some positions."""
        return np.array([self.seeds[i] for i in where.tolist()], np.int64)

    @property
    def runs(self) -> int:
        """Points x chips x seeds."""
        return self.layout.size * len(self.chips) * len(self.seeds)


def specify(
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
    outputs: Mapping[str, Any] | None = None,
) -> Spec:
    """Check what is asked for, and decide what is mapped. Arguments as in `sweep`.

    Raises:
        ValueError: naming the argument, the value and the bound.
    """
    fields = fields_of(base)
    if not callable(function):
        raise ValueError(f"function must be callable, got {function!r}")
    if not isinstance(axes, Mapping):
        raise ValueError(f"axes must be a mapping from names to values, got {axes!r}")
    for name, given in (("dims", dims), ("reduce", reduce), ("outputs", outputs)):
        if given is not None and not isinstance(given, Mapping):
            raise ValueError(f"{name} must be a mapping by output, got {given!r}")
    for name, given in (("keep", keep), ("may_be_nan", may_be_nan)):
        fine = isinstance(given, Sequence) and not isinstance(given, str)
        if given is not None and not fine:
            raise ValueError(f"{name} must be a sequence of names, got {given!r}")
    read = read_axes(axes, fields, closed=dataclasses.is_dataclass(base))
    layout = (design or Grid()).lay_out(read)
    _require_valid(base, layout)
    reductions = {
        name: tuple(given) if isinstance(given, Sequence) else (given,)
        for name, given in (reduce or {}).items()
    }
    for name, _, one in numbered(reductions):
        if not isinstance(one, Reduction):
            raise ValueError(f"reduce[{name!r}] must be reductions, got {one!r}")
    spec = Spec(
        function=function,
        axes=read,
        layout=layout,
        base=base,
        chips=indices("chips", chips),
        seeds=indices("seeds", seeds),
        key=whole("key", key, at_least=0, at_most=MOST_CHIPS),
        common=common,
        dims={k: tuple(v) for k, v in (dims or {}).items()},
        reduce=reductions,
        keep=None if keep is None else tuple(keep),
        may_be_nan=tuple(may_be_nan),
        outputs=None if outputs is None else _declared(outputs),
    )
    whole("points x chips x seeds", spec.runs, at_least=0, at_most=MOST_RUNS)
    return spec


def fields_of(base: Any) -> dict[str, Any]:
    """The fields of a base: of a mapping, or of a dataclass."""
    if base is None or isinstance(base, Mapping):
        return dict(base or {})
    if dataclasses.is_dataclass(base) and not isinstance(base, type):
        return {f.name: getattr(base, f.name) for f in dataclasses.fields(base)}
    raise ValueError(f"base must be a mapping or a dataclass instance, got {base!r}")


def _require_valid(base: Any, layout: Layout) -> None:
    """Let a dataclass refuse the values of any point before anything runs."""
    if base is None or isinstance(base, Mapping):
        return
    for number in range(layout.size):
        point = layout.point(number)
        try:
            dataclasses.replace(base, **point)
        except ValueError as e:
            raise ValueError(f"at {point}: {e}") from None


def _declared(outputs: Mapping[str, Any]) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Outputs of plain Python: `float`, `str`, or `(float, shape)`, by name."""
    found = {}
    for name, one in outputs.items():
        kind, shape = one if isinstance(one, tuple) else (one, ())
        if kind not in (float, str):
            raise ValueError(
                f"outputs[{name!r}] must be float or str, or one of them with a shape "
                f"(whole numbers and booleans are floats here), got {one!r}"
            )
        size = f"size of outputs[{name!r}]"
        shape = tuple(whole(size, n, at_least=0, at_most=2**31) for n in shape)
        found[name] = ("float64" if kind is float else "str", shape)
    return found
