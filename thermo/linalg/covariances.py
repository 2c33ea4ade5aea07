r"""Matrices read off the covariance of a board: inverses, Lyapunov equations."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from prng import unrolled
from thermo import checks
from thermo.circuits import LinearForm
from thermo.counts import check_count
from thermo.exact.transition import increment
from thermo.linalg.errors import second_moment_error
from thermo.linalg.estimate import FORGOTTEN, Estimate, check_waits
from thermo.linalg.functions import matrix_function, root
from thermo.precision import full_precision, in_double
from thermo.propagate import moments, propagator
from thermo.reals import alike

Scalar = jax.Array | float


@full_precision
def inv(
    key: Key[Array, ""],
    matrix: Float[Array, "n n"],
    time: Scalar,
    *,
    reads: int = 1024,
    burn_in: Scalar | None = None,
    start: Float[Array, " n"] | None = None,
) -> Estimate:
    r"""Invert A as the covariance of a noisy board (matrix inversion of TLA).

    $\mathrm dx = -A x\,\mathrm dt + \sqrt2\,\mathrm dW$ settles to
    $\mathcal N(0, A^{-1})$; the answer is the second moment of `reads` samples over the
    time T. Temperature drops out: noise is the signal here. Many reads in a relaxation
    time approach the continuous record, whose relative squared error is at most
    $(n + 1) / (\lambda_{\min} T)$ (DERIVED).

    The board is stepped by its exact transition, $n^2$ operations a read, and the
    standard error takes up to `reads` products of matrices: never a shortcut to
    `jnp.linalg.inv`.

    Runs inside `jit`, `vmap` and `grad`. What extends it: `A.T @ A` of a general
    invertible A, with $A^{-1} = (A^\mathsf T A)^{-1} A^\mathsf T$; scaling, `c * A`
    for a time of `T / c`; a diagonal W on both sides, $A^{-1} = W (W A W)^{-1} W$.

    Args:
        key: random key.
        matrix: A, `(n, n)`, symmetric positive definite.
        time: T, in the inverse unit of the matrix.
        reads: samples, at equal intervals of `time / reads`; at least n.
        burn_in: waited before; None is what leaves 1e-4 of the distance from the start.
        start: state before the burn-in; None is 0.

    Returns:
        The estimate `(n, n)`, the standard error of each entry for a board at
        equilibrium, and burn-in plus T.

    Raises:
        ValueError: if the matrix is not symmetric positive definite, an argument is not
            of finite real numbers or of another shape, a time is negative, or `reads`
            is no whole number of at least n.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> found = inv(jax.random.key(0), jnp.diag(jnp.array([1.0, 2.0])), time=1e3)
        >>> off = abs(found.value - jnp.diag(jnp.array([1.0, 0.5])))
        >>> bool(jnp.all(off < 5 * found.standard_error))
        True
    """
    checks.positive_definite("matrix", matrix)
    (matrix,) = alike(matrix=matrix)
    rhs = 2 * jnp.eye(len(matrix), dtype=matrix.dtype)
    return _covariance(key, matrix, rhs, time, reads, burn_in, start)


@full_precision
def lyapunov(
    key: Key[Array, ""],
    matrix: Float[Array, "n n"],
    rhs: Float[Array, "n n"],
    time: Scalar,
    *,
    reads: int = 1024,
    burn_in: Scalar | None = None,
    start: Float[Array, " n"] | None = None,
) -> Estimate:
    r"""Solve $A X + X A^\mathsf T = R$ as the covariance of a noisy board (TLA).

    $\mathrm dx = -A x\,\mathrm dt + \mathcal N(0, R\,\mathrm dt)$ settles to a
    Gaussian of covariance X; read as by `inv`, which is the case $R = 2 I$.
    `thermo.exact.lyapunov` is the digital routine, and always the faster one.

    Runs inside `jit`, `vmap` and, where R is positive definite, `grad`. What extends
    it: the equation is linear, so a symmetric R with negative eigenvalues is the
    difference of two runs.

    Args:
        key: random key.
        matrix: A, `(n, n)`, all eigenvalues with positive real part.
        rhs: R, `(n, n)`, symmetric positive semidefinite.
        time: T, in the inverse unit of the matrix.
        reads: samples, at equal intervals of `time / reads`; at least n.
        burn_in: waited before; None is `thermo.linalg.burn_in(matrix)`.
        start: state before the burn-in; None is 0.

    Returns:
        X `(n, n)`, the standard error of each entry for a board at equilibrium, and
        burn-in plus T.

    Raises:
        ValueError: if the matrix is unstable, `rhs` is no covariance, an argument is
            not of finite real numbers or of another shape, a time is negative, or
            `reads` is no whole number of at least n.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> a, r = jnp.array([[1.0, 3.0], [0.0, 2.0]]), jnp.eye(2)
        >>> found = lyapunov(jax.random.key(0), a, r, time=1e3)
        >>> right = jnp.array([[1.25, -0.25], [-0.25, 0.25]])
        >>> bool(jnp.all(abs(found.value - right) < 5 * found.standard_error))
        True
    """
    checks.stable("matrix", matrix)
    checks.same_size("rhs", rhs, len(matrix), "matrix")
    checks.positive_semidefinite("rhs", rhs)
    return _covariance(key, matrix, rhs, time, reads, burn_in, start)


def _covariance(key, matrix, rhs, time, reads, burn_in, start):
    n = len(matrix)
    check_count("reads", reads, n)
    check_waits(time, burn_in, start, n)
    matrix, rhs, time, burn_in, start = alike(
        matrix=matrix, rhs=rhs, time=time, burn_in=burn_in, start=start
    )
    key_start, key_run = jr.split(unrolled(key))
    xi = jr.normal(key_start, (n,), matrix.dtype)
    noise, z0, wait, error = in_double(
        partial(_prepared, reads=reads),
        matrix=matrix, rhs=rhs, time=time, burn_in=burn_in, start=start, noise=xi,
    )  # fmt: skip
    eye = jnp.eye(n, dtype=matrix.dtype)
    form = LinearForm(drift=matrix, noise=noise, readout=eye)
    found = moments(key_run, propagator(form, time / reads), reads, z0=z0)
    return Estimate(found.second, jax.lax.stop_gradient(error), wait + time)


@partial(jax.jit, static_argnames="reads")
def _prepared(matrix, rhs, time, burn_in, start, xi, *, reads):
    """Factor of the noise, state after the burn-in, burn-in, standard error."""
    held, still = jax.lax.stop_gradient((matrix, rhs))
    if burn_in is None:
        slowest = jnp.min(jnp.linalg.eigvals(held).real)
        burn_in = -jnp.log(FORGOTTEN) / slowest
    change, gained = increment(matrix, rhs, burn_in)
    first = matrix_function(root, gained) @ xi
    if start is not None:
        first = first + start + change @ start
    eye = jnp.eye(len(matrix), dtype=matrix.dtype)
    error = second_moment_error(held, still, time / reads, eye, eye, count=reads)
    return matrix_function(root, rhs), first, burn_in, error


__all__ = ["inv", "lyapunov"]
