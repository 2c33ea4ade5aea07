"""A product with all that stands around the cells, one way and the other."""

import dataclasses

import jax
import jax.numpy as jnp
import jax.random as jr
from jax.custom_derivatives import SymbolicZero

from eapu_jax.periphery.converters import Adc, Dac
from eapu_jax.periphery.tiles import (
    Tiled,
    column_noise,
    padded,
    row_noise,
    sensed_columns,
    sensed_rows,
)
from eapu_jax.periphery.transposable import transposable


def forward(key: jax.Array, a: Tiled, x: jax.Array, through_cells: bool) -> jax.Array:
    """`(b, rows)` to `(b, columns)`, in µS times the unit of x.

    Args:
        key: of the read noise.
        a: the array.
        x: vectors.
        through_cells: whether the gradient of `x` goes back through the cells.
    """
    periphery, (t, r, _, _) = a.crossbar.periphery, a.grid
    v, c = _voltages(periphery.dac, x)
    v = padded(v, -1, t * r).reshape(-1, t, r)
    key_back, key_here = jr.split(key)
    product = _product(key_back, a, v) if through_cells else sensed_columns(a, v)
    if a.std is not None:
        noisy = jax.lax.stop_gradient(v) if through_cells else v
        product = product + column_noise(key_here, a, noisy)
    return jnp.sum(_numbers(periphery.adc, product), axis=1) * c


def backward(key: jax.Array, a: Tiled, x: jax.Array) -> jax.Array:
    """`(b, columns)` to `(b, rows)`, in µS times the unit of x."""
    periphery, t = a.crossbar.periphery, a.grid[0]
    u, c = _voltages(periphery.dac, x)
    every_tile = jnp.broadcast_to(u[:, None], (u.shape[0], t, u.shape[1]))
    rows = _rows(key, a, every_tile, periphery.adc)
    return rows.reshape(rows.shape[0], -1)[:, : a.e.shape[0]] * c


def _rows(key, a: Tiled, u, adc: Adc | None) -> jax.Array:
    """`(b, t, c)` V to `(b, t, r)`, each tile converted before they are summed."""
    product = sensed_rows(a, u)
    if a.std is not None:
        product = product + row_noise(key, a, u)
    return jnp.sum(_numbers(adc, product), axis=-1)


@jax.custom_jvp
def _product(key, a: Tiled, v):
    """Currents of the columns; the gradient of `v` goes back through the cells."""
    del key
    return sensed_columns(a, v)


def _product_jvp(primals, tangents):
    (key, a, v), (_, da, dv) = primals, tangents
    out, slope = jax.jvp(
        lambda *cells: sensed_columns(_with(a, cells), v),
        _cells(a),
        jax.tree.map(_instantiated, _cells(da), is_leaf=_is_zero),
    )
    if _is_zero(dv):
        return out, slope
    periphery = a.crossbar.periphery

    def back(ct):
        u, c = _voltages(periphery.backward_dac, ct)
        return _rows(key, a, u, periphery.backward_adc) * c

    return out, slope + transposable(lambda v: sensed_columns(a, v), back, dv)


_product.defjvp(_product_jvp, symbolic_zeros=True)


def _cells(a: Tiled) -> tuple[jax.Array, ...]:
    """All that the currents depend on, but for the voltages."""
    wire = () if a.wire is None else (a.wire,)
    return (a.e, a.g, *wire)


def _with(a: Tiled, cells: tuple[jax.Array, ...]) -> Tiled:
    e, g, *wire = cells
    return dataclasses.replace(a, e=e, g=g, wire=wire[0] if wire else None)


def _is_zero(d) -> bool:
    return isinstance(d, SymbolicZero)


def _instantiated(d) -> jax.Array:
    return jnp.zeros(d.shape, d.dtype) if _is_zero(d) else d


def _voltages(dac: Dac | None, x) -> tuple[jax.Array, jax.Array]:
    one = jnp.ones((1,) * x.ndim, x.dtype)
    return (x, one) if dac is None else dac.convert(x)


def _numbers(adc: Adc | None, current) -> jax.Array:
    return current if adc is None else adc.convert(current)
