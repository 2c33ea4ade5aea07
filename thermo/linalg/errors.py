"""How far a second moment of correlated reads is off, for boards of any size."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from thermo import exact
from thermo.exact.transition import increment
from thermo.precision import full_precision

# Correlations below this share of the covariance are left out of its error law: their
# squares, 1e-8, are what counts there.
UNCORRELATED = 1e-4


@full_precision
@partial(jax.jit, static_argnames="count")
def second_moment_error(
    drift: Float[Array, "n n"],
    diffusion: Float[Array, "n n"],
    dt: Float[Array, ""],
    left: Float[Array, "d n"],
    right: Float[Array, "e n"],
    *,
    count: int,
) -> Float[Array, "d e"]:
    r"""Standard deviation of each entry of $\frac1N\sum_k (Lx_k)(Rx_k)^\mathsf T$.

    Isserlis' sum over lags, as in `thermo.exact.sampled_variance`, but lag by lag until
    nothing is left of the correlation: at most `count` products of matrices, and a
    memory of n^2. Carries no derivative.

    Args:
        drift: F of dx = -F x dt + noise.
        diffusion: D, covariance gained by noise per unit time.
        dt: interval between reads.
        left: L, what is read first.
        right: R, what it is multiplied by.
        count: N.
    """
    drift, diffusion, dt, left, right = jax.lax.stop_gradient(
        (drift, diffusion, dt, left, right)
    )
    covariance = exact.stationary_covariance(drift, diffusion)
    step, _ = increment(drift, jnp.zeros_like(drift), dt)
    bound = UNCORRELATED * jnp.linalg.norm(covariance)

    def pairs(c):
        own = jnp.einsum("ia,ab,ib->i", left, c, left)
        other = jnp.einsum("ia,ab,ib->i", right, c, right)
        crossed = (left @ c @ right.mT) * (right @ c @ left.mT).mT
        return own[:, None] * other[None, :] + crossed

    def going(state):
        lag, c, _ = state
        return (lag < count) & (jnp.linalg.norm(c) > bound)

    def further(state):
        lag, c, total = state
        weight = 2 * (1 - lag.astype(c.dtype) / count)
        return lag + 1, c + step @ c, total + weight * pairs(c)

    lag = jnp.asarray(1, jnp.int32)
    start = lag, covariance + step @ covariance, pairs(covariance)
    return jnp.sqrt(jax.lax.while_loop(going, further, start)[2] / count)
