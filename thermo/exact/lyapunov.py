"""The stationary law of a linear circuit."""

import jax
import jax.numpy as jnp

from thermo import checks
from thermo.precision import full_precision, in_double


@full_precision
def stationary_covariance(drift: jax.Array, diffusion: jax.Array) -> jax.Array:
    r"""Covariance that dx = -F x dt + noise settles to: $F S + S F^\mathsf T = D$.

    Holds for any stable drift (non-normal, critically damped) and any noise, singular
    or not; no eigen-decomposition is taken. Differentiable in both modes.

    Args:
        drift: F, `(n, n)`, all eigenvalues with positive real part.
        diffusion: D, `(n, n)`, noise covariance gained per unit time.

    Returns:
        S, `(n, n)`, symmetric; computed in double precision on concrete input.

    Raises:
        ValueError: if the drift is unstable, the diffusion is no covariance, one is not
            of finite real numbers, or their shapes differ.

    Example:
        >>> import jax.numpy as jnp
        >>> stationary_covariance(jnp.array([[1.0, 3.0], [0.0, 2.0]]), jnp.eye(2))
        Array([[ 1.25, -0.25],
               [-0.25,  0.25]], dtype=float32)
    """
    check_system(drift, diffusion, stable=True)
    return in_double(_symmetric, drift=drift, diffusion=diffusion)


@full_precision
def lyapunov(drift: jax.Array, rhs: jax.Array) -> jax.Array:
    r"""Solve $F X + X F^\mathsf T = Y$ for a stable F and any Y.

    Stability is not checked. The matrix sign iteration, O(n^3) with about ten
    inversions, and one step of refinement: 2e-7 in float32 where a Kronecker solve
    loses 1e-3 (Q = 300), and a tenth of its time at n = 16. Derivatives come from the
    equation itself.

    Args:
        drift: F, `(n, n)`.
        rhs: Y, `(n, n)`, not necessarily symmetric.

    Returns:
        X, `(n, n)`.

    Raises:
        ValueError: if one is no square matrix of finite real numbers, their shapes
            differ, or the result is not finite.
    """
    for name, x in (("drift", drift), ("rhs", rhs)):
        checks.square(name, x)
        checks.finite(name, x)
    checks.same_size("rhs", rhs, len(drift), "drift")
    return in_double(_lyapunov, drift=drift, rhs=rhs)


def check_system(
    drift: jax.Array, diffusion: jax.Array, *, stable: bool = False
) -> None:
    """Refuse shapes and values that are no linear circuit."""
    (checks.stable if stable else checks.square)("drift", drift)
    checks.finite("drift", drift)
    checks.same_size("diffusion", diffusion, len(drift), "drift")
    checks.positive_semidefinite("diffusion", diffusion)


@jax.jit
def _symmetric(drift, diffusion):
    covariance = _lyapunov(drift, diffusion)
    return (covariance + covariance.mT) / 2


@jax.jit
def _lyapunov(drift, rhs):
    return jax.lax.custom_linear_solve(
        lambda x: drift @ x + x @ drift.mT,
        rhs,
        solve=lambda _, y: _solve(drift, y),
        transpose_solve=lambda _, y: _solve(drift.mT, y),
    )


def _solve(drift, rhs):
    first = _sign_iteration(drift, rhs)
    return first + _sign_iteration(drift, rhs - drift @ first - first @ drift.mT)


def _sign_iteration(drift, rhs):
    """Newton's iteration for sign(F) = I carries the right side along to 2 X."""
    norm, eps = jnp.linalg.norm, jnp.finfo(drift.dtype).eps

    def going(state):
        _, _, step, moved = state
        return (step < 60) & (moved > jnp.sqrt(eps) / 10)

    def newton(state):
        a, y, step, _ = state
        inverse = jnp.linalg.inv(a)
        c = jnp.sqrt(norm(a) / norm(inverse))
        new = (a / c + c * inverse) / 2
        y = (y / c + c * (inverse @ y @ inverse.mT)) / 2
        return new, y, step + 1, norm(new - a) / norm(new)

    start = (drift, rhs, 0, jnp.asarray(jnp.inf, drift.dtype))
    return jax.lax.while_loop(going, newton, start)[1] / 2
