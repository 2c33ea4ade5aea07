"""Everything that decides the numbers of a sweep, and nothing else."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from experiments.sweep.axes import Axis
from experiments.sweep.design import Layout
from experiments.sweep.folder import FORMAT
from experiments.sweep.labels import code_of, label, shown
from experiments.sweep.reductions import Reduction

__all__ = ["Group", "Study", "fields_of"]


@dataclass(frozen=True, kw_only=True)
class Group:
    """Points that share their structural values, and so one compiled program.

    Attributes:
        number: of the group.
        structural: axis -> value.
        points: indices of its points, ascending.
    """

    number: int
    structural: Mapping[str, Any]
    points: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Study:
    """A function, where it is evaluated, and what is kept of it.

    Lanes (one chip with one seed at one point) are numbered within a group:
    points outermost, then chips, then seeds.

    Attributes:
        function: `function(point, chip, key) -> dict of arrays`.
        axes: what is swept.
        layout: the points.
        base: fields of the point that stay; a dataclass or a mapping.
        chips: indices of the chips.
        seeds: indices of the seeds.
        key: root of all dice.
        common: whether all points share their dice (common random numbers).
        dims: output -> names of its dimensions.
        reduce: output -> reductions over chips and seeds.
        keep: outputs kept chip by chip; all that are not reduced when None.
        may_be_nan: outputs in which NaN does not mean that the chip diverged.
        host: whether the function is plain Python, called lane by lane.
    """

    function: Callable
    axes: tuple[Axis, ...]
    layout: Layout
    base: Any
    chips: tuple[int, ...]
    seeds: tuple[int, ...]
    key: int
    common: bool
    dims: Mapping[str, tuple[str, ...]]
    reduce: Mapping[str, tuple[Reduction, ...]]
    keep: tuple[str, ...] | None
    may_be_nan: tuple[str, ...]
    host: bool
    read: set[str] = field(default_factory=set, compare=False)

    @functools.cached_property
    def groups(self) -> tuple[Group, ...]:
        """The groups in the order in which their first points come."""
        names = [a.name for a in self.axes if a.structural]
        held: list[tuple[dict[str, Any], list[int]]] = []
        for i, point in enumerate(self.layout.points):
            wanted = {name: point[name] for name in names}
            known = (points for s, points in held if _same(s, wanted))
            points = next(known, None)
            if points is None:
                held.append((wanted, [i]))
            else:
                points.append(i)
        return tuple(
            Group(number=i, structural=s, points=tuple(points))
            for i, (s, points) in enumerate(held)
        )

    @property
    def traced(self) -> tuple[Axis, ...]:
        """The axes that are mapped."""
        return tuple(a for a in self.axes if not a.structural)

    @property
    def population(self) -> int:
        """Lanes per point."""
        return len(self.chips) * len(self.seeds)

    def lanes(self, group: Group) -> int:
        """Lanes of a group."""
        return len(group.points) * self.population

    def chunk(self, group: Group, size: int, number: int) -> np.ndarray:
        """Lanes of one chunk of a group; the last one may be shorter."""
        start = number * size
        return np.arange(start, min(start + size, self.lanes(group)))

    def where(self, group: Group, lanes: np.ndarray) -> tuple[np.ndarray, ...]:
        """Index of the point and positions of chip and seed of some lanes."""
        sizes = (len(group.points), len(self.chips), len(self.seeds))
        point, chip, seed = np.unravel_index(lanes, sizes)
        return np.array(group.points)[point], chip, seed

    def kept(self, outputs) -> list[str]:
        """Which outputs are kept chip by chip."""
        if self.keep is None:
            return [name for name in outputs if name not in self.reduce]
        return [name for name in outputs if name in self.keep]

    @functools.cached_property
    def manifest(self) -> dict[str, Any]:
        """The study as JSON: equal for equal studies, and `study_from` reads it."""
        return {
            "format": FORMAT,
            "function": label(self.function),
            "code": code_of(self.function),
            "jax": jax.__version__,
            "float": str(jax.dtypes.canonicalize_dtype(float)),
            "axes": {a.name: _axis_label(a) for a in self.axes},
            "dims": list(self.layout.dims),
            "shape": list(self.layout.shape),
            "points": _columns(self.layout, self.axes),
            "base": label(self.base),
            "chips": _indices_label(self.chips),
            "seeds": _indices_label(self.seeds),
            "key": self.key,
            "common": self.common,
            "output_dims": {k: list(v) for k, v in self.dims.items()},
            "reduce": {k: label(tuple(v)) for k, v in self.reduce.items()},
            "keep": label(self.keep),
            "may_be_nan": list(self.may_be_nan),
            "host": self.host,
        }

    def coords(self) -> dict[str, Any]:
        """Coordinates of the points, the chips and the seeds."""
        columns = {a.name: [p[a.name] for p in self.layout.points] for a in self.axes}
        found: dict[str, Any] = {"chip": list(self.chips), "seed": list(self.seeds)}
        for axis in self.axes:
            if self.layout.dims == ("point",):
                found[axis.name] = ("point", _uniform(columns[axis.name]))
            else:
                found[axis.name] = _uniform(axis.values)
        return found


def fields_of(base: Any) -> dict[str, Any]:
    """The fields of a base: of a mapping, or of a dataclass."""
    if base is None:
        return {}
    if isinstance(base, Mapping):
        return dict(base)
    if dataclasses.is_dataclass(base) and not isinstance(base, type):
        return {f.name: getattr(base, f.name) for f in dataclasses.fields(base)}
    raise ValueError(f"base must be a mapping or a dataclass instance, got {base!r}")


def _uniform(values: Sequence[Any]) -> list[Any]:
    """Coordinates: numbers, or all of them texts."""
    plain = [shown(v) for v in values]
    return [str(v) for v in plain] if any(isinstance(v, str) for v in plain) else plain


def _indices_label(indices: tuple[int, ...]) -> Any:
    return len(indices) if indices == tuple(range(len(indices))) else label(indices)


def _axis_label(axis: Axis) -> dict[str, Any]:
    kind = "structural" if axis.structural else "int" if axis.integer else "float"
    values = label(axis.range) if axis.range else label(axis.values)
    return {"kind": kind, "values": values}


def _columns(layout: Layout, axes: tuple[Axis, ...]) -> dict[str, Any]:
    return {a.name: label([p[a.name] for p in layout.points]) for a in axes}


def _same(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    return all(
        a[name] is b[name] or (type(a[name]) is type(b[name]) and a[name] == b[name])
        for name in a
    )
