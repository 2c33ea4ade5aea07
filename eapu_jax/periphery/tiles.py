"""One array as a product finds it: cells, tiles, wires. µS, µA, normalised volts."""

import math
from dataclasses import field
from typing import Any

import jax
import jax.numpy as jnp

from eapu_jax.constants import constants
from eapu_jax.periphery.lines import line_currents
from prng.normals import normal


@constants
class Tiled:
    """An array cut into tiles: `t` down of `r` rows, `q` across of `p` columns.

    Attributes:
        e: $E(G)$ as a matrix, µS; its slope is that of the parameters.
        g: the cells as the encoding lays them, µS.
        std: read noise, broadcastable to the cells, µS; None: none.
        wire: resistance from cell to cell, Ω; None: ideal.
        crossbar: what the array is made of.
        shape: of the weights.
        inputs: how many of its axes are rows.
    """

    e: jax.Array
    g: jax.Array
    std: Any
    wire: Any
    crossbar: Any
    shape: tuple[int, ...] = field(metadata={"static": True})
    inputs: int = field(metadata={"static": True})

    def __check__(self):
        columns, q = self.e.shape[1], self.grid[2]
        if q > 1 and self.planes[2] != columns:
            raise ValueError(
                f"Periphery.tile must be at least {columns} columns wide for "
                f"{type(self.crossbar.encoding).__name__}, which adds a column of its "
                f"own, got {self.crossbar.periphery.tile}"
            )

    @property
    def grid(self) -> tuple[int, int, int, int]:
        """`(t, r, q, p)`."""
        return self.crossbar.periphery.grid(*self.e.shape)

    @property
    def planes(self) -> tuple[int, int, int]:
        """Arrays that the encoding needs, rows and columns of each."""
        lead = self.g.ndim - len(self.shape)
        rows = math.prod(self.shape[: self.inputs])
        k = math.prod(self.g.shape[:lead])
        return k, rows, math.prod(self.g.shape[lead + self.inputs :])

    def decode(self, currents: jax.Array) -> jax.Array:
        """Currents of the cell columns `(k, n, o)` to those of the weights `(n, c)`.

        The linear part of the encoding alone: a fixed reference is subtracted with
        the product.
        """
        lead = self.g.ndim - len(self.shape)
        n = currents.shape[1]
        laid = self.g.shape[:lead] + (n,) + (1,) * (self.inputs - 1)
        cells = currents.reshape(laid + self.g.shape[lead + self.inputs :])
        one = jnp.ones((), currents.dtype)
        read = lambda g: self.crossbar.encoding.to_weights(g, one)  # noqa: E731
        _, out = jax.jvp(read, (jnp.zeros_like(cells),), (cells,))
        return out.reshape(n, -1)

    def encode_drive(self, u: jax.Array) -> jax.Array:
        """The transpose of `decode`: voltages of the weights to those of the cells."""
        k, _, o = self.planes
        like = jax.ShapeDtypeStruct((k, u.shape[0], o), u.dtype)
        return jax.linear_transpose(self.decode, like)(u)[0]

    def cut(self, matrix: jax.Array) -> jax.Array:
        """Matrices `(..., rows, columns)` as `(..., t, r, q, p)`, padded with 0."""
        t, r, q, p = self.grid
        whole = padded(padded(matrix, -2, t * r), -1, q * p)
        return whole.reshape(*whole.shape[:-2], t, r, q, -1)

    def cells_cut(self, per_cell: jax.Array) -> jax.Array:
        """Something per cell as `(k, t, r, q, o)`."""
        return self.cut(jnp.broadcast_to(per_cell, self.g.shape).reshape(self.planes))


def sensed_columns(a: Tiled, v: jax.Array) -> jax.Array:
    """`(b, t, r)` V to the currents `(b, t, c)` of all columns of every tile, µA."""
    if a.wire is None:
        return _crop(a, _into_columns(a, v, a.e))
    fixed = a.e - a.decode(a.g.reshape(a.planes))  # what a fixed reference takes away
    digital = _into_columns(a, v, fixed)
    wire = _wires(a)
    over_tiles = jax.vmap(jax.vmap(wire, (1, None), 0), (0, 0), 0)  # q, then t
    everywhere = jax.vmap(jax.vmap(over_tiles, (None, 0)), (0, None))  # b, then k
    planes = _crop(a, everywhere(a.cells_cut(a.g), v), a.planes[2])
    k, b, t, o = planes.shape
    decoded = a.decode(planes.reshape(k, b * t, o)).reshape(b, t, -1)
    return decoded + _crop(a, digital)


def sensed_rows(a: Tiled, u: jax.Array) -> jax.Array:
    """`(b, t, c)` V at the columns to the currents `(b, t, r, q)` of the rows, µA."""
    if a.wire is None:
        return _into_rows(a, u, a.e)
    fixed = a.e - a.decode(a.g.reshape(a.planes))
    digital = _into_rows(a, u, fixed)
    cells = a.cells_cut(a.g)
    drive = _drive_cut(a, u)
    at_rest = jnp.zeros(cells.shape[2], cells.dtype)

    def back(g, p):
        return jax.linear_transpose(lambda v: _wires(a)(g, v), at_rest)(p)[0]

    over_tiles = jax.vmap(jax.vmap(back, (1, 0), 1), (0, 0), 0)
    everywhere = jax.vmap(jax.vmap(over_tiles, (None, 0)), (0, 0))
    return jnp.sum(everywhere(cells, drive), axis=0) + digital


def column_noise(key: jax.Array, a: Tiled, v: jax.Array) -> jax.Array:
    r"""Read noise of the currents `(b, t, c)`: $\sum_i v_i^2 \sigma_{ij}^2$, µA."""
    k, _, o = a.planes
    b, t, _ = v.shape
    if jnp.ndim(a.std) == 0:
        size = (a.std * _root(jnp.sum(v**2, axis=-1)))[None, :, :, None]
    else:
        variance = jnp.einsum("btr,ktrqo->kbtqo", v**2, a.cells_cut(a.std) ** 2)
        size = _root(_crop(a, variance, o))
    unit = jax.lax.optimization_barrier(normal(key, (k, b, t, o), v.dtype))
    noise = size * unit  # drawn once: XLA would draw anew for every plane it decodes
    return a.decode(noise.reshape(k, b * t, o)).reshape(b, t, -1)


def row_noise(key: jax.Array, a: Tiled, u: jax.Array) -> jax.Array:
    """Read noise of the currents `(b, t, r, q)` when the columns are driven, µA."""
    drive = _drive_cut(a, u)
    b, t, q, _ = drive.shape[1:]
    if jnp.ndim(a.std) == 0:
        size = (a.std * _root(jnp.sum(drive**2, axis=(0, -1))))[:, :, None, :]
    else:
        cells = a.cells_cut(a.std) ** 2
        size = _root(jnp.einsum("kbtqo,ktrqo->btrq", drive**2, cells))
    return size * normal(key, (b, t, a.grid[1], q), u.dtype)


def padded(x: jax.Array, axis: int, size: int) -> jax.Array:
    """`x` with zeros behind it, up to `size` along one axis."""
    widths = [(0, 0)] * x.ndim
    widths[axis] = (0, size - x.shape[axis])
    return jnp.pad(x, widths) if size > x.shape[axis] else x


def _wires(a: Tiled):
    return lambda g, v: line_currents(g, v, a.wire)


def _crop(a: Tiled, currents: jax.Array, columns: int | None = None) -> jax.Array:
    """`(..., q, p)` to the columns there are."""
    flat = currents.reshape(*currents.shape[:-2], -1)
    return flat[..., : a.e.shape[1] if columns is None else columns]


def _into_columns(a: Tiled, v: jax.Array, e: jax.Array) -> jax.Array:
    return jnp.einsum("btr,trqp->btqp", v, a.cut(e))


def _into_rows(a: Tiled, u: jax.Array, e: jax.Array) -> jax.Array:
    _, _, q, p = a.grid
    cut = padded(u, -1, q * p).reshape(*u.shape[:-1], q, p)
    return jnp.einsum("btqp,trqp->btrq", cut, a.cut(e))


def _drive_cut(a: Tiled, u: jax.Array) -> jax.Array:
    """Voltages of the cell columns, `(k, b, t, q, o)`."""
    b, t, c = u.shape
    drive = a.encode_drive(u.reshape(b * t, c))
    _, _, q, p = a.grid
    wide = padded(drive, -1, q * p)
    return wide.reshape(drive.shape[0], b, t, q, -1)


def _root(x: jax.Array) -> jax.Array:
    """A square root whose slope at 0 is 0: what is not driven makes no noise."""
    return jnp.where(x > 0, jnp.sqrt(jnp.where(x > 0, x, 1)), 0)
