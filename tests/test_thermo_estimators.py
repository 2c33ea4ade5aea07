"""The error law of a covariance estimate, against enumeration and against draws."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import scipy.integrate as si
import scipy.linalg as sl

from tests.boards import random_board, random_stable
from tests.statistics import assert_mean, assert_second_moment, assert_variance
from thermo import exact


def enumerated(drift, diffusion, readout, dt, n):
    """Isserlis' double sum over all pairs of samples, term by term."""
    s = sl.solve_continuous_lyapunov(np.asarray(drift), np.asarray(diffusion))
    step, h, total = sl.expm(-np.asarray(drift) * dt), np.asarray(readout), 0
    for m in range(-n + 1, n):
        c = h @ np.linalg.matrix_power(step, abs(m)) @ s @ h.T
        c = c if m >= 0 else c.T
        total = total + (n - abs(m)) * (np.outer(np.diag(c), np.diag(c)) + c * c.T)
    return total / n**2


@partial(jax.jit, static_argnames="n")
def sampled_variance(drift, diffusion, readout, dt, n):
    args = {"dt": dt, "n_samples": n, "readout": readout}
    return exact.sampled_variance(drift, diffusion, **args)


@jax.jit
def wishart(key, covariance):
    return exact.sample_second_moment(key, covariance, 5, (40_000,))


@pytest.mark.parametrize("n", [1, 2, 7, 64, 100])
def test_sampled_variance_is_isserlis_sum_over_all_pairs_of_samples(x64, n):
    drift, diffusion = random_stable()
    h = jnp.asarray(np.random.default_rng(1).normal(size=(2, 4)))
    found = exact.sampled_variance(drift, diffusion, dt=0.2, n_samples=n, readout=h)
    np.testing.assert_allclose(
        found, enumerated(drift, diffusion, h, 0.2, n), rtol=1e-10
    )


@pytest.mark.parametrize("n", [7, 100])
def test_the_error_law_of_float32_is_rounded_once(n):
    drift, diffusion = (x.astype(jnp.float32) for x in random_stable())
    dt = 0.25  # of so many digits in either precision
    found = exact.sampled_variance(drift, diffusion, dt=dt, n_samples=n)
    wide = [np.asarray(x, float) for x in (drift, diffusion)]
    right = enumerated(*wide, np.eye(4), dt, n)
    np.testing.assert_allclose(found, right, rtol=np.finfo(np.float32).eps)


def test_the_number_of_samples_may_be_traced(x64):
    drift, diffusion = random_stable()

    def variance(n):
        return exact.sampled_variance(drift, diffusion, dt=0.2, n_samples=n)

    many = jax.jit(jax.vmap(variance))(jnp.array([3, 50]))
    np.testing.assert_allclose(many[0], variance(3), rtol=1e-11)
    np.testing.assert_allclose(many[1], variance(50), rtol=1e-11)


def record_law(drift, diffusion, h, duration, n=4001):
    """The double integral over the record, as a double sum over a fine grid."""
    s = sl.solve_continuous_lyapunov(np.asarray(drift), np.asarray(diffusion))
    t = np.linspace(0, duration, n)
    step = sl.expm(-np.asarray(drift) * t[1])
    flow, c = np.eye(len(step)), []
    for _ in t:
        c.append(h @ flow @ s @ h.T)
        flow = step @ flow
    c = np.stack(c)
    d = np.einsum("kii->ki", c)
    pairs = d[:, :, None] * d[:, None, :] + c * c.transpose(0, 2, 1)
    return (
        2 / duration**2 * si.simpson((duration - t)[:, None, None] * pairs, x=t, axis=0)
    )


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("duration", [1e-3, 0.3, 2.0, 8.0, 40.0])
def test_a_record_near_the_mixing_time_scatters_as_its_double_integral(duration, wide):
    with jax.enable_x64(True):
        form = random_board(seed=4).linear()
        system = [np.asarray(x, float) for x in (form.drift, form.diffusion)]
        h = np.asarray(form.readout, float)
        system[0] = np.asarray(system[0], np.float32).astype(float)
        system[1] = np.asarray(system[1], np.float32).astype(float)
    dtype = float if wide else np.float32
    with jax.enable_x64(wide):
        args = [jnp.asarray(x, dtype) for x in (*system, h)]
        found = exact.recorded_variance(*args[:2], duration=duration, readout=args[2])
    np.testing.assert_allclose(found, record_law(*system, h, duration), rtol=1e-5)


@pytest.mark.parametrize("dt", [1e-12, 1e-9, 1e-6, 1e-3])
@pytest.mark.parametrize("n", [1, 1000, 10**6, 10**12])
def test_short_intervals_keep_the_error_law_in_single_precision(dt, n):
    one, t = jnp.ones((1, 1)), n * dt
    sampled = exact.sampled_variance(one, 2 * one, dt=dt, n_samples=n)
    r, q = np.exp(-2 * dt), -np.expm1(-2 * dt)
    law = 2 / n * ((1 + r) / q + 2 * r * np.expm1(-2 * t) / (n * q**2))
    if t < 1e-4:  # the closed form cancels: the series does not
        law = 2 * (1 - 2 * t / 3)
    np.testing.assert_allclose(sampled[0, 0], law, rtol=1e-4)
    record = exact.recorded_variance(one, 2 * one, duration=t)
    law = (
        2 * (2 * t + np.expm1(-2 * t)) / (2 * t**2) if t > 1e-4 else 2 * (1 - 2 * t / 3)
    )
    np.testing.assert_allclose(record[0, 0], law, rtol=1e-4)


def test_fast_sampling_tends_to_the_continuous_record(x64):
    form, t = random_board().linear(), 200.0
    system, n = (form.drift, form.diffusion, form.readout), 2**18
    recorded = jax.jit(
        lambda f, d, h: exact.recorded_variance(f, d, duration=t, readout=h)
    )
    sampled, record = sampled_variance(*system, t / n, n), recorded(*system)
    np.testing.assert_allclose(sampled, record, rtol=1e-4)


def test_the_record_law_is_the_sum_over_modes_of_the_published_formula(x64):
    board = random_board(
        d=3, temperature=1.0, inductance=np.ones(3), resistance=np.full(3, 2.0)
    )
    form, t = board.linear(), 1e5
    args = {"duration": t, "readout": form.readout}
    variance = exact.recorded_variance(form.drift, form.diffusion, **args)
    vectors = np.linalg.eigh(np.asarray(board.capacitance()))
    # A mode of capacitance c: lam = T*/c, J_aa = R c / 2; J_ab by quadrature.
    ts = np.linspace(0, 200, 400_001)
    gamma, w = 1 / (2 * vectors[0]), 1 / vectors[0]
    wd = np.sqrt(w - gamma**2 / 4)[:, None]
    g = gamma[:, None] / 2
    rho = np.exp(-g * ts) * (np.cos(wd * ts) - g / wd * np.sin(wd * ts))
    j = np.trapezoid(rho[:, None] * rho[None], ts, axis=-1)
    lam = np.outer(1 / vectors[0], 1 / vectors[0])
    expected = 2 / t * np.sum(lam * (1 + np.eye(3)) * j)
    np.testing.assert_allclose(variance.sum(), expected, rtol=1e-3)


def test_independent_samples_have_the_wishart_error(x64):
    s = np.diag([1.0, 1.0, 1.0, 1.0])
    variance = exact.sampled_variance(
        jnp.eye(4), 2 * jnp.eye(4), dt=100.0, n_samples=50
    )
    error = exact.covariance_error(variance, jnp.asarray(s))
    np.testing.assert_allclose(error, np.sqrt((4 + 1) / 50), rtol=1e-12)
    np.testing.assert_allclose(exact.effective_samples(variance, s), 50, rtol=1e-12)


def test_a_systematic_error_is_the_floor_under_the_statistics():
    s, zero = jnp.eye(2), jnp.zeros((2, 2))
    error = exact.covariance_error(zero, 1.1 * s, s)
    np.testing.assert_allclose(error, 0.1, rtol=1e-5)
    both = exact.covariance_error(jnp.full((2, 2), 0.02), 1.1 * s, s)
    np.testing.assert_allclose(both**2, 0.1**2 + 0.08 / 2, rtol=1e-5)


def test_simulated_estimates_scatter_as_the_law_says():
    form, n, dt = random_board(seed=2, d=2).linear(), 60, 0.4
    system = (form.drift, form.diffusion)
    law, s = exact.transition(*system, dt), exact.stationary_covariance(*system)
    factor, start = exact.root(law.covariance), exact.root(s)

    def estimate(key):
        def step(z, normals):
            return law.propagator @ z + factor @ normals, z

        normals = jr.normal(key, (n + 1, 4))
        _, z = jax.lax.scan(step, start @ normals[0], normals[1:])
        v = z @ form.readout.T
        return v.T @ v / n

    found = jax.jit(jax.vmap(estimate))(jr.split(jr.key(0), 20_000))
    assert_mean(found, s[2:, 2:])
    assert_variance(found, sampled_variance(*system, form.readout, dt, n))


@pytest.mark.parametrize(
    ("rc", "quality", "published"), [(1, 3, 0.105), (1, 0.3, 0.116), (3, 3, 0.182)]
)
def test_published_statistical_errors_of_12000_samples_at_12_mhz(
    rc, quality, published
):
    coils = np.full(8, (rc / quality) ** 2)
    fields = {"resistance": np.full(8, rc), "inductance": coils}
    form = random_board(d=8, temperature=1.0, **fields).linear()
    system, h = (form.drift, form.diffusion), form.readout
    s = exact.stationary_covariance(*system)[8:, 8:]
    v = sampled_variance(*system, h, 1 / 12, 12_000)
    np.testing.assert_allclose(exact.covariance_error(v, s), published, rtol=0.03)


def test_the_wishart_draw_has_the_mean_and_variance_of_a_second_moment():
    s = jnp.array([[2.0, 0.5], [0.5, 1.0]])
    draws = wishart(jr.key(1), s)
    assert_mean(draws, s)
    d = np.diag(s)
    assert_variance(draws, (np.outer(d, d) + np.asarray(s) ** 2) / 5)


def test_the_wishart_draw_of_a_singular_covariance_stays_in_its_range():
    singular = jnp.array([[0.36, 0.48], [0.48, 0.64]])
    draws = wishart(jr.key(1), singular)
    null = np.array([0.8, -0.6])
    np.testing.assert_allclose(null @ np.asarray(draws) @ null, 0, atol=1e-5)


def test_the_time_average_has_the_zero_frequency_spectrum(x64):
    drift, diffusion = random_stable()
    law = exact.time_average_law(drift, diffusion, 1e6)
    density = exact.spectrum(drift, diffusion, 0.0).real
    np.testing.assert_allclose(law.covariance * 1e6, density, rtol=1e-4)


@pytest.mark.parametrize("duration", [1e-3, 1.0, 30.0])
def test_the_time_average_is_the_double_integral_of_the_autocorrelation(x64, duration):
    drift, diffusion = random_stable()
    lags = jnp.linspace(0, duration, 2001)
    c = np.asarray(exact.autocorrelation(drift, diffusion, lags))
    weight = np.asarray(duration - lags)[:, None, None]
    half = si.simpson(weight * c, x=np.asarray(lags), axis=0) / duration**2
    law = exact.time_average_law(drift, diffusion, duration)
    np.testing.assert_allclose(law.covariance, half + half.T, rtol=1e-6, atol=1e-9)


def test_the_time_average_of_a_driven_board_solves_its_linear_system(x64):
    drift, diffusion = random_stable()
    law = exact.time_average_law(drift, diffusion, 5.0, bias=jnp.arange(4.0))
    np.testing.assert_allclose(drift @ law.mean, np.arange(4.0), atol=1e-12)


def test_a_gaussian_draw_has_its_mean_and_its_possibly_singular_covariance():
    s = jnp.array([[1.0, 2.0], [2.0, 4.0]])
    law = exact.Gaussian(jnp.array([1.0, -1.0]), s)
    draws = exact.sample_gaussian(jr.key(3), law, (20_000,))
    assert_mean(draws, law.mean)
    assert_second_moment(draws - law.mean[None], s)


@pytest.mark.parametrize("entry", [np.nan, np.inf])
def test_a_draw_around_no_number_is_refused(entry):
    law = exact.Gaussian(jnp.array([0.0, entry]), jnp.eye(2))
    with pytest.raises(ValueError, match=rf"law\.mean\[1\] = {entry}"):
        exact.sample_gaussian(jr.key(0), law)


def test_too_few_samples_for_full_rank_are_refused():
    with pytest.raises(ValueError, match=r"n_samples = 3: .* at least 4"):
        exact.sample_second_moment(jr.key(0), jnp.eye(4), 3)


@pytest.mark.parametrize(
    "bad", [{"dt": 0.0, "n_samples": 9}, {"dt": 1.0, "n_samples": 0}]
)
def test_no_samples_or_no_interval_are_refused(bad):
    name = next(k for k, v in bad.items() if v == 0)
    with pytest.raises(ValueError, match=f"{name} = 0: must be greater than 0"):
        exact.sampled_variance(jnp.eye(2), jnp.eye(2), **bad)


@pytest.mark.parametrize("shape", [(2,), (2, 3)])
def test_a_readout_of_other_states_is_refused(shape):
    with pytest.raises(ValueError, match="readout has shape"):
        exact.recorded_variance(
            jnp.eye(2), jnp.eye(2), duration=1.0, readout=jnp.ones(shape)
        )


def test_a_fraction_of_a_sample_is_refused():
    with pytest.raises(ValueError, match=r"n_samples = 2\.5"):
        exact.sampled_variance(jnp.eye(2), jnp.eye(2), dt=1.0, n_samples=2.5)


def test_a_record_of_no_length_is_refused():
    with pytest.raises(ValueError, match="duration = 0"):
        exact.recorded_variance(jnp.eye(2), jnp.eye(2), duration=0.0)
