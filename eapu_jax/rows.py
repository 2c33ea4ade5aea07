"""Arrays of many shapes as the rows of one: so that a step is compiled once.

Every array is flattened, padded to whole rows of 256 numbers, and laid below the one
before. No row holds numbers of two arrays, so what is one number per array becomes
one per row, and sums per array are sums over rows. Empty rows at the end fill up a
group of 8 where there are many, so that marks on cells need no copy.
"""

import math
from dataclasses import dataclass
from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Shaped, UInt32

from eapu_jax.checks import traced
from prng import marks
from prng.once import not_folded

WIDTH = 256
GROUP = marks.GROUP // WIDTH  # rows whose marks share words
TOGETHER = 8  # arrays that the compiler packs in one go, work before it included
Arrays = dict[str, Any]
"""Something for every array, by path."""


@dataclass(frozen=True)
class Rows:
    """Which rows belong to which array.

    Attributes:
        shapes: pairs of path and shape, in the order of the rows.

    Example:
        >>> import jax.numpy as jnp
        >>> rows = Rows.of({"a": jnp.ones((20, 20)), "b": jnp.full((2, 3), 2.0)})
        >>> rows.pack({"a": jnp.ones((20, 20)), "b": jnp.full((2, 3), 2.0)}).shape
        (3, 256)
        >>> rows.sums(jnp.ones((3, 256), jnp.uint32)).tolist()
        [[0, 512], [0, 256]]
    """

    shapes: tuple[tuple[str, tuple[int, ...]], ...]

    @classmethod
    def of(cls, arrays: Arrays) -> "Rows":
        """The rows of arrays, by path."""
        return cls(tuple((path, x.shape) for path, x in arrays.items()))

    @property
    def paths(self) -> list[str]:
        """In the order of the rows."""
        return [path for path, _ in self.shapes]

    @property
    def heights(self) -> list[int]:
        """Rows of every array."""
        return [-(-math.prod(shape) // WIDTH) for _, shape in self.shapes]

    @property
    def height(self) -> int:
        """Rows of all arrays, empty ones at the end included."""
        filled = sum(self.heights)
        return filled + (-filled % GROUP if filled > 4 * GROUP else 0)

    def pack(self, arrays: Arrays, fill: float = 0) -> Float[Array, "rows width"]:
        """All arrays as one, `fill` where a last row is not full."""
        parts = []
        for path, shape in self.shapes:
            _require_fit(path, arrays[path], shape)
            parts.append(whole_rows(jnp.broadcast_to(arrays[path], shape), fill))
        empty = self.height - sum(self.heights)
        if empty:
            parts.append(jnp.full((empty, WIDTH), fill, parts[0].dtype))
        some = [parts[n : n + TOGETHER] for n in range(0, len(parts), TOGETHER)]
        return jnp.concatenate([jnp.concatenate(few) for few in some])

    def each(self, x: Shaped[Array, "rows width"]) -> Arrays:
        """The rows of every array."""
        starts = np.cumsum([0, *self.heights])
        ends = zip(self.paths, starts, starts[1:], strict=False)
        return {path: x[start:end] for path, start, end in ends}

    def unpack(self, x: Float[Array, "rows width"], step: Any = None) -> Arrays:
        """The arrays again.

        Args:
            x: rows.
            step: where many arrays are to be compiled: any count that is never
                negative and that the compiler does not know. Arrays of one shape are
                then cut out by one and the same program, told where.
        """
        starts = (np.cumsum([0, *self.heights[:-1]]) * WIDTH).tolist()
        if step is not None and len(starts) > TOGETHER:
            starts = not_folded(starts, step)
        flat = x.ravel()
        return {
            path: jax.lax.dynamic_slice(flat, (at,), (math.prod(shape),)).reshape(shape)
            for (path, shape), at in zip(self.shapes, starts, strict=True)
        }

    def spread(self, values: Arrays, fill: float = 0) -> Any:
        """Constants of the arrays as constants of the rows.

        One number that all share stays a number; one per array becomes one per row,
        `(rows, 1)`; one per element is packed.
        """
        found = [values[path] for path in self.paths]
        if all(jnp.ndim(x) == 0 for x in found):
            if all(_same(x, found[0]) for x in found):
                return found[0]
            column = jnp.stack([jnp.asarray(x) for x in found])
            return self.along(column)
        return self.pack(values, fill)

    def along(self, values: Shaped[Array, " arrays"]) -> Shaped[Array, "rows 1"]:
        """What is one number per array, at each of its rows."""
        return values[self._array_of_row][:, None]

    def sums(self, n: Int[Array, "rows width"]) -> UInt32[Array, "arrays 2"]:
        """Exact sums per array of counts below 2**22: high word and low word."""
        return self.totals(row_sums(n))

    def totals(self, per_row: UInt32[Array, " rows"]) -> UInt32[Array, "arrays 2"]:
        """Exact sums per array, given those of every row: high word and low word."""
        digits = jnp.stack([per_row & 1023, (per_row >> 10) & 1023, per_row >> 20], 1)
        low, mid, high = self._segments(jax.ops.segment_sum, digits).T
        words = jnp.stack([jnp.zeros_like(low), low], 1)
        words = add(words, jnp.stack([mid >> 22, mid << 10], 1))
        return add(words, jnp.stack([high >> 12, high << 20], 1))

    def small_totals(
        self, per_row: UInt32[Array, "rows n"]
    ) -> UInt32[Array, "arrays n 2"]:
        """`totals` of several counts below 1024 a row; an array has 2**22 rows."""
        low = self._segments(jax.ops.segment_sum, per_row)
        return jnp.stack([jnp.zeros_like(low), low], -1)

    def most(self, per_row: Float[Array, " rows"]) -> Float[Array, " arrays"]:
        """The largest of every array, given that of every row; at least 0."""
        return jnp.maximum(self._segments(jax.ops.segment_max, per_row), 0)

    @property
    def _array_of_row(self) -> np.ndarray:
        each = np.repeat(np.arange(len(self.shapes)), self.heights)
        return np.pad(each, (0, self.height - each.size), mode="edge")

    def _segments(self, fold, x: jax.Array) -> jax.Array:
        return fold(
            x,
            self._array_of_row,
            num_segments=len(self.shapes),
            indices_are_sorted=True,
        )


def whole_rows(x: Array, fill: float = 0) -> Shaped[Array, "rows width"]:
    """An array as rows, `fill` where the last is not full; they are copied faster."""
    full = jnp.pad(x.ravel(), (0, -x.size % WIDTH), constant_values=fill)
    return full.reshape(-1, WIDTH)


def row_sums(n: Int[Array, "rows width"]) -> UInt32[Array, " rows"]:
    """Sums along rows, each below 2**32."""
    eight = sum(part.astype(jnp.uint32) for part in eighths(n))
    return jnp.sum(eight, axis=1, dtype=jnp.uint32)


def row_largest(x: Float[Array, "rows width"]) -> Float[Array, " rows"]:
    """The largest of every row, abs; what is not finite counts as 0."""
    sizes = (jnp.where(jnp.isfinite(p), jnp.abs(p), 0) for p in eighths(x))
    return jnp.max(reduce(jnp.maximum, sizes), axis=1)


def eighths(x: Shaped[Array, "rows width"]) -> list[Shaped[Array, "rows part"]]:
    """Columns by parts: what is folded over them first vectorises."""
    part = WIDTH // 8
    return [x[:, i * part :][:, :part] for i in range(8)]


def add(a: UInt32[Array, "*n 2"], b: UInt32[Array, "*n 2"]) -> UInt32[Array, "*n 2"]:
    """The sum of counts up to 2**64, each a high and a low word.

    Example:
        >>> import jax.numpy as jnp
        >>> most = jnp.array([0, 2**32 - 1], jnp.uint32)
        >>> add(most, jnp.array([0, 1], jnp.uint32)).tolist()
        [1, 0]
    """
    low = a[..., 1] + b[..., 1]
    carry = (low < a[..., 1]).astype(jnp.uint32)
    return jnp.stack([a[..., 0] + b[..., 0] + carry, low], -1)


def _require_fit(path: str, x: Any, shape: tuple[int, ...]) -> None:
    """Refuse constants that do not broadcast to the cells of an array."""
    given = jnp.shape(x)
    trailing = shape[len(shape) - len(given) :]
    fits = len(given) <= len(shape) and all(
        n in (1, m) for n, m in zip(given, trailing, strict=True)
    )
    if not fits:
        raise ValueError(f"constants of {path!r} must fit {shape}, got {given}")


def _same(a: Any, b: Any) -> bool:
    """Whether two scalars are known to be one and the same number."""
    if a is b:
        return True
    return not traced(a, b) and bool(np.asarray(a) == np.asarray(b))
