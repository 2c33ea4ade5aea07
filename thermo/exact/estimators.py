"""The error law of a covariance estimated from correlated samples.

The estimate is the second moment (1/N) sum_k v_k v_k^T of a stationary record, the mean
being known to be zero. It is unbiased; its variance follows from Isserlis' theorem,

    Var S_ij = (1/N^2) sum_m (N - |m|) [C_ii(m) C_jj(m) + C_ij(m) C_ji(m)],

with the autocorrelation C(m) = H exp(-F m dt) S H^T. Products of two correlations obey
linear recursions of their own, which are summed by doubling, so that N = 10^9 costs no
more than thirty steps and no eigen-decomposition is needed.
"""

from functools import partial

import jax
import jax.numpy as jnp

from thermo import checks
from thermo.exact.lyapunov import lyapunov, stationary_covariance
from thermo.exact.transition import propagator
from thermo.precision import full_precision


@full_precision
def sampled_variance(
    drift: jax.Array,
    diffusion: jax.Array,
    *,
    dt: float,
    n_samples: int | jax.Array,
    readout: jax.Array | None = None,
) -> jax.Array:
    """Variance of every entry of a second moment of samples taken every `dt`.

    Args:
        drift: F, `(n, n)`.
        diffusion: D, `(n, n)`.
        dt: sampling interval, us.
        n_samples: number of samples N; may be traced.
        readout: H, `(d, n)`; None takes all states.

    Returns:
        Variances, `(d, d)`.

    Example:
        >>> import jax.numpy as jnp
        >>> one = jnp.ones((1, 1))  # far apart: independent samples, 2 S^2 / N
        >>> sampled_variance(one, 2 * one, dt=50.0, n_samples=100)
        Array([[0.02]], dtype=float32)
    """
    checks.positive("dt", dt)
    checks.positive("n_samples", n_samples)
    covariance, readout = _observed(drift, diffusion, readout)
    step = propagator(drift, dt)
    count = checks.concrete(n_samples)
    bits = 31 if count is None else -(-int(count).bit_length() // 8) * 8
    return _sampled(covariance, readout, step, jnp.asarray(n_samples), min(bits, 31))


@full_precision
def recorded_variance(
    drift: jax.Array,
    diffusion: jax.Array,
    *,
    duration: float,
    readout: jax.Array | None = None,
) -> jax.Array:
    r"""Variance of every entry of a second moment averaged over a continuous record.

    $\frac{2}{T^2}\int_0^T (T - t)\,[C_{ii}C_{jj} + C_{ij}C_{ji}](t)\,\mathrm dt$, by
    two Lyapunov equations for each pair. The limit of fast sampling.

    Args:
        drift: F, `(n, n)`.
        diffusion: D, `(n, n)`.
        duration: T, us; much shorter than the mixing time, digits are lost.
        readout: H, `(d, n)`; None takes all states.

    Returns:
        Variances, `(d, d)`.
    """
    checks.positive("duration", duration)
    covariance, readout = _observed(drift, diffusion, readout)
    pairs = _pairs(covariance, readout)
    end = propagator(drift, duration)
    integrate = jax.vmap(jax.vmap(partial(lyapunov, drift)))
    once = integrate(pairs - end @ pairs @ end.mT)
    twice = integrate(duration * pairs - once)
    return 2 * _isserlis(twice, readout) / duration**2


@full_precision
def covariance_error(
    variance: jax.Array, covariance: jax.Array, target: jax.Array | None = None
) -> jax.Array:
    r"""Expected relative Frobenius error of an estimate, root mean square.

    $\sqrt{\textstyle\sum \mathrm{Var} + \|S - S_0\|^2} / \|S_0\|$: the statistical part
    falls as one over N, the systematic part is the floor that imperfections leave.

    Args:
        variance: of each entry, from `sampled_variance` or `recorded_variance`.
        covariance: S, the mean of the estimate.
        target: S0, what it should be; None is S itself.
    """
    target = covariance if target is None else target
    square = jnp.sum(variance) + jnp.sum((covariance - target) ** 2)
    return jnp.sqrt(square) / jnp.linalg.norm(target)


def effective_samples(variance: jax.Array, covariance: jax.Array) -> jax.Array:
    r"""Number of independent samples that would estimate the covariance as well.

    $[(\operatorname{tr} S)^2 + \operatorname{tr} S^2] / \sum \mathrm{Var}$.

    Args:
        variance: of each entry, from `sampled_variance` or `recorded_variance`.
        covariance: S.
    """
    alone = jnp.trace(covariance) ** 2 + jnp.sum(covariance**2)
    return alone / jnp.sum(variance)


def _observed(drift, diffusion, readout):
    covariance = stationary_covariance(drift, diffusion)
    eye = jnp.eye(covariance.shape[-1], dtype=covariance.dtype)
    return covariance, eye if readout is None else readout


def _pairs(covariance, readout):
    """Outer products of all pairs of columns of S H^T, `(d, d, n, n)`."""
    columns = readout @ covariance
    return columns[:, None, :, None] * columns[None, :, None, :]


def _isserlis(pairs, readout):
    """C_ii C_jj + C_ij C_ji, summed as the pairs were."""
    direct = jnp.einsum("ia,ijab,jb->ij", readout, pairs, readout)
    crossed = jnp.einsum("ia,jiab,jb->ij", readout, pairs, readout)
    return direct + crossed


@partial(jax.jit, static_argnames="bits")
def _sampled(covariance, readout, step, n_samples, bits):
    """Binary digits of N build sum_m (N - m) E^m X E^m^T, most significant first."""
    pairs = _pairs(covariance, readout)

    def digit(i, state):
        power, once, twice, count = state
        carried = power @ twice @ power.mT
        once, twice = once + power @ once @ power.mT, twice + count * once + carried
        doubled = power @ power, once, twice, 2 * count
        more = pairs + step @ once @ step.mT
        longer = step @ doubled[0], more, twice + more, doubled[3] + 1
        odd = (n_samples >> (bits - 1 - i)) & 1
        return jax.tree.map(partial(jnp.where, odd == 1), longer, doubled)

    eye, zero = jnp.eye(len(step), dtype=step.dtype), jnp.zeros_like(pairs)
    start = (eye, zero, zero, jnp.zeros((), step.dtype))
    _, _, twice, count = jax.lax.fori_loop(0, bits, digit, start)
    return (2 * _isserlis(twice / count, readout) - _isserlis(pairs, readout)) / count
