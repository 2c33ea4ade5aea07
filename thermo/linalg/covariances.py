r"""Matrices read off the covariance of a board: inverses, Lyapunov equations."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from prng import unrolled
from thermo import checks
from thermo.counts import check_count
from thermo.exact import Gaussian
from thermo.linalg.chip import Chip
from thermo.linalg.errors import independent_error, second_moment_error
from thermo.linalg.estimate import Estimate
from thermo.linalg.readings import Reading, by_moments, check_reading
from thermo.linalg.waiting import board
from thermo.precision import full_precision, in_double
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
    start: Float[Array, " n"] | Gaussian | None = None,
    chip: Chip | None = None,
    read: Reading = by_moments,
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
    for a time of `T / c`; preconditioning by any known W, most simply a diagonal one,
    $A^{-1} = W (W^\mathsf T A W)^{-1} W^\mathsf T$; on passive cells, which hold no
    positive couplings, two cells for each variable (`thermo.double`). `invert` chooses
    among them.

    Args:
        key: random key.
        matrix: A, `(n, n)`, symmetric positive definite.
        time: T, in the inverse unit of the matrix.
        reads: samples, at equal intervals of `time / reads`; at least n.
        burn_in: waited before; None is what leaves 1e-4 of the distance from the start.
        start: state before the burn-in, or its law, as `slow_modes` gives; None is 0.
        chip: that runs, of `draw_chip`; None is the ideal one.
        read: `by_moments`, `by_trajectory`, or `by_law`: runs from the start, of
            `time / reads` each, read once at their ends (a burn-in is none beside it).

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
    return _covariance(key, matrix, rhs, time, reads, burn_in, start, chip, read)


@full_precision
def lyapunov(
    key: Key[Array, ""],
    matrix: Float[Array, "n n"],
    rhs: Float[Array, "n n"],
    time: Scalar,
    *,
    reads: int = 1024,
    burn_in: Scalar | None = None,
    start: Float[Array, " n"] | Gaussian | None = None,
    chip: Chip | None = None,
    read: Reading = by_moments,
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
        burn_in: waited before; None is `primitives.burn_in(matrix)`.
        start: state before the burn-in, or its law, as `slow_modes` gives; None is 0.
        chip: that runs, of `draw_chip`; None is the ideal one.
        read: `by_moments`, `by_trajectory`, or `by_law`: runs from the start, of
            `time / reads` each, read once at their ends (a burn-in is none beside it).

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
    return _covariance(key, matrix, rhs, time, reads, burn_in, start, chip, read)


def _covariance(key, matrix, rhs, time, reads, burn_in, start, chip, read):
    check_reading(read)
    check_count("reads", reads, len(matrix) + read.spare)
    checks.interval("time", time)
    if read.independent:
        if burn_in is not None:
            raise ValueError(
                f"burn_in = {burn_in}: must be None, reads that are each of a run of "
                "their own share the time out and wait for time / reads each."
            )
        (time,) = alike(time=time)
        burn_in = time / reads
    form, first, wait = board(matrix, rhs, burn_in, start, chip)
    dt = jnp.asarray(time, form.drift.dtype) / reads
    value = read.second(unrolled(key), form, first, dt, reads)
    if read.independent:
        law = Gaussian(first.mean, first.root @ first.root.mT)
        error = independent_error(law, law, law.covariance, reads)
        return Estimate(value, error, reads * wait)
    eye = jnp.eye(len(matrix), dtype=form.drift.dtype)
    error = in_double(
        partial(second_moment_error, count=reads),
        drift=form.drift, diffusion=form.diffusion, dt=dt, left=eye, right=eye,
    )  # fmt: skip
    return Estimate(value, error, wait + dt * reads)


__all__ = ["inv", "lyapunov"]
