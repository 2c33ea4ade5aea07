r"""Kernels of Gaussian processes on a line, and the one whose precision is sparse.

The exponential kernel (Ornstein-Uhlenbeck, Matern-1/2) is that of a Markov process: the
precision of its values at any points is tridiagonal, and one that capacitors or
resistors between neighbours can hold.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from thermo import checks
from thermo.precision import in_double

Scalar = jax.Array | float


def exponential(
    first: Float[Array, " n"],
    second: Float[Array, " m"],
    *,
    length: Scalar = 1.0,
    variance: Scalar = 1.0,
) -> Float[Array, "n m"]:
    r"""$k(x, x') = \sigma^2 e^{-|x - x'| / \ell}$.

    Args:
        first: points, `(n,)`.
        second: points, `(m,)`, in the same unit.
        length: of correlation, in that unit.
        variance: of the process.

    Raises:
        ValueError: if points are no list of finite real numbers, or a number is not
            positive.

    Example:
        >>> import jax.numpy as jnp
        >>> print(f"{exponential(jnp.zeros(1), jnp.ones(1))[0, 0]:.3f}")
        0.368
    """
    return _kernel(lambda r: jnp.exp(-r), first, second, length, variance)


def squared_exponential(
    first: Float[Array, " n"],
    second: Float[Array, " m"],
    *,
    length: Scalar = 1.0,
    variance: Scalar = 1.0,
) -> Float[Array, "n m"]:
    r"""$k(x, x') = \sigma^2 e^{-(x - x')^2 / (2 \ell^2)}$ (RBF).

    Its precision is ill-conditioned and has both signs: add a jitter to the diagonal
    before it is inverted, and see `thermo.inference.hold_doubled`.

    Arguments and errors are those of `exponential`.

    Example:
        >>> import jax.numpy as jnp
        >>> print(f"{squared_exponential(jnp.zeros(1), jnp.ones(1))[0, 0]:.3f}")
        0.607
    """
    return _kernel(lambda r: jnp.exp(-(r**2) / 2), first, second, length, variance)


def _kernel(shape: Any, first, second, length, variance):
    for name, points in (("first", first), ("second", second)):
        checks.many(name, points)
        checks.finite(name, points)
    _check_scales(length, variance)

    def law(first, second, length, variance):
        apart = abs(first[:, None] - second[None, :])
        return variance * shape(apart / length)

    return in_double(law, first=first, second=second, length=length, variance=variance)


def exponential_precision(
    points: Float[Array, " n"], *, length: Scalar = 1.0, variance: Scalar = 1.0
) -> Float[Array, "n n"]:
    r"""Inverse of `exponential(points, points)`, without inverting it.

    With $\rho_i = e^{-(x_{i+1} - x_i)/\ell}$: off-diagonal
    $-\rho_i / (1 - \rho_i^2) / \sigma^2$, and on the diagonal 1 plus
    $\rho^2 / (1 - \rho^2)$ of either side, over $\sigma^2$ (DERIVED, from the Markov
    property). Diagonally dominant: row sums are
    $1/(1 + \rho_{i-1}) + 1/(1 + \rho_i) - 1 > 0$ (times $1/\sigma^2$).

    Args:
        points: increasing, `(n,)`.
        length: of correlation, in their unit.
        variance: of the process.

    Returns:
        A tridiagonal M-matrix.

    Raises:
        ValueError: if points do not increase or are no list of finite real numbers, a
            number is not positive, or points are too close to tell their values apart.

    Example:
        >>> import jax.numpy as jnp
        >>> x = jnp.array([0.0, 1.0])
        >>> print(*(f"{p:.3f}" for p in exponential_precision(x).ravel()))
        1.157 -0.425 -0.425 1.157
    """
    checks.many("points", points)
    checks.finite("points", points)
    _check_increasing("points", points)
    _check_scales(length, variance)
    return in_double(_tridiagonal, points=points, length=length, variance=variance)


def _tridiagonal(points, length, variance):
    gap = jnp.diff(points) / length
    lost = -jnp.expm1(-2 * gap)  # 1 - rho^2, of points however close
    between, own = jnp.exp(-gap) / lost, jnp.exp(-2 * gap) / lost
    diagonal = 1 + jnp.pad(own, (0, 1)) + jnp.pad(own, (1, 0))
    rows = jnp.diag(diagonal) - jnp.diag(between, 1) - jnp.diag(between, -1)
    return rows / variance


def _check_scales(length, variance):
    checks.interval("length", length)
    checks.interval("variance", variance)


def _check_increasing(name, points):
    a = checks.values(name, points)
    if a is not None and len(a) > 1 and not (a[1:] > a[:-1]).all():
        at = int((a[1:] <= a[:-1]).argmax())
        raise ValueError(
            f"{name}[{at + 1}] = {a[at + 1]:.6g}: must exceed {name}[{at}] = "
            f"{a[at]:.6g}. Sort the points, and leave out those that are there twice."
        )


__all__ = ["exponential", "exponential_precision", "squared_exponential"]
