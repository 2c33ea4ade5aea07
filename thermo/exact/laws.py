"""Estimators drawn from their own laws, without simulating the circuit."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Key

from prng import unrolled
from thermo import checks
from thermo.counts import check_count
from thermo.exact.lyapunov import check_system, stationary_covariance
from thermo.exact.transition import transition
from thermo.precision import full_precision, in_double
from thermo.reals import alike


class Gaussian(NamedTuple):
    """A normal law.

    Attributes:
        mean: `(n,)`.
        covariance: `(n, n)`, may be singular.
    """

    mean: jax.Array
    covariance: jax.Array


@full_precision
def time_average_law(
    drift: jax.Array,
    diffusion: jax.Array,
    duration: float,
    bias: jax.Array | float = 0.0,
) -> Gaussian:
    r"""Law of $\bar x = \frac1T \int_0^T x\,\mathrm dt$ for a board at equilibrium.

    The integral of x is itself a linear state, so this is the transition law of an
    enlarged circuit: exact for any T. Mean $F^{-1} b$; covariance
    $F^{-1} D F^{-\mathsf T} / T$ for long T.

    Args:
        drift: F, `(n, n)`.
        diffusion: D, `(n, n)`.
        duration: T, µs.
        bias: b of dx = (b - F x) dt, `(n,)` or one for all.

    Returns:
        The law of the average, in the unit of x.

    Raises:
        ValueError: if the drift is unstable, an argument is not of finite real numbers
            or of another shape, or `duration` is not positive.

    Example:
        >>> import jax.numpy as jnp
        >>> one = jnp.ones((1, 1))
        >>> law = time_average_law(one, 2 * one, 1e4, bias=jnp.array([3.0]))
        >>> float(law.mean[0]), round(float(law.covariance[0, 0]), 6)
        (3.0, 0.0002)
    """
    checks.interval("duration", duration)
    check_system(drift, diffusion, stable=True)
    checks.finite("bias", bias)
    checks.shaped("bias", bias, (), (len(drift),))
    return in_double(
        _time_average, drift=drift, diffusion=diffusion, duration=duration, bias=bias
    )


def _time_average(drift, diffusion, duration, bias):
    covariance = stationary_covariance(drift, diffusion)
    zero, eye = jnp.zeros_like(covariance), jnp.eye(len(drift), dtype=covariance.dtype)
    enlarged = jnp.block([[drift, zero], [-eye, zero]])
    gained = jnp.block([[diffusion, zero], [zero, zero]])
    law, n = transition(enlarged, gained, duration), len(drift)
    start = law.propagator[n:, :n]
    total = start @ covariance @ start.mT + law.covariance[n:, n:]
    mean = jnp.linalg.solve(drift, jnp.broadcast_to(bias, (n,)).astype(total.dtype))
    return Gaussian(mean, total / duration**2)


@full_precision
def sample_gaussian(
    key: Key[Array, ""], law: Gaussian, shape: tuple[int, ...] = ()
) -> jax.Array:
    """Draws of a normal law, singular or not, `(*shape, n)`.

    Raises:
        ValueError: if the law's covariance is none, its mean is not `(n,)`, or one is
            not of finite real numbers.
    """
    if not isinstance(law, Gaussian):
        raise ValueError(f"law = {law!r}: must be a Gaussian(mean, covariance).")
    check_shape(shape)
    checks.positive_semidefinite("law.covariance", law.covariance)
    checks.finite("law.mean", law.mean)
    checks.shaped("law.mean", law.mean, (len(law.covariance),))
    mean, covariance = alike(mean=law.mean, covariance=law.covariance)
    normals = jr.normal(unrolled(key), (*shape, len(mean)), mean.dtype)
    draws = jnp.einsum("...a,ia->...i", normals, root(covariance))
    return draws + jnp.broadcast_to(mean, normals.shape)


@full_precision
def sample_second_moment(
    key: Key[Array, ""],
    covariance: jax.Array,
    n_samples: int,
    shape: tuple[int, ...] = (),
) -> jax.Array:
    r"""Second moment of `n_samples` independent samples, drawn from its Wishart law.

    Bartlett: $\hat S = R A A^\mathsf T R^\mathsf T / N$ with a triangular A of normals
    and chi variables; d^2 numbers in place of N d.

    Args:
        key: typed key.
        covariance: S, `(d, d)`.
        n_samples: N, at least d.
        shape: of a batch of independent estimates.

    Returns:
        Estimates, `(*shape, d, d)`, with mean S.

    Raises:
        ValueError: if `covariance` is none, or `n_samples` is less than d.
    """
    checks.positive_semidefinite("covariance", covariance)
    check_count("n_samples", n_samples)
    check_shape(shape)
    (covariance,) = alike(covariance=covariance)
    d = len(covariance)
    if n_samples < d:
        raise ValueError(
            f"n_samples = {n_samples}: a covariance of full rank needs at least {d} "
            "samples (Bartlett's law does not exist below); draw the samples instead."
        )
    key_chi, key_normal = jr.split(unrolled(key))
    dtype = covariance.dtype
    degrees = n_samples - jnp.arange(d, dtype=dtype)
    chi = jnp.sqrt(2 * jr.gamma(key_chi, degrees / 2, (*shape, d), dtype))
    normals = jnp.tril(jr.normal(key_normal, (*shape, d, d), dtype), -1)
    eye = jnp.broadcast_to(jnp.eye(d, dtype=dtype), normals.shape)
    factor = jnp.einsum(
        "ij,...jk->...ik", root(covariance), normals + eye * chi[..., None]
    )
    return factor @ factor.mT / n_samples


@full_precision
def root(covariance: jax.Array) -> jax.Array:
    r"""A matrix R with $R R^\mathsf T = S$ for any covariance S, singular or not.

    Rows and columns are first scaled to a diagonal of 1, so that a variance that is
    small in its unit keeps its digits.

    Raises:
        ValueError: if S is no symmetric matrix of finite real numbers.
    """
    checks.positive_semidefinite("covariance", covariance)
    return in_double(_root, covariance=covariance)


def check_shape(shape: tuple[int, ...]) -> None:
    """Refuse what is no shape of a batch."""
    if not isinstance(shape, tuple):
        raise ValueError(f"shape = {shape!r}: must be a tuple of whole numbers.")
    for size in shape:
        check_count("shape", size, 0)


def _root(covariance):
    variance = jnp.diagonal(covariance)
    alive = variance > 0
    own = jnp.where(alive, jnp.sqrt(jnp.where(alive, variance, 1)), 1)
    values, vectors = jnp.linalg.eigh(covariance / own[:, None] / own[None, :])
    return own[:, None] * vectors * jnp.sqrt(jnp.maximum(values, 0))[None, :]
