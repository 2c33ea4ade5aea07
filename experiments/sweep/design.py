"""Which points of the axes are visited: all, some at random, or evenly some."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import qmc

from experiments.sweep.axes import Axis

__all__ = ["Design", "Grid", "Layout", "Listed", "Random", "Sobol", "Zip"]


class Layout(NamedTuple):
    """Points in order, and how they are laid out in the dataset.

    Attributes:
        dims: dimensions of the points, outermost first.
        shape: their sizes.
        points: axis -> value, one per point, row-major over `shape`.
    """

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    points: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Grid:
    """Every combination; one dimension per axis."""

    def lay_out(self, axes: tuple[Axis, ...]) -> Layout:
        """The product of the axes, the last one fastest."""
        names = tuple(a.name for a in axes)
        _refuse_ranges(axes, "Grid")
        combinations = itertools.product(*(a.values for a in axes))
        points = tuple(dict(zip(names, c, strict=True)) for c in combinations)
        return Layout(names, tuple(len(a.values) for a in axes), points)


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
        if len(set(lengths.values())) > 1:
            raise ValueError(f"axes of a Zip must be equally long, got {lengths}")
        rows = zip(*(a.values for a in axes), strict=True)
        names = [a.name for a in axes]
        return _listed(dict(zip(names, row, strict=True)) for row in rows)


@dataclass(frozen=True)
class Random:
    """`n` independent points; a listed axis is a choice, a range is uniform.

    Example:
        >>> from experiments.sweep.axes import Range, read_axes
        >>> axes = read_axes({"noise": Range(low=0.0, high=1.0)})
        >>> len(Random(5, seed=1).lay_out(axes).points)
        5
    """

    n: int
    seed: int = 0

    def lay_out(self, axes: tuple[Axis, ...]) -> Layout:
        """Draw the points."""
        _require_size(self.n)
        u = np.random.default_rng(self.seed).random((self.n, len(axes)))
        return _drawn(u, axes)


@dataclass(frozen=True)
class Sobol:
    """`n` points of a scrambled Sobol sequence: even coverage of many axes.

    A power of two keeps the balance of the sequence.
    """

    n: int
    seed: int = 0

    def lay_out(self, axes: tuple[Axis, ...]) -> Layout:
        """Draw the points."""
        _require_size(self.n)
        if not axes:
            raise ValueError("a Sobol design needs at least one axis, got none")
        dice = np.random.default_rng(self.seed)
        engine = qmc.Sobol(len(axes), scramble=True, rng=dice)
        whole = engine.random_base2(max(int(np.ceil(np.log2(self.n))), 0))
        return _drawn(whole[: self.n], axes)


@dataclass(frozen=True)
class Listed:
    """Exactly these points; a search proposes them.

    Attributes:
        points: axis -> value, each.
    """

    points: tuple[Mapping[str, Any], ...]

    def lay_out(self, axes: tuple[Axis, ...]) -> Layout:
        """The points as given."""
        del axes
        return _listed(map(dict, self.points))


Design = Grid | Zip | Random | Sobol | Listed


def _drawn(u: np.ndarray, axes: tuple[Axis, ...]) -> Layout:
    """Points from uniform numbers, one column per axis."""
    columns = zip(axes, u.T, strict=True)
    return _listed(
        dict(zip([a.name for a in axes], row, strict=True))
        for row in zip(*([_pick(a, x) for x in c] for a, c in columns), strict=True)
    )


def _pick(axis: Axis, u: float) -> Any:
    if axis.range is not None:
        return axis.range.at(float(u))
    return axis.values[min(int(u * len(axis.values)), len(axis.values) - 1)]


def _listed(points) -> Layout:
    points = tuple(points)
    return Layout(("point",), (len(points),), points)


def _refuse_ranges(axes: tuple[Axis, ...], design: str) -> None:
    for axis in axes:
        if axis.range is not None:
            raise ValueError(
                f"axis {axis.name!r} is a Range: {design} needs values; "
                "use design=Random(n) or Sobol(n)"
            )


def _require_size(n: int) -> None:
    if n < 1:
        raise ValueError(f"n = {n}: at least 1 point")
