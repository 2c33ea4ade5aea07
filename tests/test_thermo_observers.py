"""Laws of the observers: they see what a whole trajectory would show."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from tests.statistics import assert_mean, assert_variance, assert_within
from thermo import RLCBoard, exact
from thermo.compensated import Pair
from thermo.counts import Count
from thermo.observers import (
    Autocovariance,
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


OFFSETS = np.array([5.0, -1000.0])


def offset_run(n=3000):
    """Fluctuations of a thousandth about large means."""
    v = OFFSETS + 1e-2 * np.random.default_rng(0).normal(size=(n, 2)) @ [[1, 1], [0, 2]]
    return jnp.asarray(v, jnp.float32)


def test_a_covariance_keeps_its_digits_far_from_zero():
    v = offset_run()
    found, wide = measure(Moments(), v), np.asarray(v, float)
    law = np.cov(wide.T, ddof=0)
    np.testing.assert_allclose(found.covariance, law, rtol=1e-5)
    np.testing.assert_allclose(found.mean, wide.mean(0), rtol=1e-7)
    np.testing.assert_allclose(found.second, wide.T @ wide / len(v), rtol=1e-6)


def test_an_autocovariance_keeps_its_digits_far_from_zero():
    v = offset_run()
    found, raw = (measure(o(70), v) for o in (Autocovariance, Correlations))
    wide = np.asarray(v, float)
    rounding = np.finfo(np.float32).eps * len(v) ** 0.5  # of a sum, relative to its SD
    scale = wide.var(0).max()
    for k in (0, 1, 70):
        later, earlier = wide[k:], wide[: len(v) - k]
        law = (later - later.mean(0)).T @ (earlier - earlier.mean(0)) / len(later)
        np.testing.assert_allclose(found[k], law, rtol=0, atol=rounding * scale)
        np.testing.assert_allclose(raw[k], later.T @ earlier / len(later), rtol=1e-6)


def test_a_wild_sample_leaves_the_others_in_place():
    v = np.concatenate([[[1e4]], np.random.default_rng(1).normal(size=(999, 1))])
    v = np.asarray(v, np.float32)
    found, wide = measure(Correlations(3), jnp.asarray(v)), v.astype(float)
    for k in range(4):
        law = (wide[k:] * wide[: len(v) - k]).mean()
        np.testing.assert_allclose(found[k, 0, 0], law, rtol=1e-5, atol=1e-4)


def test_a_spectrum_has_its_mean_in_the_two_lowest_frequencies_alone():
    v = offset_run(1024)
    spectrum = Spectrum(64, DT)
    far = measure(spectrum, v).density
    near = measure(spectrum, v - jnp.asarray(OFFSETS, jnp.float32)[None]).density
    np.testing.assert_allclose(far[2:], near[2:], atol=1e-4 * abs(near).max())
    power = OFFSETS[:, None] * OFFSETS * DT * 64**2 / 4 / (64 * 3 / 8)
    np.testing.assert_allclose(far[0].real, power, rtol=1e-3)
    np.testing.assert_allclose(far[1].real, power / 4, rtol=1e-3)


def counted(state, count):
    """The state of an observer as it is after so many times as many samples."""
    high, low = divmod(count, 2**32)
    return state._replace(
        seen=Count(jnp.uint32(high), jnp.uint32(low)),
        products=Pair(
            jnp.full((1, 1), count, jnp.float32),
            jnp.full((1, 1), count - float(np.float32(count)), jnp.float32),
        ),
    )


@pytest.mark.parametrize("count", [2**24, 2**31 - 1, 2**32 - 2, 10**10])
def test_a_long_run_goes_on_counting_and_summing(count):
    moments, v = Moments(), jnp.array([[1.0], [3.0]])
    state = counted(moments.update(moments.init(1, 1, v.dtype), v), count)
    add = jax.jit(
        lambda s: jax.lax.fori_loop(0, 100, lambda _, s: moments.update(s, v + 4), s)
    )
    found = moments.finish(add(state))
    assert int(found.n_samples) == count + 200
    share = 200 / (count + 200)
    np.testing.assert_allclose(found.mean[0] - 2, 4 * share, atol=2.5e-7)
    state = add(state)
    grown = sum(np.asarray(x, float) for x in state.products) - count
    law = 200 + 16 * share * count
    np.testing.assert_allclose(grown, law, rtol=1e-5)


@pytest.mark.parametrize("observer", [Moments(), Correlations(3), Spectrum(8, DT)])
def test_two_runs_merge_into_one(observer):
    v = offset_run(96)
    states = [
        observer.update(observer.init(2, 1, v.dtype), x) for x in (v[:40], v[40:])
    ]
    found = observer.finish(observer.merge(*states))
    a, b = (observer.finish(s) for s in states)
    if isinstance(observer, Moments):
        np.testing.assert_allclose(
            found.covariance, np.cov(np.asarray(v, float).T, ddof=0), rtol=1e-5
        )
        assert found.n_samples == 96
    elif isinstance(observer, Spectrum):
        n = float(a.n_segments), float(b.n_segments)
        law = (n[0] * a.density + n[1] * b.density) / (n[0] + n[1])
        np.testing.assert_allclose(found.density, law, rtol=1e-5)
    else:
        pairs = np.stack([40 - np.arange(4), 56 - np.arange(4)])[:, :, None, None]
        a, b = np.asarray(a, float), np.asarray(b, float)
        np.testing.assert_allclose(
            found, (pairs[0] * a + pairs[1] * b) / pairs.sum(0), rtol=1e-6
        )


@pytest.mark.parametrize("kind", [Correlations, Autocovariance])
def test_samples_may_arrive_in_pieces_shorter_than_the_lags(kind):
    observer, v = kind(7), jr.normal(jr.key(0), (20, 2))
    state = observer.init(2, 1, v.dtype)
    for at in range(0, 20, 2):
        state = observer.update(state, v[at : at + 2])
    whole = measure(observer, v)
    np.testing.assert_allclose(observer.finish(state), whole, rtol=1e-5, atol=1e-6)


def test_moments_of_many_chips_are_shared_out_over_a_mesh():
    mesh = jax.sharding.Mesh(np.array(jax.devices()[:1]), ("chip",))
    spec, p = jax.sharding.PartitionSpec("chip"), propagator(RLC, DT)
    many = jax.vmap(lambda k: moments(k, p, 99, burn_in=70).second)
    shared = jax.jit(jax.shard_map(many, mesh=mesh, in_specs=spec, out_specs=spec))
    keys = jr.split(jr.key(0), 4)
    np.testing.assert_allclose(shared(keys), many(keys), rtol=1e-6)


@pytest.mark.slow
def test_two_thousand_million_samples_lose_nothing():
    part, chunk = 2200, 1_000_000  # past 2^31 samples
    v = 5 + jnp.where(jnp.arange(chunk) % 2 == 0, 1e-3, -1e-3)[:, None]
    moments = Moments()
    start = moments.init(1, 1, v.dtype)
    whole = jax.jit(
        lambda s: jax.lax.fori_loop(0, part, lambda i, s: moments.update(s, v), s)
    )
    found = moments.finish(whole(start))
    assert int(found.n_samples) == part * chunk
    np.testing.assert_allclose(found.mean, 5, rtol=1e-7)
    np.testing.assert_allclose(found.covariance, np.asarray(v, float).var(), rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Correlations(-1), "lags must be"),
        (lambda: Correlations(1.5), "lags = 1.5"),
        (lambda: Autocovariance(float("nan")), "lags = nan"),
        (lambda: measure(Correlations(9), jnp.ones((9, 1))), "at least 10, got 9"),
        (lambda: measure(Moments(), jnp.ones(9)), "v has shape"),
        (lambda: effective_samples(jnp.ones((3, 1, 1)), 0), "n_samples = 0"),
        (lambda: Spectrum(128, float("inf")), "dt must be positive"),
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
