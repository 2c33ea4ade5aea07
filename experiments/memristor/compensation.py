r"""Digital corrections of a layer that has drifted, fitted on calibration inputs.

Calibration inputs arrive at the layer as $X$, through the layers before it as they
now are, and its outputs should be $Y$, as the network had them before it was written.
A correction is what digital numbers before and behind the array can do without a
write: least squares

$$ \min \lVert Y - X\,\mathrm{diag}(r)\,\tilde W\,\mathrm{diag}(c) \rVert^2 $$

over one number per layer ($r = 1$, all $c$ alike), or over both vectors.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

SWEEPS = 16
"""Of the alternation between rows and columns."""

RIDGE = 1e-3
"""Holds row factors near 1 where the inputs do not tell them, relative to the mean
diagonal of the normal equations. ASSUMED."""

Inputs = Float[Array, "images inputs"]
Outputs = Float[Array, "images outputs"]
Layer = Float[Array, "inputs outputs"]


def untouched(x: Inputs, y: Outputs, drifted: Layer) -> Layer:
    """The layer as it is."""
    del x, y
    return drifted


def one_factor(x: Inputs, y: Outputs, drifted: Layer) -> Layer:
    r"""The layer times $\langle Y, X\tilde W\rangle / \lVert X\tilde W\rVert^2$.

    Global drift compensation; IBM's analog hardware kit takes a ratio of summed
    magnitudes for it (RECALLED), least squares are ours.

    Example:
        >>> import jax.numpy as jnp
        >>> w = jnp.array([[1.0, -2.0], [0.5, 4.0]])
        >>> one_factor(jnp.eye(2), w, 0.8 * w).round(3).tolist()
        [[1.0, -2.0], [0.5, 4.0]]
    """
    made = x @ drifted
    return drifted * _ratio(jnp.sum(y * made), jnp.sum(made * made))


def two_vectors(x: Inputs, y: Outputs, drifted: Layer) -> Layer:
    r"""The layer between $\mathrm{diag}(r)$ and $\mathrm{diag}(c)$, fitted in turns.

    Columns first, each by itself; then all rows together, from
    $((X^\top X) \circ (V V^\top))\,r = \mathrm{diag}(X^\top Y V^\top)$ with
    $V = \tilde W\,\mathrm{diag}(c)$.

    A rival in the spirit of two shared vectors per drift level (VeRA+, arXiv
    2603.26016); its vectors scale frozen random projections beside the array, these
    scale rows and columns of the array itself, which is simpler (INFERRED). What is
    fitted is the outputs, not the classes that follow from them: where drift is a shift
    of all weights the one may gain while the other loses.

    Example:
        >>> import jax.numpy as jnp
        >>> w = jnp.array([[1.0, -2.0], [0.5, 4.0], [3.0, 1.0]])
        >>> drifted = w * jnp.array([[0.7], [0.9], [1.0]]) * jnp.array([[0.8, 0.6]])
        >>> found = two_vectors(jnp.eye(3), w, drifted)
        >>> bool(jnp.abs(found - w).max() < 0.01)
        True
    """
    moments, asked = x.T @ x, x.T @ y

    def turn(_, both):
        u = drifted * both[0]
        over, under = u * asked, u * (moments @ u)
        columns = _ratio(jnp.sum(over, 0, keepdims=True), jnp.sum(under, 0)[None])
        return _rows(moments, drifted * columns, asked)[:, None], columns

    start = (jnp.ones_like(drifted[:, :1]), jnp.ones_like(drifted[:1]))
    rows, columns = jax.lax.fori_loop(0, SWEEPS, turn, start)
    return drifted * rows * columns


Compensation = Callable[[Inputs, Outputs, Layer], Layer]

COMPENSATIONS: dict[str, Compensation] = {
    "none": untouched,
    "factor": one_factor,
    "vectors": two_vectors,
}
"""By name."""


def compensated(
    compensate: Compensation, x: jax.Array, params: Any, ideal: dict, seen: dict
) -> dict[str, jax.Array]:
    """The kernels, one layer after the other fitted to what inputs `x` should give.

    Args:
        compensate: one of `COMPENSATIONS`.
        x: calibration images.
        params: of the network, for its biases, which are digital.
        ideal: kernels as the network learned them, by path.
        seen: as they now are.
    """
    found: dict[str, jax.Array] = {}
    wanted = arrives = x.reshape(len(x), -1)
    for n in range(len(ideal)):
        path, bias = f"Dense_{n}/kernel", params[f"Dense_{n}"]["bias"][None]
        outputs = wanted @ ideal[path]
        found[path] = compensate(arrives, outputs, seen[path])
        wanted = nn.relu(outputs + bias)
        arrives = nn.relu(arrives @ found[path] + bias)
    return found


def _rows(moments: jax.Array, v: Layer, asked: Layer) -> Float[Array, " inputs"]:
    """One factor per row, held near 1 by the ridge."""
    normal = moments * (v @ v.T)
    trace = jnp.trace(normal)
    ridge = RIDGE * jnp.where(trace > 0, trace, 1) / len(v)
    held = normal + ridge * jnp.eye(len(v), dtype=v.dtype)
    return jax.scipy.linalg.solve(held, jnp.sum(asked * v, 1) + ridge, assume_a="pos")


def _ratio(over: jax.Array, under: jax.Array) -> jax.Array:
    """A quotient; 1 where nothing is left to be scaled."""
    some = under > 0
    return jnp.where(some, over / jnp.where(some, under, 1), 1)
