r"""Products through an array: what Kirchhoff's and Ohm's laws compute.

$$ y_j = C s \sum_t Q\Bigl(\sum_{i \in t} v_i E(G)_{ij} + \xi_j\Bigr), \qquad
   \xi \sim \mathcal N\Bigl(0, \sum_i v_i^2 \sigma_{ij}^2\Bigr) $$

`matvec` drives the rows and senses the columns, `matvec_transposed` the other way.
"""

import math
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from eapu_jax.array import ArrayState, fork, one_array
from eapu_jax.checks import numbers, one_of, typed_key, whole
from eapu_jax.crossbar import Crossbar
from eapu_jax.periphery import passes
from eapu_jax.periphery.tiles import Tiled

Gradient = Literal["array", "exact"]
Noise = Literal["shared", "fresh"]


class _Seen(NamedTuple):
    """An array as one product finds it, and the scale of its columns, 1/µS."""

    tiled: Tiled
    scale: jax.Array


def matvec(
    key: Key[Array, ""],
    crossbar: Crossbar,
    state: ArrayState,
    w: Float[Array, "*inputs_and_outputs"],
    x: Float[Array, "*batch_and_inputs"],
    *,
    gradient: Gradient = "array",
    noise: Noise = "fresh",
    inputs: int = 1,
) -> Float[Array, "*batch_and_outputs"]:
    r"""The product $x W$ as the array makes it.

    The weights multiplied are those of the cells; `w` only carries the gradient to
    the parameters. Quantisers are straight-through. Reverse and forward mode are
    both defined, in `x`, `w` and all constants (read noise, rails, wires).

    Args:
        key: of the read noise.
        crossbar: what the array is made of.
        state: the array.
        w: the parameters that `state` reads out, of its shape.
        x: vectors, on the last axes.
        gradient: "exact" differentiates the product as it was made; "array" sends
            the gradient of `x` back through the cells, with read noise of its own
            and the backward converters of the periphery, as hardware does.
        noise: "fresh": every vector is a read of its own, and so is the way back;
            "shared": the cells are read once, for all vectors and both ways.
        inputs: how many leading axes of `w` are summed over.

    Raises:
        ValueError: if shapes do not fit, or on an unknown `gradient` or `noise`.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from eapu_jax import Crossbar
        >>> from eapu_jax.array import deploy_one
        >>> w = jnp.array([[1.0, -0.5], [0.25, 2.0]])
        >>> state = deploy_one(jax.random.key(0), Crossbar(), w)
        >>> matvec(jax.random.key(1), Crossbar(), state, w, jnp.array([2.0, 4.0]))
        Array([3., 7.], dtype=float32)
    """
    rows, columns = _split(crossbar, state, w, inputs)
    vectors = _vectors("x", x, rows)
    tiled, scale = _seen(key, crossbar, state, w, inputs, noise)
    one_of("gradient", gradient, ("array", "exact"))
    through_cells, x_cells = gradient == "array", vectors.astype(scale.dtype)
    y = passes.forward(fork(key, 1), tiled, x_cells, through_cells) * scale
    batch = x.shape[: x.ndim - len(rows)]
    return y.reshape(batch + columns).astype(jnp.result_type(x, w))


def matvec_transposed(
    key: Key[Array, ""],
    crossbar: Crossbar,
    state: ArrayState,
    w: Float[Array, "*inputs_and_outputs"],
    x: Float[Array, "*batch_and_outputs"],
    *,
    noise: Noise = "fresh",
    inputs: int = 1,
) -> Float[Array, "*batch_and_inputs"]:
    r"""The product $x W^\top$: the same cells, driven at the columns.

    Arguments as of `matvec`; the gradient is the exact one.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from eapu_jax import Crossbar
        >>> from eapu_jax.array import deploy_one
        >>> w = jnp.array([[1.0, -0.5], [0.25, 2.0]])
        >>> state = deploy_one(jax.random.key(0), Crossbar(), w)
        >>> x = jnp.array([1.0, 4.0])
        >>> matvec_transposed(jax.random.key(1), Crossbar(), state, w, x)
        Array([-1.  , 8.25], dtype=float32)
    """
    rows, columns = _split(crossbar, state, w, inputs)
    vectors = _vectors("x", x, columns)
    tiled, scale = _seen(key, crossbar, state, w, inputs, noise)
    drive = vectors.astype(scale.dtype) * scale
    y = passes.backward(fork(key, 1), tiled, drive)
    batch = x.shape[: x.ndim - len(columns)]
    return y.reshape(batch + rows).astype(jnp.result_type(x, w))


def _seen(key, crossbar, state, w, inputs, noise) -> _Seen:
    typed_key("key", key)
    one_of("noise", noise, ("fresh", "shared"))
    g, std = crossbar.conductance(state.cells), read_std(crossbar, state.cells)
    if noise == "shared" and std is not None:
        g = crossbar.hold_stuck(crossbar.device.read(fork(key, 0), state.cells))
        std = None
    shape = tuple(w.shape)
    scale = _column_scale(jnp.asarray(state.scale, g.dtype), shape, inputs)
    held = crossbar.encoding.to_weights(g, jnp.ones((), g.dtype))
    if held.shape != shape:
        raise ValueError(f"w must have the shape {held.shape} of state, got {shape}")
    matrix = (-1, scale.shape[-1])
    carrier = (w.astype(g.dtype).reshape(matrix), jax.lax.stop_gradient(scale))
    e = jax.lax.optimization_barrier(
        held.reshape(matrix)
    )  # else XLA:CPU fuses a slow dot
    wire = crossbar.periphery.line_resistance
    tiled = Tiled(
        e=_carrying(e, *carrier),
        g=g,
        std=std,
        wire=None if wire is None else jnp.asarray(wire, g.dtype),
        crossbar=crossbar,
        shape=shape,
        inputs=inputs,
    )
    return _Seen(tiled, scale)


@jax.custom_jvp
def _carrying(e, w, scale):
    """The conductances as they are, with the slope of the parameters they stand for."""
    del w, scale
    return e


@_carrying.defjvp
def _(primals, tangents):
    e, _, scale = primals
    de, dw, _ = tangents
    return e, de + dw / scale


def read_std(crossbar: Crossbar, cells: Any) -> jax.Array | None:
    """Standard deviation of a read of every cell, µS; None where known to be 0."""
    std = crossbar.device.read_std(cells)
    if isinstance(std, (int, float)) and std == 0:
        return None
    if crossbar.stuck_at is None:
        return jnp.asarray(std, jnp.result_type(crossbar.conductance(cells)))
    g = crossbar.conductance(cells)
    everywhere = jnp.broadcast_to(jnp.asarray(std, g.dtype), g.shape)
    return jnp.where(crossbar.are_stuck, 0, everywhere)


def _column_scale(scale, shape, inputs):
    """The scale of every column, `(1, columns)`."""
    outputs = shape[inputs:]
    trailing = scale.shape[-len(outputs) :] if scale.ndim else ()
    spread = jnp.broadcast_to(scale.reshape(trailing), outputs)
    return spread.reshape(1, math.prod(outputs))


def _split(crossbar, state, w, inputs) -> tuple[tuple[int, ...], tuple[int, ...]]:
    one_array(crossbar, state)
    numbers("w", w, dtype=jnp.floating)
    whole("inputs", inputs, at_least=0)
    if not 0 < inputs < w.ndim:
        raise ValueError(
            f"inputs must leave w an output axis: 0 < inputs < {w.ndim}, got {inputs}"
        )
    return tuple(w.shape[:inputs]), tuple(w.shape[inputs:])


def _vectors(name, x, shape):
    numbers(name, x)
    if tuple(x.shape[max(x.ndim - len(shape), 0) :]) != shape:
        raise ValueError(f"{name} must end in the axes {shape}, got shape {x.shape}")
    return x.reshape(-1, math.prod(shape))
