"""Which points of the axes are visited: all, some at random, or evenly some."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import qmc

from chipsweep.axes import Axis, label
from chipsweep.checks import whole

__all__ = ["Design", "Grid", "Latin", "Layout", "Listed", "Random", "Sobol", "Zip"]

MOST_POINTS = 10**8


@dataclass(frozen=True)
class Layout:
    """Points in order, and how they are laid out in the dataset.

    Attributes:
        dims: dimensions of the points, outermost first.
        shape: their sizes.
        values: axis -> the values that occur.
        index: axis -> which of them, of every point, row-major over `shape`.
    """

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    values: Mapping[str, tuple[Any, ...]]
    index: Mapping[str, np.ndarray]

    @property
    def size(self) -> int:
        """How many points."""
        return math.prod(self.shape)

    def point(self, number: int) -> dict[str, Any]:
        """Axis -> value of one point."""
        return {k: self.values[k][self.index[k][number]] for k in self.values}

    def column(self, name: str, points: np.ndarray) -> list[Any]:
        """The values of one axis at some points."""
        values = self.values[name]
        return [values[i] for i in self.index[name][points]]


@dataclass(frozen=True)
class Grid:
    """Every combination; one dimension per axis."""

    def lay_out(self, axes: tuple[Axis, ...]) -> Layout:
        """The product of the axes, the last one fastest."""
        _refuse_ranges(axes, "Grid")
        shape = tuple(len(a.values) for a in axes)
        _require_few(math.prod(shape))
        number = np.arange(math.prod(shape))
        where = np.unravel_index(number, shape) if shape else ()
        index = {a.name: i for a, i in zip(axes, where, strict=True)}
        dims = tuple(a.name for a in axes)
        return Layout(dims, shape, {a.name: a.values for a in axes}, index)


@dataclass(frozen=True)
class Zip:
    """First with first, second with second; one dimension, `point`."""

    def lay_out(self, axes: tuple[Axis, ...]) -> Layout:
        """One point per position.

        Raises:
            ValueError: if the axes differ in length.
        """
        _refuse_ranges(axes, "Zip")
        lengths = {a.name: len(a.values) for a in axes}
        if len(set(lengths.values())) != 1:
            raise ValueError(f"axes of a Zip must be equally long, got {lengths}")
        n = next(iter(lengths.values()))
        values = {a.name: a.values for a in axes}
        return Layout(("point",), (n,), values, dict.fromkeys(values, np.arange(n)))


@dataclass(frozen=True)
class Random:
    """`n` independent points; a listed axis is a choice, a range is uniform.

    Example:
        >>> from chipsweep.axes import Range, read_axes
        >>> axes = read_axes({"noise": Range(low=0.0, high=1.0)})
        >>> Random(5, seed=1).lay_out(axes).size
        5
    """

    n: int
    seed: int = 0

    def lay_out(self, axes: tuple[Axis, ...]) -> Layout:
        """Draw the points."""
        _require_size(self)
        rng = np.random.default_rng(self.seed)
        return _drawn(rng.random((self.n, len(axes))), axes)


@dataclass(frozen=True)
class Sobol:
    """`n` points of a scrambled Sobol sequence: even coverage of many axes.

    A power of two keeps the balance of the sequence.
    """

    n: int
    seed: int = 0

    def lay_out(self, axes: tuple[Axis, ...]) -> Layout:
        """Draw the points."""
        _require_size(self)
        _require_axes(axes, "Sobol")
        rng = np.random.default_rng(self.seed)
        engine = qmc.Sobol(len(axes), scramble=True, rng=rng)
        drawn = engine.random_base2(max(int(np.ceil(np.log2(self.n))), 0))
        return _drawn(drawn[: self.n], axes)


@dataclass(frozen=True)
class Latin:
    """`n` points of a Latin hypercube: every axis is cut into `n` equal parts."""

    n: int
    seed: int = 0

    def lay_out(self, axes: tuple[Axis, ...]) -> Layout:
        """Draw the points."""
        _require_size(self)
        _require_axes(axes, "Latin")
        rng = np.random.default_rng(self.seed)
        return _drawn(qmc.LatinHypercube(len(axes), rng=rng).random(self.n), axes)


@dataclass(frozen=True)
class Listed:
    """Exactly these points; a search proposes them.

    Attributes:
        points: axis -> value, each.
    """

    points: tuple[Mapping[str, Any], ...]

    def lay_out(self, axes: tuple[Axis, ...]) -> Layout:
        """The points as given.

        Raises:
            ValueError: if a point is not one of the axes.
        """
        names = {a.name for a in axes}
        for point in self.points:
            if set(point) != names:
                raise ValueError(
                    f"a listed point must name {sorted(names)}, got {sorted(point)}"
                )
        return _listed(axes, {n: [p[n] for p in self.points] for n in names})


Design = Grid | Zip | Random | Sobol | Latin | Listed


def _drawn(u: np.ndarray, axes: tuple[Axis, ...]) -> Layout:
    """Points from uniform numbers, one column per axis."""
    return _listed(
        axes,
        {
            axis.name: [_pick(axis, float(x)) for x in column]
            for axis, column in zip(axes, u.T, strict=True)
        },
        len(u),
    )


def _pick(axis: Axis, u: float) -> Any:
    if axis.range is not None:
        return axis.range.at(u)
    return axis.values[min(int(u * len(axis.values)), len(axis.values) - 1)]


def _listed(axes, columns: Mapping[str, Sequence[Any]], n: int | None = None) -> Layout:
    n = len(next(iter(columns.values()), [{}])) if n is None else n
    values, index = {}, {}
    for axis in axes:
        column = columns[axis.name]
        if axis.structural:  # told apart by their labels
            place = {label(v): i for i, v in enumerate(axis.values)}
            values[axis.name] = axis.values
            index[axis.name] = np.array([place[label(v)] for v in column], int)
        else:
            values[axis.name] = tuple(column)
            index[axis.name] = np.arange(n)
    return Layout(("point",), (n,), values, index)


def _refuse_ranges(axes: tuple[Axis, ...], design: str) -> None:
    for axis in axes:
        if axis.range is not None:
            raise ValueError(
                f"axis {axis.name!r} is a Range: {design} needs values; "
                "use design=Random(n) or Sobol(n)"
            )


def _require_axes(axes: tuple[Axis, ...], design: str) -> None:
    if not axes:
        raise ValueError(f"a {design} design needs at least one axis, got none")


def _require_size(design: Random | Sobol | Latin) -> None:
    whole("n", design.n, at_least=1, at_most=MOST_POINTS)
    whole("seed", design.seed, at_least=0, at_most=2**63 - 1)


def _require_few(n: int) -> None:
    if n > MOST_POINTS:
        raise ValueError(f"the axes make {n:.3g} points, the bound is {MOST_POINTS:g}")
