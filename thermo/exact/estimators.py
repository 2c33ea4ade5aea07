"""The error law of a covariance estimated from correlated samples.

The estimate is the second moment (1/N) sum_k v_k v_k^T of a stationary record, the mean
being known to be zero. It is unbiased; its variance follows from Isserlis' theorem,

    Var S_ij = (1/N^2) sum_m (N - |m|) [C_ii(m) C_jj(m) + C_ij(m) C_ji(m)],

with the autocorrelation C(m) = H exp(-F m dt) S H^T. Products of two correlations obey
linear recursions of their own, which are summed by doubling, so that N = 10^9 costs no
more than thirty steps and no eigen-decomposition is needed. The continuous record
obeys the same recursions, from a series on a short one. All terms are added, none
subtracted, and P - 1 is what is carried: no digits are lost however short the interval.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from thermo import checks
from thermo.counts import check_count
from thermo.exact.lyapunov import check_system, stationary_covariance
from thermo.exact.transition import TERMS, carried, doubled, halve, halved, increment
from thermo.precision import full_precision, in_double
from thermo.reals import alike


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
        dt: sampling interval, µs.
        n_samples: number of samples N; may be traced, and is then below 2^31.
        readout: H, `(d, n)`; None takes all states.

    Returns:
        Variances, `(d, d)`, in the square of the covariance's unit.

    Raises:
        ValueError: if the drift is unstable, an argument is not of finite real numbers
            or of another shape, `dt` is not positive, or `n_samples` not whole.

    Example:
        >>> import jax.numpy as jnp
        >>> one = jnp.ones((1, 1))  # far apart: independent samples, 2 S^2 / N
        >>> sampled_variance(one, 2 * one, dt=50.0, n_samples=100)
        Array([[0.02]], dtype=float32)
    """
    checks.interval("dt", dt)
    checks.positive("n_samples", n_samples)
    check_count("n_samples", n_samples)
    check_system(drift, diffusion, stable=True)
    check_readout(readout, drift)
    count = checks.concrete(n_samples)
    bits = 31 if count is None else -(-int(count).bit_length() // 8) * 8

    def law(drift, diffusion, dt, readout):
        covariance, readout = _observed(drift, diffusion, readout)
        step, _ = increment(drift, jnp.zeros_like(drift), dt)
        odd = _digits(n_samples if count is None else int(count), bits)
        return _sampled(covariance, readout, step, odd)

    if count is None:
        return law(*alike(drift=drift, diffusion=diffusion, dt=dt, readout=readout))
    return in_double(law, drift=drift, diffusion=diffusion, dt=dt, readout=readout)


@full_precision
def recorded_variance(
    drift: jax.Array,
    diffusion: jax.Array,
    *,
    duration: float,
    readout: jax.Array | None = None,
) -> jax.Array:
    r"""Variance of every entry of a second moment averaged over a continuous record.

    $\frac{2}{T^2}\int_0^T (T - t)\,[C_{ii}C_{jj} + C_{ij}C_{ji}](t)\,\mathrm dt$, the
    limit of fast sampling, exact for a record of any length.

    Args:
        drift: F, `(n, n)`.
        diffusion: D, `(n, n)`.
        duration: T, µs.
        readout: H, `(d, n)`; None takes all states.

    Returns:
        Variances, `(d, d)`, in the square of the covariance's unit.

    Raises:
        ValueError: if the drift is unstable, an argument is not of finite real numbers
            or of another shape, or `duration` is not positive.

    Example:
        >>> import jax.numpy as jnp
        >>> one = jnp.ones((1, 1))  # a record of no length is one sample: 2 S^2
        >>> recorded_variance(one, 2 * one, duration=1e-9)
        Array([[2.]], dtype=float32)
    """
    checks.interval("duration", duration)
    check_system(drift, diffusion, stable=True)
    check_readout(readout, drift)
    halvings, most = halve(drift, duration)

    def law(drift, diffusion, duration, readout):
        covariance, readout = _observed(drift, diffusion, readout)
        return _recorded(drift, covariance, readout, duration, halvings, most)

    return in_double(
        law, drift=drift, diffusion=diffusion, duration=duration, readout=readout
    )


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

    Returns:
        The error, without unit.

    Raises:
        ValueError: if one is not of finite real numbers, their shapes differ, a
            variance is negative, or the target is 0.
    """
    target = covariance if target is None else target
    _check_estimate(variance, covariance)
    checks.same_size("target", target, len(covariance), "covariance")
    checks.finite("target", target)

    def law(variance, covariance, target):
        square = jnp.sum(variance) + jnp.sum((covariance - target) ** 2)
        return jnp.sqrt(square) / jnp.linalg.norm(target)

    return in_double(law, variance=variance, covariance=covariance, target=target)


def effective_samples(variance: jax.Array, covariance: jax.Array) -> jax.Array:
    r"""Number of independent samples that would estimate the covariance as well.

    $[(\operatorname{tr} S)^2 + \operatorname{tr} S^2] / \sum \mathrm{Var}$.

    Args:
        variance: of each entry, from `sampled_variance` or `recorded_variance`.
        covariance: S.

    Returns:
        The number, below or above that of the samples.

    Raises:
        ValueError: if one is not of finite real numbers, their shapes differ, a
            variance is negative, or all variances are 0.
    """
    _check_estimate(variance, covariance)

    def law(variance, covariance):
        alone = jnp.trace(covariance) ** 2 + jnp.sum(covariance**2)
        return alone / jnp.sum(variance)

    return in_double(law, variance=variance, covariance=covariance)


def _check_estimate(variance, covariance):
    checks.square("covariance", covariance)
    checks.finite("covariance", covariance)
    checks.same_size("variance", variance, len(covariance), "covariance")
    checks.non_negative("variance", variance)


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


def check_readout(readout: jax.Array | None, drift: jax.Array) -> None:
    """Refuse a read-out that does not fit the states."""
    if readout is None:
        return
    checks.finite("readout", readout)
    shape, n = jnp.shape(readout), jnp.shape(drift)[-1]
    if len(shape) != 2 or shape[1] != n or not shape[0]:
        raise ValueError(
            f"readout has shape {shape}: it must be (d, {n}), from states to voltages."
        )


def _digits(n, bits):
    """Binary digits, most significant first."""
    if isinstance(n, int):
        return np.array([n >> k & 1 for k in reversed(range(bits))], bool)
    return (n >> jnp.arange(bits - 1, -1, -1, dtype=n.dtype)) & 1 == 1


@jax.jit
def _sampled(covariance, readout, step, digits):
    """Binary digits of N build sum_m (N - m) E^m X E^m^T, E = 1 + step."""
    pairs = _pairs(covariance, readout)

    def digit(state, odd):
        power, once, twice, count = state
        twice = twice + count * once + carried(power, twice)
        even = doubled(power), once + carried(power, once), twice, 2 * count
        more = pairs + carried(step, even[1])
        power = even[0] + step + step @ even[0]
        longer = power, more, twice + more, even[3] + 1
        return jax.tree.map(partial(jnp.where, odd), longer, even), None

    zero, none = jnp.zeros_like(pairs), jnp.zeros_like(step)
    start = (none, zero, zero, jnp.zeros((), step.dtype))
    (_, _, twice, count), _ = jax.lax.scan(digit, start, digits)
    return (2 * _isserlis(twice / count, readout) - _isserlis(pairs, readout)) / count


@partial(jax.jit, static_argnames="most")
def _recorded(drift, covariance, readout, duration, halvings, most):
    """Averages of E(t) X E(t)^T over a record, plain and with the weight 2 (T - t) / T.

    The record is a short one, doubled again and again.
    """
    short = halved(jnp.asarray(duration, drift.dtype), halvings)
    pairs, change = _pairs(covariance, readout), -drift * short
    flow, once, twice, power, step = pairs, pairs, pairs, change, change
    for k in range(2, TERMS + 2):
        flow = (change @ flow + flow @ change.mT) / k
        once, twice = once + flow, twice + 2 * flow / (k + 1)
        power = power @ change / k
        step = step + power

    def double(i, state):
        step, once, twice = state
        longer = (twice + 2 * once + carried(step, twice)) / 4
        new = doubled(step), (once + carried(step, once)) / 2, longer
        return jax.tree.map(partial(jnp.where, i < halvings), new, state)

    twice = jax.lax.fori_loop(0, most, double, (step, once, twice))[2]
    return _isserlis(twice, readout)
