r"""Currents through an array whose wires have a resistance.

Word line $i$ is driven at the side of column 0, bit line $j$ is held at 0 V below the
last row; a wire from one cell to the next has the resistance $R$. With $D$ the
voltage across every cell and $I = G \circ D$ its current, the drops along the wires
are sums over what flows through them,

$$ D_{ij} = v_i - R \sum_{j'} \min(j, j')\,I_{ij'} - R \sum_{i'} \min(\bar i, \bar i')\,
   I_{i'j} $$

(places counted from 1, $\bar i$ from the bottom): $(1 + R K G) D = v$, whose matrix is
close to the identity in any array worth building. In $\sqrt G D$ it is symmetric
and positive, so conjugate gradients solve it in a few rounds.
"""

import jax
import jax.numpy as jnp
from jax.scipy.sparse.linalg import cg
from jaxtyping import Array, Float

from eapu_jax.checks import number, numbers
from eapu_jax.devices.base import Scalar

_ROUNDS = 500


def line_currents(
    g: Float[Array, "rows columns"],
    v: Float[Array, " rows"],
    resistance: Scalar,
) -> Float[Array, " columns"]:
    """What flows out of every bit line, µA.

    Differentiable in all arguments; linear in `v`. By reciprocity its transpose
    drives the bit lines and senses the word lines.

    Args:
        g: conductances, µS, none negative (else the currents are NaN).
        v: voltages of the word lines, V.
        resistance: of a wire from cell to cell, Ω.

    Raises:
        ValueError: on shapes that do not fit, or a negative resistance.

    Example:
        >>> import jax.numpy as jnp
        >>> line_currents(jnp.full((1, 1), 100.0), jnp.ones(1), 5000.0)
        Array([50.], dtype=float32)
    """
    number("resistance", resistance, at_least=0)
    numbers("g", g, dtype=jnp.floating)
    numbers("v", v, dtype=jnp.floating)
    if g.ndim != 2 or v.shape != g.shape[:1]:
        raise ValueError(
            "g must be (rows, columns) and v (rows,), got the shapes "
            f"{g.shape} of g and {v.shape} of v"
        )
    r = jnp.asarray(resistance, g.dtype) * 1e-6  # 1/µS
    root = jax.lax.stop_gradient(jnp.sqrt(g))  # NaN, and seen, where negative
    solve = lambda matvec, b: _solve(r, root, b)  # noqa: E731
    drive = jnp.broadcast_to(v[:, None], g.shape)
    across = jax.lax.custom_linear_solve(
        lambda d: d + r * _drops(g * d),
        drive,
        solve,
        lambda _, b: b - r * root**2 * _solve(r, root, _drops(b)),
    )
    return jnp.sum(g * across, axis=0)


def _solve(r, root, b):
    """$(1 + R K G)^{-1} b$, through the symmetric form."""
    r, root = jax.lax.stop_gradient((r, root))
    symmetric = lambda e: e + r * root * _drops(root * e)  # noqa: E731
    e, _ = cg(symmetric, root * b, tol=1e-7, maxiter=_ROUNDS)
    return b - r * _drops(root * e)


def _drops(i):
    """Voltage lost on the wires, per Ω: what flows through all segments before."""
    along = jnp.cumsum(jnp.flip(jnp.cumsum(jnp.flip(i, 1), 1), 1), 1)
    down = jnp.flip(jnp.cumsum(jnp.flip(jnp.cumsum(i, 0), 0), 0), 0)
    return along + down
