"""What theory says of the error of a board that computes, for long times.

Each law is of the continuous record and of slow changes: it knows nothing of reads or
of the start.
"""

from typing import Any

import jax
import jax.numpy as jnp

from thermo import exact

# The integral over the lags of a Lyapunov equation, in slowest relaxations: its
# integrand falls at least as exp(-2 t).
STEP, LAGS = 0.04, 200


def coefficient(point: Any, asked: dict[str, jax.Array]) -> jax.Array:
    """Expected squared error times the duration, of the primitive of a point."""
    if point.primitive == "lyapunov":
        return lyapunov(asked["drift"], asked["diffusion"])
    rates = asked["rates"]
    if point.primitive == "expm":
        return expm(rates)
    if point.primitive == "inverse":
        return inverse(rates)
    if point.primitive == "logdet":
        step = point.duration / point.steps
        return logdet(rates, step, point.steps) / point.runs
    return solve(rates, asked["rhs"] / rates)


def solve(rates: jax.Array, answer: jax.Array) -> jax.Array:
    r"""$2 \operatorname{tr} A^{-2} / \lVert A^{-1} b \rVert^2$ at $\beta = 1$."""
    return 2 * jnp.sum(rates**-2) / jnp.sum(answer**2)


def inverse(rates: jax.Array) -> jax.Array:
    r"""$2 \sum_{ab} (1 + \delta_{ab}) / (\lambda_a \lambda_b (\lambda_a + \lambda_b))$.

    Relative: over $\operatorname{tr} A^{-2}$.
    """
    a, b = rates[:, None], rates[None, :]
    pairs = 1 / (a * b * (a + b))
    return 2 * (jnp.sum(pairs) + jnp.trace(pairs)) / jnp.sum(rates**-2)


def lyapunov(drift: jax.Array, diffusion: jax.Array) -> jax.Array:
    r"""$2 \int [(\operatorname{tr} C)^2 + \operatorname{tr} C^2]\,\mathrm dt$.

    With the autocorrelation $C = e^{-At} X$; relative: over $\lVert X \rVert^2$. Of
    blocks, `(b, k, k)`, or of one matrix.
    """
    k = drift.shape[-1]
    drift, diffusion = drift.reshape(-1, k, k), diffusion.reshape(-1, k, k)
    covariance = jax.vmap(exact.stationary_covariance)(drift, diffusion)
    step = jax.vmap(exact.propagator, (0, None))(drift, STEP)

    def further(c, _):
        trace = jnp.trace(c, axis1=1, axis2=2).sum()
        return step @ c, trace**2 + jnp.sum(c * c.mT)

    _, at = jax.lax.scan(further, covariance, length=LAGS)
    return 2 * STEP * (jnp.sum(at) - at[0] / 2) / jnp.sum(covariance**2)


def logdet(rates: jax.Array, step: jax.Array, steps: int) -> jax.Array:
    r"""$2 T \sum_a \delta_a^2 \sum_k \lambda_{ak}^{-2} \coth(\lambda_{ak} h)$, one run.

    Four times the variance of the work of a slow change in steps of
    $\delta_a = (m - \lambda_a) / K$ to their mean m, each h long, by linear response;
    $\sum_a (m - \lambda_a)(\lambda_a^{-2} - m^{-2})$ for small steps (DERIVED).
    """
    jump = (jnp.mean(rates) - rates) / steps
    done = jnp.arange(steps, dtype=rates.dtype)[:, None]
    path = rates[None, :] + done * jump[None, :]
    each = jnp.sum(path**-2 / jnp.tanh(path * step), axis=0)
    return 2 * step * steps * jnp.sum(jump**2 * each)


def expm(rates: jax.Array) -> jax.Array:
    r"""Of $e^{-A}$, times the pairs, one unit of time apart, end to end (DERIVED).

    With $m_a = e^{-\lambda_a}$, by Isserlis,
    $\sum_{ab} \frac{1 + m_a m_b}{1 - m_a m_b} + \sum_a m_a^2
    \frac{3 - m_a^2}{1 - m_a^2}$; relative: over $\sum_a m_a^2$.
    """
    m = jnp.exp(-rates)
    both, own = m[:, None] * m[None, :], m**2
    pairs = jnp.sum((1 + both) / (1 - both))
    return (pairs + jnp.sum(own * (3 - own) / (1 - own))) / jnp.sum(own)
