"""The transition law of a linear circuit over an interval of any length."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from thermo import checks
from thermo.exact.lyapunov import check_system
from thermo.precision import full_precision, in_double

# Terms of the Taylor series on an interval with |F| dt <= 1/4: the first one left out
# is below 1e-17 of the first one kept.
TERMS = 15
# Halvings allowed for when dt is traced: |F| dt up to 2**38.
HALVINGS = 40


class Transition(NamedTuple):
    """Gaussian law of x(t + dt) given x(t).

    Attributes:
        propagator: P = exp(-F dt); the mean is P x(t) (about the stationary mean).
        covariance: Q, what the noise adds in dt.
    """

    propagator: jax.Array
    covariance: jax.Array


@full_precision
def transition(
    drift: jax.Array, diffusion: jax.Array, dt: jax.Array | float
) -> Transition:
    r"""Exact transition of dx = -F x dt + noise of covariance D dt.

    $$ P = e^{-F\,dt}, \qquad
       Q = \int_0^{dt} e^{-F s} D\, e^{-F^\mathsf T s}\,\mathrm ds $$

    On a short interval both are Taylor series; the interval is then doubled,
    $Q \leftarrow Q + P Q P^\mathsf T$, while $P - 1$ is what is carried, so that
    neither very short nor very long intervals lose digits. (Van Loan's block
    exponential overflows at long intervals; $S - P S P^\mathsf T$ cancels at short
    ones.) The drift need not be stable.

    Args:
        drift: F, `(n, n)`.
        diffusion: D, `(n, n)`.
        dt: interval, µs, greater than 0.

    Returns:
        The propagator and the noise covariance.

    Raises:
        ValueError: if an argument is not of finite real numbers or of another shape,
            the diffusion is no covariance, `dt` is not positive, or the law of an
            unstable drift is not finite.

    Example:
        >>> import jax.numpy as jnp
        >>> one = jnp.ones((1, 1))
        >>> transition(one, 2 * one, 0.5).covariance  # 1 - exp(-1)
        Array([[0.63212055]], dtype=float32)
    """
    check_system(drift, diffusion)
    checks.interval("dt", dt)
    return in_double(_law, drift=drift, diffusion=diffusion, dt=dt)


def _law(drift, diffusion, dt):
    change, covariance = increment(drift, diffusion, dt)
    return Transition(jnp.eye(len(drift), dtype=drift.dtype) + change, covariance)


@full_precision
def increment(
    drift: jax.Array, diffusion: jax.Array, dt: jax.Array | float
) -> tuple[jax.Array, jax.Array]:
    r"""$P - 1$ and $Q$: what `transition` returns, without the rounding of $P$.

    A step that is a millionth of the relaxation leaves nothing of it in $P$ itself,
    which rounds to the identity. Inputs are those of `transition`, unchecked.
    """
    halvings, most = halve(drift, dt)
    dt = jnp.asarray(dt, drift.dtype)
    return _transition(drift, diffusion, dt, halvings, most)


def carried(change: jax.Array, x: jax.Array) -> jax.Array:
    r"""$P X P^\mathsf T$ from $P - 1$, `(n, n)`, and X, `(..., n, n)`."""
    half = x + change @ x
    return half + half @ change.mT


def doubled(change: jax.Array) -> jax.Array:
    r"""$P^2 - 1$ from $P - 1$."""
    return 2 * change + change @ change


@full_precision
def propagator(drift: jax.Array, dt: jax.Array | float) -> jax.Array:
    r"""$e^{-F\,dt}$ alone, for one interval or several; dt may be 0.

    Args:
        drift: F, `(n, n)`.
        dt: intervals, µs, scalar or `(k,)`, not negative.

    Returns:
        `(n, n)` or `(k, n, n)`.

    Raises:
        ValueError: if the drift is no square matrix of finite real numbers, a `dt` is
            negative, or what an unstable drift grows to is not finite.
    """
    checks.square("drift", drift)
    checks.finite("drift", drift)
    checks.non_negative("dt", dt)
    checks.scalar_or_list("dt", dt)
    return in_double(_propagators, drift=drift, dt=dt)


def _propagators(drift, dt):
    longest = dt if checks.concrete(dt) is None else jnp.max(dt)
    most = HALVINGS if dt.ndim else halve(drift, longest)[1]

    def one(dt):
        halvings = halve(drift, dt)[0]
        change, _ = _transition(drift, jnp.zeros_like(drift), dt, halvings, most)
        return jnp.eye(len(drift), dtype=drift.dtype) + change

    return jax.vmap(one)(dt) if dt.ndim else one(dt)


@partial(jax.jit, static_argnames="most")
def _transition(drift, diffusion, dt, halvings, most):
    def double(i, law):
        x, q = law
        new = doubled(x), q + carried(x, q)
        return jax.tree.map(partial(jnp.where, i < halvings), new, law)

    short = taylor(drift, diffusion, halved(dt, halvings))
    x, q = jax.lax.fori_loop(0, most, double, short)
    return x, (q + q.mT) / 2


def halved(dt: jax.Array, times: Any) -> jax.Array:
    """`dt / 2**times`, exact: jax 0.12's ldexp forgets that it works in double."""
    half = jnp.asarray(0.5 ** np.arange(1100), dt.dtype)  # all that is not 0
    return dt * half[times // 2] * half[times - times // 2]


def taylor(drift, diffusion, dt):
    """P - 1 and Q on a short interval, where their series converge at once."""
    step = -drift * dt
    power, grown = step, step
    flow = diffusion * dt
    gained = flow
    for k in range(2, TERMS + 1):
        power = power @ step / k
        flow = step @ flow / k
        flow = flow + flow.mT
        grown, gained = grown + power, gained + flow
    return grown, gained


def halve(drift: jax.Array, dt: jax.Array | float) -> tuple[Any, int]:
    """How often to halve dt until |F| dt < 1/4, and a static bound on it.

    The bound comes in steps of eight. Where it is exceeded under a trace, NaN is what
    the series makes of it, not a number.
    """
    norm, length = checks.concrete(drift), checks.concrete(dt)
    if norm is None or length is None:
        size = jnp.max(jnp.sum(jnp.abs(drift), axis=0)) * dt
        exponent = jnp.floor(jnp.log2(4 * jax.lax.stop_gradient(size))) + 1
        return jnp.clip(exponent, 0, HALVINGS).astype(jnp.int32), HALVINGS
    size = float(np.abs(norm).sum(0).max() * length)
    exponent = max(int(np.frexp(4 * size)[1]), 0)
    return exponent, -(-exponent // 8) * 8
