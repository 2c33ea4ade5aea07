"""How far a second moment of correlated reads is off, for boards of any size."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from thermo import exact
from thermo.exact import Gaussian
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


@full_precision
@partial(jax.jit, static_argnames="count")
def mean_error(
    drift: Float[Array, "n n"],
    diffusion: Float[Array, "n n"],
    dt: Float[Array, ""],
    *,
    count: int,
) -> Float[Array, " n"]:
    r"""Standard deviation of each entry of the mean of `count` reads.

    $\frac1N\sum_m (1 - |m|/N)\,C_{m,ii}$, lag by lag until nothing is left of the
    correlation. Carries no derivative.
    """
    drift, diffusion, dt = jax.lax.stop_gradient((drift, diffusion, dt))
    covariance = exact.stationary_covariance(drift, diffusion)
    step, _ = increment(drift, jnp.zeros_like(drift), dt)
    bound = UNCORRELATED * jnp.linalg.norm(covariance)

    def going(state):
        lag, c, _ = state
        return (lag < count) & (jnp.linalg.norm(c) > bound)

    def further(state):
        lag, c, total = state
        weight = 2 * (1 - lag.astype(c.dtype) / count)
        return lag + 1, c + step @ c, total + weight * jnp.diagonal(c)

    lag = jnp.asarray(1, jnp.int32)
    start = lag, covariance + step @ covariance, jnp.diagonal(covariance)
    return jnp.sqrt(jax.lax.while_loop(going, further, start)[2] / count)


@full_precision
@jax.jit
def lagged_error(
    drift: Float[Array, "n n"],
    diffusion: Float[Array, "n n"],
    dt: Float[Array, ""],
    count: Float[Array, ""],
) -> Float[Array, "n n"]:
    r"""Standard deviation of each entry of $\frac1N\sum_k x_{k+1} x_k^\mathsf T$.

    Isserlis again (DERIVED): with $C_m = \langle x_{k+m} x_k^\mathsf T\rangle$ the
    variance is $\frac1N \sum_m (1 - |m|/N)\,[C_{m,ii} C_{m,jj}
    + C_{1+m,ij}\,C_{1-m,ij}]$. Carries no derivative.

    Args:
        drift: F of dx = -F x dt + noise.
        diffusion: D, covariance gained by noise per unit time.
        dt: interval between reads, which is the lag.
        count: N, pairs.
    """
    drift, diffusion, dt = jax.lax.stop_gradient((drift, diffusion, dt))
    covariance = exact.stationary_covariance(drift, diffusion)
    step, _ = increment(drift, jnp.zeros_like(drift), dt)
    bound = UNCORRELATED * jnp.linalg.norm(covariance)

    def pairs(before, c, after):
        own = jnp.diagonal(c)
        return own[:, None] * own[None, :] + after * before.mT

    def going(state):
        lag, _, c, _, _ = state
        return (lag < count) & (jnp.linalg.norm(c) > bound)

    def further(state):
        lag, before, c, after, total = state
        total = total + 2 * (1 - lag / count) * pairs(before, c, after)
        return lag + 1, c, after, after + step @ after, total

    one = covariance + step @ covariance
    own = jnp.diagonal(covariance)
    total = own[:, None] * own[None, :] + one**2
    start = jnp.ones_like(count), covariance, one, one + step @ one, total
    return jnp.sqrt(jax.lax.while_loop(going, further, start)[4] / count)


@full_precision
@jax.jit
def independent_error(
    left: Gaussian, right: Gaussian, crossed: Float[Array, "d e"], count: int
) -> Float[Array, "d e"]:
    r"""The same of N independent pairs, each of two Gaussians and their covariance.

    $\operatorname{Var} x_i y_j = \langle x_i^2\rangle \langle y_j^2\rangle
    + \langle x_i y_j\rangle^2 - 2 \langle x_i\rangle^2 \langle y_j\rangle^2$
    (DERIVED, Isserlis with means). Carries no derivative.
    """
    left, right, crossed = jax.lax.stop_gradient((left, right, crossed))
    x, y = left.mean[:, None], right.mean[None, :]
    own = jnp.diagonal(left.covariance)[:, None] + x**2
    other = jnp.diagonal(right.covariance)[None, :] + y**2
    return jnp.sqrt((own * other + (crossed + x * y) ** 2 - 2 * (x * y) ** 2) / count)
