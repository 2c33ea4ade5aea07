"""Which points of the axes are visited: all, some at random, or evenly some."""

import abc
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chipsweep.axes import Axis, label
from chipsweep.checks import whole

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

    @property
    def listed(self) -> bool:
        """Whether the points are a list, not a product of axes."""
        return self.dims == ("point",)

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
        n = math.prod(shape)
        whole("the number of points of a Grid", n, at_least=0, at_most=MOST_POINTS)
        values = {a.name: a.values for a in axes}
        where = np.indices(shape).reshape(len(shape), n)
        index = dict(zip(values, where, strict=True))
        return Layout(tuple(values), shape, values, index)


@dataclass(frozen=True)
class Zip:
    """First with first, second with second; one dimension, `point`."""

    def lay_out(self, axes: tuple[Axis, ...]) -> Layout:
        """One point per position; axes that differ in length are refused."""
        _refuse_ranges(axes, "Zip")
        columns = {a.name: a.values for a in axes}
        lengths = {name: len(values) for name, values in columns.items()}
        if len(set(lengths.values())) != 1:
            raise ValueError(f"axes of a Zip must be equally long, got {lengths}")
        return _listed(axes, columns, len(axes[0].values))


@dataclass(frozen=True)
class _Drawn(abc.ABC):
    """`n` points made of numbers between 0 and 1, which `seed` decides."""

    n: int
    seed: int = 0

    def lay_out(self, axes: tuple[Axis, ...]) -> Layout:
        """Draw the points."""
        n = whole("n", self.n, at_least=1, at_most=MOST_POINTS)
        whole("seed", self.seed, at_least=0, at_most=2**63 - 1)
        if not axes:
            kind = type(self).__name__
            raise ValueError(f"a {kind} design needs at least one axis, got none")
        drawn = self._uniform(np.random.default_rng(self.seed), n, len(axes))
        columns = {
            axis.name: [_pick(axis, float(x)) for x in column]
            for axis, column in zip(axes, drawn.T, strict=True)
        }
        return _listed(axes, columns, n)

    @abc.abstractmethod
    def _uniform(self, rng: np.random.Generator, n: int, d: int) -> np.ndarray:
        """`n` rows of `d` numbers."""


class Random(_Drawn):
    """`n` independent points; a listed axis is a choice, a range is uniform.

    Example:
        >>> from chipsweep.axes import Range, read_axes
        >>> axes = read_axes({"noise": Range(low=0.0, high=1.0)})
        >>> Random(5, seed=1).lay_out(axes).size
        5
    """

    def _uniform(self, rng: np.random.Generator, n: int, d: int) -> np.ndarray:
        return rng.random((n, d))


class Sobol(_Drawn):
    """`n` points of a scrambled Sobol sequence: even coverage of many axes.

    A power of two keeps the balance of the sequence.
    """

    def _uniform(self, rng: np.random.Generator, n: int, d: int) -> np.ndarray:
        from scipy.stats import qmc  # takes 1.5 s: only who draws is to wait

        engine = qmc.Sobol(d, scramble=True, rng=rng)
        return engine.random_base2((n - 1).bit_length())[:n]


class Latin(_Drawn):
    """`n` points of a Latin hypercube: every axis is cut into `n` equal parts."""

    def _uniform(self, rng: np.random.Generator, n: int, d: int) -> np.ndarray:
        from scipy.stats import qmc  # as for Sobol

        return qmc.LatinHypercube(d, rng=rng).random(n)


@dataclass(frozen=True)
class Listed:
    """Exactly these points, each axis -> value; a search proposes them."""

    points: tuple[Mapping[str, Any], ...]

    def lay_out(self, axes: tuple[Axis, ...]) -> Layout:
        """The points as given; one that does not name just the axes is refused."""
        names = sorted(a.name for a in axes)
        for point in self.points:
            if (given := sorted(point)) != names:
                raise ValueError(f"a listed point must name {names}, got {given}")
        n = whole("points", len(self.points), at_least=1, at_most=MOST_POINTS)
        return _listed(axes, {k: [p[k] for p in self.points] for k in names}, n)


Design = Grid | Zip | Random | Sobol | Latin | Listed


def _pick(axis: Axis, u: float) -> Any:
    if axis.range is not None:
        return axis.range.at(u)
    return axis.values[min(int(u * len(axis.values)), len(axis.values) - 1)]


def _listed(
    axes: tuple[Axis, ...], columns: Mapping[str, Sequence[Any]], n: int
) -> Layout:
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
    words = f"{design} needs values; use design=Random(n) or Sobol(n)"
    for axis in axes:
        if axis.range is not None:
            raise ValueError(f"axis {axis.name!r} is a Range: {words}")
