"""What a board gives back: a number, how far to trust it, how long it took."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from thermo import checks
from thermo.exact import Gaussian
from thermo.precision import full_precision, in_double

FORGOTTEN = 1e-4
"""Share of its first distance from equilibrium that a default burn-in leaves."""


class Estimate(NamedTuple):
    """An answer read off a board.

    Attributes:
        value: the answer, in the units of the question.
        standard_error: of each number of it, predicted by theory from the matrix and
            not from the run, unless the function says otherwise; it carries no
            derivative.
        time: that the board would take, burn-in included, in the inverse unit of the
            matrix; without loading the matrix and reading out.
    """

    value: jax.Array
    standard_error: jax.Array
    time: jax.Array


@full_precision
def burn_in(matrix: Float[Array, "n n"], error: float = FORGOTTEN) -> jax.Array:
    r"""Time after which the mean of a board has forgotten its start to within `error`.

    $t = \ln(1/\text{error}) / \min \operatorname{Re} \lambda(A)$ for a normal drift;
    the covariance forgets twice as fast, so half of it serves there (DERIVED; that half
    is the STATED-2nd burn-in formula of thermodynamic inversion, `covariance_burn_in`).
    A drift that is not normal may take longer: see `thermo.exact.burn_in_time`.

    Args:
        matrix: A of dx = -A x dt + noise, `(n, n)`, all eigenvalues with positive real
            part.
        error: relative, between 0 and 1.

    Returns:
        The time, in the inverse unit of the matrix.

    Raises:
        ValueError: if the matrix is unstable, one is not of finite real numbers, or
            `error` is not between 0 and 1.

    Example:
        >>> import jax.numpy as jnp
        >>> print(f"{burn_in(jnp.diag(jnp.array([0.5, 2.0])), 0.01):.2f}")
        9.21
    """
    checks.stable("matrix", matrix)
    checks.interval("error", error)
    value = checks.values("error", error)
    if value is not None and not value < 1:
        raise ValueError(f"error = {error}: must be less than 1, it is relative.")
    return in_double(_burn_in, matrix=matrix, error=error)


def _burn_in(matrix, error):
    return -jnp.log(error) / jnp.min(jnp.linalg.eigvals(matrix).real)


def check_start(wait, start, n):
    """Refuse a burn-in or a first state that no board can have."""
    if wait is not None:
        checks.one_number("burn_in", wait)
        checks.non_negative("burn_in", wait)
    if isinstance(start, Gaussian):
        checks.finite("start.mean", start.mean)
        checks.shaped("start.mean", start.mean, (n,), beside="matrix")
        checks.same_size("start.covariance", start.covariance, n, "matrix")
        checks.positive_semidefinite("start.covariance", start.covariance)
    elif start is not None:
        checks.finite("start", start)
        checks.shaped("start", start, (n,), beside="matrix")
