"""Laws of the observers: they see what a whole trajectory would show."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from tests.statistics import assert_mean, assert_variance, assert_within
from thermo import RLCBoard, exact
from thermo.observers import (
    Correlations,
    Moments,
    Spectrum,
    effective_samples,
    measure,
)
from thermo.propagate import moments, observe, propagator, trajectory

DT = 0.3
RLC = RLCBoard(
    ground_capacitance=jnp.array([1.0, 0.8]),
    coupling=jnp.array([[0.0, 0.4], [0.4, 0.0]]),
    inductance=jnp.array([0.2, 0.3]),
    resistance=jnp.array([1.0, 1.5]),
    noise=jnp.array([1.0, 0.5]),
)
FORM = RLC.linear()
LAW = (FORM.drift, FORM.diffusion)
SEEN = {"moments": Moments(), "lags": Correlations(70), "spectrum": Spectrum(128, DT)}


def autocorrelation(lags):
    """Exact C(k dt) of the voltages."""
    full = exact.autocorrelation(*LAW, DT * jnp.arange(lags + 1.0))
    return FORM.readout @ full @ FORM.readout.T


@partial(jax.jit, static_argnums=0)
def sampled_variance(n):
    """Exact variances of the second moment of n samples."""
    return exact.sampled_variance(*LAW, dt=DT, n_samples=n, readout=FORM.readout)


@pytest.fixture(scope="module")
def run():
    """A trajectory, and what all observers saw of it."""
    p = propagator(RLC, DT)
    v = np.asarray(trajectory(jr.key(0), p, 1000))
    return v, observe(jr.key(0), p, SEEN, 1000)


def test_observers_in_the_loop_see_what_the_trajectory_shows(run):
    v, seen = run
    lagged = [v[k:].T @ v[: len(v) - k] / (len(v) - k) for k in range(71)]
    np.testing.assert_allclose(seen["moments"].second, lagged[0], rtol=1e-5)
    np.testing.assert_allclose(seen["lags"], lagged, atol=1e-5)
    np.testing.assert_allclose(
        seen["moments"].covariance, np.cov(v.T, ddof=0), rtol=1e-5
    )


def test_spectrum_is_welch(run):
    v, found = run[0], run[1]["spectrum"]
    window = np.hanning(129)[:-1]
    tones = [
        np.fft.rfft(window[:, None] * v[s : s + 128], axis=0) for s in range(0, 873, 64)
    ]
    density = (
        DT
        / (window @ window)
        * np.mean([t[:, :, None] * t[:, None].conj() for t in tones], 0)
    )
    assert found.n_segments == len(tones)
    np.testing.assert_allclose(found.density, density, atol=1e-4)
    np.testing.assert_allclose(
        measure(SEEN["spectrum"], jnp.asarray(v)).density, density, atol=1e-4
    )


def test_correlations_and_spectrum_agree_with_fluctuation_dissipation():
    keys, p, dt = jr.split(jr.key(2), 300), propagator(RLC, 0.1), 0.1
    seen = (Correlations(8), Spectrum(256, dt))
    lags, spectrum = jax.vmap(lambda k: observe(k, p, seen, 1024))(keys)
    exact_lags = exact.autocorrelation(*LAW, dt * jnp.arange(9.0))[:, 2:, 2:]
    assert_mean(lags, exact_lags)
    k = dt * jnp.arange(-255.0, 256.0)  # the periodogram's exact expectation
    window = np.hanning(257)[:-1]
    overlap = np.correlate(window, window, "full") / (window @ window)
    colour = np.asarray(exact.autocorrelation(*LAW, k))[:, 2:, 2:]
    phase = np.exp(-1j * np.outer(spectrum.omega[0], k))
    expected = dt * np.einsum("fk,k,kij->fij", phase, overlap, colour)
    assert_mean(spectrum.density.real, expected.real)
    assert_mean(spectrum.density.imag, expected.imag)


def test_spectrum_integrates_to_the_variance():
    seen = {name: SEEN[name] for name in ("moments", "spectrum")}
    found = observe(jr.key(3), propagator(RLC, DT), seen, 64_000)
    density, omega = found["spectrum"].density.real, found["spectrum"].omega
    twice = 2 * density.at[0].divide(2).at[-1].divide(2)
    power = twice.sum(0) * (omega[1] - omega[0]) / (2 * jnp.pi)
    np.testing.assert_allclose(power, found["moments"].second, atol=5e-3)


def test_effective_sample_size_from_data_agrees_with_theory():
    n, keys = 20_000, jr.split(jr.key(4), 40)
    p = propagator(RLC, DT)
    variance = sampled_variance(n)
    law = autocorrelation(200)
    theory = exact.effective_samples(variance, law[0])
    lags = jax.vmap(lambda k: observe(k, p, Correlations(25), n))(keys)
    worth = jax.jit(jax.vmap(lambda c: effective_samples(c, n)))(lags)
    assert_mean(worth, theory)
    np.testing.assert_allclose(effective_samples(law, n), theory, rtol=1e-3)
    assert 0.1 * n < theory < 0.9 * n


def test_error_law_of_a_covariance_estimate():
    n, keys = 100, jr.split(jr.key(5), 4000)
    found = jax.vmap(lambda k: moments(k, propagator(RLC, DT), n).second)(keys)
    variance, law = sampled_variance(n), autocorrelation(200)[:n]
    assert_mean(found, law[0])
    assert_variance(found, variance)
    worth = exact.effective_samples(variance, law[0])
    assert_within(worth, effective_samples(law, n), 1e-3 * worth)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Correlations(-1), "lags must be"),
        (lambda: Spectrum(5, 0.1), "even number"),
        (lambda: Spectrum(128, 0.0), "dt must be positive"),
        (
            lambda: observe(jr.key(0), propagator(RLC, DT), Spectrum(96, DT), 99),
            "= 128",
        ),
    ],
)
def test_bad_input_is_refused_with_its_bound(call, words):
    with pytest.raises(ValueError, match=words):
        call()
