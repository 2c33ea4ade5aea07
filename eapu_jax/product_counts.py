"""What products cost, from their shapes alone."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import jax
from jaxtyping import PyTree

from eapu_jax.checks import whole
from eapu_jax.crossbar import Crossbar, crossbars_at


class Counts(NamedTuple):
    """Operations of products through arrays; Python integers, exact.

    Attributes:
        macs: multiplications in cells, with their additions on the bit lines.
        dac: voltages made: one per row of every tile a vector enters.
        adc: currents converted: one per column of every tile.
    """

    macs: int
    dac: int
    adc: int


def product_counts(
    crossbar: PyTree[Crossbar],
    shapes: Mapping[str, tuple[int, ...]],
    vectors: int | Mapping[str, int],
) -> Counts:
    """Counts of one forward product of every layer.

    Counted outside a product, so that they are right under `scan` and `vmap`, too.

    Args:
        crossbar: one, or a tree of them by path.
        shapes: of the weights by path; the last axis are the columns.
        vectors: how many are multiplied, in all or by path (a convolution: one per
            place of its output).

    Example:
        >>> from eapu_jax import Crossbar, DifferentialPair
        >>> from eapu_jax.periphery import Periphery
        >>> pairs = Crossbar(
        ...     encoding=DifferentialPair(), periphery=Periphery(tile=(128, 128))
        ... )
        >>> product_counts(pairs, {"kernel": (300, 10)}, vectors=64)
        Counts(macs=384000, dac=19200, adc=1920)
    """
    if not isinstance(shapes, Mapping):
        raise ValueError(f"shapes must map paths to shapes, got {shapes!r}")
    for path, shape in shapes.items():
        _check_shape(f"shapes[{path!r}]", shape)
    crossbars = crossbars_at(crossbar, list(shapes))
    parts = [
        _one(crossbars[path], shape, vectors_into(vectors, path))
        for path, shape in shapes.items()
    ]
    return Counts(*(sum(part[i] for part in parts) for i in range(3)))


def vectors_into(vectors: int | Mapping[str, int], path: str) -> int:
    """How many vectors enter the array of a path."""
    n = vectors.get(path) if isinstance(vectors, Mapping) else vectors
    if n is None:
        raise ValueError(f"vectors must say how many enter {path!r}, got {vectors}")
    whole(f"vectors of {path!r}", n, at_least=0)
    return n


def _check_shape(name: str, shape: tuple[int, ...]) -> None:
    if not isinstance(shape, tuple | list) or not shape:
        raise ValueError(f"{name} must be a shape, (rows, columns), got {shape!r}")
    for size in shape:
        whole(name, size, at_least=0)


def _one(crossbar: Crossbar, shape: tuple[int, ...], vectors: int) -> Counts:
    w = jax.ShapeDtypeStruct(shape, "float32")
    cells = jax.eval_shape(lambda w: crossbar.encoding.to_cells(w, 1.0), w)
    rows, columns = math.prod(shape[:-1]), shape[-1]
    down, _, across, _ = crossbar.periphery.grid(rows, columns)
    return Counts(
        vectors * math.prod(cells.shape),
        vectors * rows * across,
        vectors * columns * down,
    )
