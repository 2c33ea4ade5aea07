r"""Shorter burn-ins: a start whose slow modes are right already, or a driven one."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from thermo import checks
from thermo.counts import check_count
from thermo.exact import Gaussian
from thermo.linalg.estimate import FORGOTTEN
from thermo.precision import full_precision, in_double

Scalar = jax.Array | float

__all__ = ["Drive", "covariance_burn_in", "drive", "slow_modes"]


@full_precision
def slow_modes(matrix: Float[Array, "n n"], modes: int) -> Gaussian:
    r"""The law of a start whose k slowest modes are at equilibrium, the rest at 0.

    $S_0 = \sum_{i \le k} u_i u_i^\mathsf T / \alpha_i$: the initialisation that the
    Mpemba effect suggests (STATED). As the `start` of `inv` it leaves a burn-in
    that the next mode sets, see `covariance_burn_in`. The slowest modes must be found
    digitally first, which for all of them is the inverse itself.

    Args:
        matrix: A, `(n, n)`, symmetric positive definite.
        modes: k, at most n.

    Raises:
        ValueError: if the matrix is not symmetric positive definite, or `modes` no
            whole number from 0 to n.

    Example:
        >>> import jax.numpy as jnp
        >>> slow_modes(jnp.diag(jnp.array([0.5, 2.0])), 1).covariance
        Array([[2., 0.],
               [0., 0.]], dtype=float32)
    """
    checks.positive_definite("matrix", matrix)
    _check_modes(modes, len(matrix))
    return in_double(partial(_slow, modes=modes), matrix=matrix)


@full_precision
def covariance_burn_in(
    matrix: Float[Array, "n n"], error: Scalar = FORGOTTEN, modes: int = 0
) -> Array:
    r"""Time after which the covariance of a board is right to within `error`.

    $t = \frac{1}{2\alpha_{k+1}} \ln\frac{E_0}{\text{error}}$ with
    $E_0^2 = \sum_{i>k} \alpha_i^{-2} / \sum_i \alpha_i^{-2}$, of a start from
    `slow_modes`; for k = 0, from rest, $E_0 = 1$ (STATED-2nd). An upper bound, in
    relative Frobenius norm, since the faster modes forget faster (DERIVED).

    Args:
        matrix: A, `(n, n)`, symmetric positive definite.
        error: relative, between 0 and 1.
        modes: k, of the start.

    Returns:
        The time, in the inverse unit of the matrix; 0 where the start will do.

    Raises:
        ValueError: if the matrix is not symmetric positive definite, `error` is not
            between 0 and 1, or `modes` no whole number from 0 to n.

    Example:
        >>> import jax.numpy as jnp
        >>> a = jnp.diag(jnp.array([0.5, 2.0]))
        >>> print(f"{covariance_burn_in(a, 0.01):.2f}")
        4.61
        >>> print(f"{covariance_burn_in(a, 0.01, modes=1):.2f}")
        0.80
    """
    checks.positive_definite("matrix", matrix)
    checks.interval("error", error)
    value = checks.values("error", error)
    if value is not None and not value < 1:
        raise ValueError(f"error = {error}: must be less than 1, it is relative.")
    _check_modes(modes, len(matrix))
    return in_double(partial(_bound, modes=modes), matrix=matrix, error=error)


class Drive(NamedTuple):
    """A board after it was driven.

    Attributes:
        law: of its state, to be the `start` of `inv` with a `burn_in` of 0.
        time: that the drive took, in the inverse unit of the matrix.
        work: done on the board in the mean, in units of the temperature.
    """

    law: Gaussian
    time: jax.Array
    work: jax.Array


@full_precision
def drive(
    matrix: Float[Array, "n n"], hold: Scalar, stiffness: Scalar, push: Scalar
) -> Drive:
    r"""Reach the equilibrium of A early: press, then push apart (DERIVED).

    Nothing of A is known but the time that it would take. From rest the board is held
    in $\lambda A$ for a time `hold`, where everything is $\lambda$ times faster:
    $S \to A^{-1} / \lambda$. Then all directions alike are pushed apart by a potential
    $-c |x|^2 / 2$ for $\ln\lambda / 2c$, which multiplies the covariance by $\lambda$,
    and adds $(\lambda - 1) / c$ of noise; then A is put back. For an eigenvalue
    $\alpha$

    $$ s = \frac{1 - e^{-2\lambda\alpha t}}{\alpha} + \frac{\lambda - 1}{c}, \qquad
       \langle W \rangle = \tfrac12 \sum_\alpha \Bigl[ \alpha s - \lambda\alpha s_1
       + c\,(s - s_1) \Bigr], \quad s_1 = \frac{1 - e^{-2\lambda\alpha t}}
       {\lambda\alpha}. $$

    So the burn-in is $\lambda$ times shorter at a work of about
    $\frac c2 (1 - 1/\lambda) \operatorname{tr} A^{-1}$, and what is left of the push,
    the same in all directions, is smaller the more work is spent. Without the push, the
    stiff board read and its covariance multiplied by $\lambda$ gives the same at no
    work, from a signal of $\lambda$ times less power: driving pays only where the
    read-out is the noisier part. It is our own protocol; that there is a quasi-optimal
    driving without knowledge of the answer is STATED (arXiv 2601.04358, abstract), its
    form there UNKNOWN.

    Args:
        matrix: A, `(n, n)`, symmetric positive definite.
        hold: t in the stiff potential, in the inverse unit of the matrix; about
            `covariance_burn_in(matrix) / stiffness`.
        stiffness: $\lambda$, at least 1; 1 is a plain wait.
        push: c, in the unit of the matrix.

    Raises:
        ValueError: if the matrix is not symmetric positive definite, an argument is
            not positive and finite, or `stiffness` is less than 1.

    Example:
        >>> import jax.numpy as jnp
        >>> found = drive(jnp.eye(1), hold=0.5, stiffness=10.0, push=1e4)
        >>> print(f"{found.law.covariance[0, 0]:.3f} {found.time:.4f} {found.work:.0f}")
        1.001 0.5001 4504
    """
    checks.positive_definite("matrix", matrix)
    for name, x in (("hold", hold), ("stiffness", stiffness), ("push", push)):
        checks.interval(name, x)
    value = checks.values("stiffness", stiffness)
    if value is not None and value < 1:
        raise ValueError(f"stiffness = {stiffness}: must be at least 1.")
    return in_double(_drive, matrix=matrix, hold=hold, stiffness=stiffness, push=push)


@partial(jax.jit, static_argnames="modes")
def _slow(matrix, *, modes):
    own, vectors = jnp.linalg.eigh(matrix)
    kept = vectors[:, :modes]
    covariance = (kept / own[None, :modes]) @ kept.mT
    return Gaussian(jnp.zeros(len(matrix), matrix.dtype), covariance)


@partial(jax.jit, static_argnames="modes")
def _bound(matrix, error, *, modes):
    own = jnp.linalg.eigvalsh(matrix)
    if modes == len(own):
        return jnp.zeros((), own.dtype)
    left = jnp.sum(own[modes:] ** -2) / jnp.sum(own**-2)
    return jnp.maximum(jnp.log(jnp.sqrt(left) / error), 0) / (2 * own[modes])


@jax.jit
def _drive(matrix, hold, stiffness, push):
    own, vectors = jnp.linalg.eigh(matrix)
    pressed = -jnp.expm1(-2 * stiffness * own * hold) / (stiffness * own)
    apart = stiffness * pressed + (stiffness - 1) / push
    put_back = own * apart - stiffness * own * pressed
    work = jnp.sum(put_back + push * (apart - pressed)) / 2
    law = Gaussian(
        jnp.zeros(len(own), own.dtype), (vectors * apart[None, :]) @ vectors.mT
    )
    return Drive(law, hold + jnp.log(stiffness) / (2 * push), work)


def _check_modes(modes, n):
    check_count("modes", modes, 0)
    if modes > n:
        raise ValueError(f"modes = {modes}: must be at most {n}, the size of matrix.")
