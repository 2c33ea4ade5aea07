"""One line of an array at a time: what a single drive of its inputs reads or writes.

A weight matrix is inputs by outputs, and encodings keep its rows apart, so that row
`i`, the second last axis, is a line by itself: all cells that one input drives. Papers
that write matrices the other way round call it a column. Axes before it are further
matrices side by side, each of which gives its line `i`.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int


class Line(NamedTuple):
    """Which line it is the turn of, and whether anything happens to it.

    Attributes:
        number: of the line.
        due: whether this update has a transfer at all.
        turn: number of the transfer, from 0.
        of: lines of the matrix.
    """

    number: Int[Array, ""]
    due: Bool[Array, ""]
    turn: Int[Array, ""]
    of: int


def lines_of(shape: tuple[int, ...]) -> int:
    """How many lines a weight has; a vector is one."""
    return shape[-2] if len(shape) > 1 else 1


def line_at(step: Int[Array, ""], every: Any, shape: tuple[int, ...]) -> Line:
    """The line whose turn it is at an update: one after the other, every so often.

    Args:
        step: number of the update, from 0.
        every: updates from one transfer to the next.
        shape: of the weight.

    Example:
        >>> import jax.numpy as jnp
        >>> turns = [line_at(jnp.int32(t), 2, (3, 5)) for t in range(8)]
        >>> [int(line.number) for line in turns if line.due]
        [0, 1, 2, 0]
    """
    of, turn = lines_of(shape), step // every
    return Line(turn % of, (step + 1) % every == 0, turn, of)


def cut(tree: Any, line: Line) -> Any:
    """One line of all that has lines: cells, counts, constants cell by cell."""
    return jax.tree.map(lambda x: _line(x, line) if _has(x, line) else x, tree)


def put_line(tree: Any, part: Any, line: Line) -> Any:
    """The whole with another line in it; what has no lines is that of the part."""

    def place(x, new):
        if not _has(x, line):
            return new
        return jax.lax.dynamic_update_slice_in_dim(x, new, line.number, x.ndim - 2)

    return jax.tree.map(place, tree, part)


def _has(x: Any, line: Line) -> bool:
    return jnp.ndim(x) > 1 and jnp.shape(x)[-2] == line.of


def _line(x: Any, line: Line) -> jax.Array:
    return jax.lax.dynamic_slice_in_dim(x, line.number, 1, x.ndim - 2)
