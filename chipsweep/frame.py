"""Where every run of a sweep lies in its store, and what one call computes."""

import functools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from chipsweep.spec import Spec


class Runs(NamedTuple):
    """Some runs, one after the other.

    Attributes:
        point: number of the point of each.
        chip: position of its chip among the chips.
        seed: position of its seed.
    """

    point: np.ndarray
    chip: np.ndarray
    seed: np.ndarray

    def at(self, which: np.ndarray) -> "Runs":
        """Some of them."""
        return Runs(*(x[which] for x in self))


@dataclass(frozen=True)
class Frame:
    """Runs along (axes..., chip, seed), cut into chunks.

    Structural axes come first, and points of a list stand in the order of their
    groups, so that few chunks need two programs.

    Attributes:
        spec: the sweep.
        chunk: how far one chunk reaches along every dimension.
    """

    spec: Spec
    chunk: tuple[int, ...]

    @functools.cached_property
    def dims(self) -> tuple[str, ...]:
        """Names of the dimensions, in the order of the store."""
        return (*(self.spec.layout.dims[i] for i in _order(self.spec)), "chip", "seed")

    @functools.cached_property
    def points(self) -> np.ndarray:
        """The number of the point at every place."""
        layout = self.spec.layout
        if layout.listed:
            return np.argsort(self.spec.group_of, kind="stable")
        numbers = np.arange(layout.size).reshape(layout.shape)
        return numbers.transpose(_order(self.spec))

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the dimensions."""
        return (*self.points.shape, len(self.spec.chips), len(self.spec.seeds))

    @property
    def grid(self) -> tuple[int, ...]:
        """Numbers of chunks along the dimensions."""
        return grid_of(self.shape, self.chunk)

    @property
    def width(self) -> int:
        """Runs of a whole chunk."""
        return math.prod(self.chunk)

    @property
    def count(self) -> int:
        """How many chunks there are."""
        return math.prod(self.grid)

    @functools.cached_property
    def alike(self) -> tuple[dict[str, bool], bool, bool, bool]:
        """Which arguments of a function (`arguments`) all runs of a chunk share.

        Never the chip: a call of one run is a call of many.
        """
        *points, _, seed = (n == 1 for n in self.chunk)
        along = dict(zip(self.dims, points, strict=False))  # of a list: its dimension
        values = {a.name: along.get(a.name, all(points)) for a in self.spec.traced}
        return values, all(points), False, seed

    def place(self, number: int) -> tuple[int, ...]:
        """Place of a chunk in the grid of chunks."""
        return tuple(int(i) for i in np.unravel_index(number, self.grid))

    def region(self, number: int) -> tuple[slice, ...]:
        """The part of the arrays that a chunk fills."""
        return region_of(number, self.shape, self.chunk)

    def size(self, numbers: Iterable[int]) -> int:
        """Runs of some chunks; the last ones along a dimension may be shorter."""
        return sum(math.prod(s.stop - s.start for s in self.region(n)) for n in numbers)

    def runs(self, number: int) -> Runs:
        """The runs of a chunk, row-major over its region."""
        *where, chips, seeds = self.region(number)
        points = self.points[tuple(where)].ravel()
        chip, seed = (np.arange(s.start, s.stop) for s in (chips, seeds))
        grid = np.meshgrid(points, chip, seed, indexing="ij")
        return Runs(*(x.ravel() for x in grid))

    def locate(self, point: int, chip: int, seed: int) -> tuple[int, int]:
        """The chunk of a run, numbered as in `Runs`, and the run's position in it."""
        where = (*np.argwhere(self.points == point)[0], chip, seed)
        place = tuple(np.floor_divide(where, self.chunk))
        number = int(np.ravel_multi_index(place, self.grid))
        runs = self.runs(number)
        same = (runs.point == point) & (runs.chip == chip) & (runs.seed == seed)
        return number, int(np.flatnonzero(same)[0])


def grid_of(shape: Sequence[int], chunk: Sequence[int]) -> tuple[int, ...]:
    """Numbers of chunks along the dimensions of an array."""
    return tuple(-(-n // c) for n, c in zip(shape, chunk, strict=True))


def region_of(
    number: int, shape: Sequence[int], chunk: Sequence[int]
) -> tuple[slice, ...]:
    """The part of an array that a chunk fills.

    Example:
        >>> region_of(3, shape=(4, 5), chunk=(2, 3))
        (slice(2, 4, None), slice(3, 5, None))
    """
    place = np.unravel_index(number, grid_of(shape, chunk))
    starts = [int(i) * c for i, c in zip(place, chunk, strict=True)]
    ends = [min(a + c, n) for a, c, n in zip(starts, chunk, shape, strict=True)]
    return tuple(map(slice, starts, ends))


def chunk_for(spec: Spec, width: int) -> tuple[int, ...]:
    """The chunk of at most `width` runs: chips, then seeds, then the last axes.

    One dimension is taken in part, evened out, so that all chunks are about equally
    full. Chips come first: what a seed fixes is computed once for all of them.
    """
    sizes = Frame(spec, ()).shape
    alone = 0 if spec.layout.listed else sum(a.structural for a in spec.axes)
    chunk, left = [1] * len(sizes), max(width, 1)
    seed, chip, *axes = reversed(range(alone, len(sizes)))
    for depth in (chip, seed, *axes):
        n = sizes[depth]
        part = max(min(n, left), 1)
        chunk[depth] = -(-n // -(-n // part)) if n else 1
        left = left // n if chunk[depth] == n else 1
    return tuple(chunk)


def _order(spec: Spec) -> tuple[int, ...]:
    """Dimensions of the points: structural ones first."""
    dims, mapped = spec.layout.dims, {a.name for a in spec.traced}
    return tuple(sorted(range(len(dims)), key=lambda i: dims[i] in mapped))
