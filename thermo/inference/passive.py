r"""Precisions on passive boards: couplers that are not negative, and a ground.

Rows and columns may be scaled, $S P S$, and the samples scaled back; positive
off-diagonals go by doubling. That is possible where the comparison matrix of P, its
diagonal minus the absolute values beside it, is positive definite (P is an H-matrix),
and nowhere else (DERIVED): a board with couplers of that size alone must be one, too.
Elsewhere the diagonal has to grow, which makes a narrower posterior.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from thermo import checks
from thermo.linalg.preparation import Preparation, prepared
from thermo.precision import full_precision, in_double

Scalar = jax.Array | float

SPARE = 0.01
"""By which the diagonal is larger than the least: couplers to ground are not 0."""

SCALED = Preparation(scaling="dominance", circuit="rlc")
DOUBLED = Preparation(scaling="dominance", doubled=True, circuit="rlc")


class Held(NamedTuple):
    r"""A precision as a passive board holds it.

    Attributes:
        matrix: for `program_precision`, `(k, k)`: off-diagonals at most 0, row sums
            positive.
        readout: R, `(d, k)`: with x of that precision, $R x$ has the one wanted.
    """

    matrix: jax.Array
    readout: jax.Array


@full_precision
def hold(precision: Float[Array, "d d"]) -> Held:
    r"""Hold a precision without positive off-diagonals, on as many cells.

    Rows and columns are scaled for dominance (`thermo.linalg.Preparation`).

    Args:
        precision: symmetric positive definite, `(d, d)`, off-diagonals at most 0.

    Raises:
        ValueError: if it is not so, naming the entry.

    Example:
        >>> import jax.numpy as jnp
        >>> held = hold(jnp.array([[1.0, -2.0], [-2.0, 9.0]]))  # a row sum is -1
        >>> print(*(f"{x:.2f}" for x in held.matrix.sum(0)))
        0.33 0.33
        >>> covariance = held.readout @ jnp.linalg.inv(held.matrix) @ held.readout.T
        >>> print(*(f"{x:.1f}" for x in jnp.linalg.inv(covariance).ravel()))
        1.0 -2.0 -2.0 9.0
    """
    checks.positive_definite("precision", precision)
    a = checks.values("precision", precision)
    if a is not None and (beside := a - jnp.diag(jnp.diagonal(a))).max() > 0:
        i, j = divmod(int(beside.argmax()), len(a))
        raise ValueError(
            f"precision[{i}, {j}] = {a[i, j]:.6g}: must not be greater than 0 off the "
            "diagonal on a passive board. `hold_doubled` takes both signs."
        )

    def law(precision):
        matrix, w = prepared(precision, SCALED)
        return Held(matrix, jnp.diag(w))

    return in_double(law, precision=precision)


@full_precision
def hold_doubled(precision: Float[Array, "d d"], *, growth: Scalar = 1.0) -> Held:
    r"""Hold a precision of both signs on twice the cells, by Gremban's doubling.

    What is held is P with its diagonal times `growth`. At a growth of 1 it is P itself;
    where that is impossible, `least_growth` says how much it takes. See
    `thermo.circuits.double`.

    Args:
        precision: symmetric positive definite, `(d, d)`.
        growth: of the diagonal, at least 1.

    Raises:
        ValueError: if the precision is not symmetric positive definite, or `growth` is
            below 1 or too small for a passive board, naming what would do.

    Example:
        >>> import jax.numpy as jnp
        >>> held = hold_doubled(jnp.array([[2.0, 1.0], [1.0, 2.0]]))
        >>> held.readout @ jnp.linalg.inv(held.matrix) @ held.readout.T * 3
        Array([[ 2., -1.],
               [-1.,  2.]], dtype=float32)
    """
    least = least_growth(precision)
    checks.interval("growth", growth)
    enough, asked = checks.values("least", least), checks.values("growth", growth)
    if enough is not None and asked is not None and asked < enough * (1 - 1e-6):
        raise ValueError(
            f"growth = {float(asked):.6g}: must be at least {float(enough):.6g} for a "
            "passive board to hold this precision; `least_growth(precision)` says so. "
            "An op-amp board, or a basis in which it is nearly diagonal, needs none."
        )

    def law(precision, growth):
        own = jnp.diag(jnp.diagonal(precision))
        matrix, w = prepared(precision + (growth - 1) * own, DOUBLED)
        readout = jnp.concatenate([jnp.diag(w), -jnp.diag(w)], axis=1)
        return Held(matrix, readout / 2**0.5)

    return in_double(law, precision=precision, growth=growth)


@full_precision
def least_growth(precision: Float[Array, "d d"]) -> jax.Array:
    r"""How much the diagonal has to grow for `hold_doubled`: 1 if not at all.

    $\max(1, 1.01\,\rho(|N|))$, N being what is beside the diagonal once that is scaled
    to 1, and $\rho$ the largest eigenvalue; 1 % keeps capacitors to ground (DERIVED).

    Args:
        precision: symmetric positive definite, `(d, d)`.

    Raises:
        ValueError: if it is not.

    Example:
        >>> import jax.numpy as jnp
        >>> float(least_growth(jnp.eye(3)))
        1.0
        >>> alike = jnp.full((3, 3), 0.9) + 0.1 * jnp.eye(3)
        >>> print(f"{least_growth(alike):.3f}")
        1.818
    """
    checks.positive_definite("precision", precision)

    def law(precision):
        own = jnp.sqrt(jnp.diagonal(precision))
        beside = abs(precision) / own[:, None] / own[None, :] - jnp.eye(len(own))
        return jnp.maximum(1, (1 + SPARE) * jnp.linalg.eigvalsh(beside)[-1])

    return in_double(law, precision=precision)


__all__ = ["Held", "hold", "hold_doubled", "least_growth"]
