"""Autocorrelation and spectrum: the colour of a linear circuit's fluctuations."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from thermo import checks
from thermo.counts import check_count
from thermo.exact.lyapunov import check_system, lyapunov, stationary_covariance
from thermo.exact.transition import propagator
from thermo.precision import full_precision, in_double
from thermo.reals import real_array

MOST_POINTS = 4096


@full_precision
def autocorrelation(
    drift: jax.Array, diffusion: jax.Array, lags: jax.Array
) -> jax.Array:
    r"""$C(t) = \langle x(t)\, x(0)^\mathsf T\rangle = e^{-F t} S$ at equilibrium.

    Args:
        drift: F, `(n, n)`.
        diffusion: D, `(n, n)`.
        lags: t, µs, `(k,)`; a negative lag gives $C(-t) = C(t)^\mathsf T$.

    Returns:
        C, `(k, n, n)`.

    Raises:
        ValueError: if the drift is unstable, or an argument is not of finite real
            numbers or of another shape.

    Example:
        >>> import jax.numpy as jnp
        >>> one = jnp.ones((1, 1))
        >>> autocorrelation(one, 2 * one, jnp.array([0.0, 1.0])).ravel()
        Array([1.        , 0.36787945], dtype=float32)
    """
    check_system(drift, diffusion, stable=True)
    checks.finite("lags", lags)
    checks.many("lags", lags)
    return in_double(_correlated, drift=drift, diffusion=diffusion, lags=lags)


def _correlated(drift, diffusion, lags):
    covariance = stationary_covariance(drift, diffusion)
    later = propagator(drift, jnp.abs(lags)) @ covariance
    return jnp.where(lags[:, None, None] < 0, later.mT, later)


@full_precision
def spectrum(drift: jax.Array, diffusion: jax.Array, omega: jax.Array) -> jax.Array:
    r"""Cross-spectral density $S(\omega) = (j\omega + F)^{-1} D\,(j\omega + F)^{-H}$.

    Two-sided, in angular frequency: $\int S\,\mathrm d\omega / 2\pi$ is the covariance.

    Args:
        drift: F, `(n, n)`.
        diffusion: D, `(n, n)`.
        omega: angular frequency, rad/µs, scalar or `(k,)`.

    Returns:
        S, complex Hermitian, `(n, n)` or `(k, n, n)`; its unit is that of D, µs^2.

    Raises:
        ValueError: if the drift is unstable, or an argument is not of finite real
            numbers or of another shape.
    """
    check_system(drift, diffusion, stable=True)
    checks.finite("omega", omega)
    checks.scalar_or_list("omega", omega)
    return in_double(_spectrum, drift=drift, diffusion=diffusion, omega=omega)


def _spectrum(drift, diffusion, omega):
    real = jnp.broadcast_to(drift, omega.shape + drift.shape)
    eye = jnp.broadcast_to(jnp.eye(len(drift), dtype=drift.dtype), real.shape)
    response = jnp.linalg.inv(jax.lax.complex(real, omega[..., None, None] * eye))
    colour = jnp.broadcast_to(diffusion, real.shape).astype(response.dtype)
    return response @ colour @ response.mT.conj()


def thermal_spectrum(impedance: jax.Array, temperature: jax.Array | float) -> jax.Array:
    r"""Fluctuation-dissipation theorem, $S_{vv}(\omega) = T^* (Z + Z^H)$.

    Twice $T^*$ times the dissipative part of the node impedance; for a reciprocal
    network $2 T^* \operatorname{Re} Z$. Compare with `spectrum` of the same board: they
    agree only where noise and friction match.

    Args:
        impedance: Z, kΩ, `(d, d)` or `(k, d, d)`, from `board.impedance(omega)`.
        temperature: T* = kappa_i R_i, nJ.

    Returns:
        Density, V² µs, two-sided, complex Hermitian, of the shape of Z.

    Raises:
        ValueError: if `impedance` is no square matrix of finite numbers, or
            `temperature` is not one finite number that is not negative.
    """
    impedance = _impedance(impedance)
    checks.one_number("temperature", temperature)
    checks.non_negative("temperature", temperature)
    temperature = jnp.asarray(temperature).astype(impedance.dtype)
    return temperature * (impedance + impedance.mT.conj())


@full_precision
def band_covariance(
    drift: jax.Array,
    diffusion: jax.Array,
    low: float,
    high: float,
    points: int = 256,
) -> jax.Array:
    r"""Covariance seen through an ideal band-pass, $\frac1\pi\int \operatorname{Re} S$.

    Gauss-Legendre in $\operatorname{arsinh}(\omega/\omega_0)$; 256 points resolve
    resonances of quality up to about 30.

    Args:
        drift: F, `(n, n)`.
        diffusion: D, `(n, n)`.
        low: lower band edge, rad/µs, not negative.
        high: upper band edge, rad/µs.
        points: of the quadrature, at most 4096.

    Returns:
        Covariance, `(n, n)`.

    Raises:
        ValueError: if the drift is unstable, an argument is not of finite real numbers
            or of another shape, or the band is empty, infinite or negative.
    """
    check_system(drift, diffusion, stable=True)
    for name, edge in (("low", low), ("high", high)):
        checks.one_number(name, edge)
        checks.non_negative(name, edge)
    checks.ordered("low", low, "high", high)
    check_count("points", points)
    if points > MOST_POINTS:
        raise ValueError(f"points = {points}: must be at most {MOST_POINTS}.")
    law = partial(_band, points)
    return in_double(law, drift=drift, diffusion=diffusion, low=low, high=high)


def _band(points, drift, diffusion, low, high):
    nodes, weights = np.polynomial.legendre.leggauss(points)
    slowest = 1 / jnp.linalg.norm(jnp.linalg.inv(drift))
    u_low, u_high = jnp.arcsinh(low / slowest), jnp.arcsinh(high / slowest)
    half = (u_high - u_low) / 2
    u = half * jnp.asarray(nodes, drift.dtype) + (u_high + u_low) / 2
    weight = half * jnp.asarray(weights, drift.dtype) * slowest * jnp.cosh(u) / jnp.pi
    density = spectrum(drift, diffusion, slowest * jnp.sinh(u)).real
    return jnp.einsum("k,kij->ij", weight, density)


@full_precision
def irreversibility(
    drift: jax.Array, diffusion: jax.Array, parity: jax.Array
) -> jax.Array:
    r"""How far the circuit is from detailed balance, 0 at thermal equilibrium.

    With parities $\epsilon$ (currents odd, -1; voltages even, +1) detailed balance is
    $\epsilon F S \epsilon = (F S)^\mathsf T$; returned is the difference of the two,
    relative to $F S$, in Frobenius norm. It vanishes for an RLC board if and only if
    $\kappa_i R_i$ is the same in every cell.

    Args:
        drift: F, `(n, n)`.
        diffusion: D, `(n, n)`.
        parity: +1 or -1 for each state, `(n,)`.

    Returns:
        The difference, without unit.

    Raises:
        ValueError: if the drift is unstable, an argument is not of finite real numbers
            or of another shape, a parity is not +1 or -1, or there is no noise.
    """
    check_system(drift, diffusion, stable=True)
    checks.shaped("parity", parity, (len(drift),))
    signs = checks.values("parity", parity)
    if signs is not None and not np.all(np.abs(signs) == 1):
        raise ValueError(f"parity = {signs}: every entry must be +1 or -1.")
    return in_double(_asymmetry, drift=drift, diffusion=diffusion, parity=parity)


def _asymmetry(drift, diffusion, parity):
    flow = drift @ lyapunov(drift, diffusion)
    mirrored = parity[:, None] * flow * parity[None, :]
    return jnp.linalg.norm(mirrored - flow.mT) / jnp.linalg.norm(flow)


def _impedance(impedance: Any) -> jax.Array:
    """The one complex argument of all, as an array that can be computed with."""
    given: Any = impedance
    if not isinstance(impedance, jax.Array):
        given = np.asarray(impedance)
    if not jnp.issubdtype(given.dtype, np.complexfloating):
        given = jnp.asarray(real_array("impedance", impedance))
        given = jax.lax.complex(given, jnp.zeros_like(given))
    shape = given.shape
    if len(shape) < 2 or shape[-1] != shape[-2] or 0 in shape:
        raise ValueError(f"impedance has shape {shape}: it must be (..., d, d).")
    for part in (given.real, given.imag):
        checks.finite("impedance", part)
    return jnp.asarray(given)
