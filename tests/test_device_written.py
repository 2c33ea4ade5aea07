"""What each device claims that is written to a target, and what becomes of it."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy import stats

import eapu_jax as ej
from tests.statistics import assert_mean, assert_variance

N = 20_000
DAY = 86400.0
write = jax.jit(lambda device, key, cells, dg: device.write(key, cells, dg))
advance = jax.jit(lambda device, key, cells, dt: device.advance(key, cells, dt))


def stand(device, g, key=9):
    return device.init(jr.key(key), jnp.full(N, g))


def written(device, g=0.0, dg=5.0, key=0):
    return write(device, jr.key(key), stand(device, g), jnp.full(N, dg))[0]


def after(device, g, dg, dt):
    """Conductances of cells written by `dg` from `g`, a time `dt` later."""
    cells = advance(device, jr.key(1), written(device, g, dg), dt)
    return np.asarray(device.conductance(cells), float)


# Additive error


def test_additive_error_is_gaussian_of_the_stated_deviation():
    error = np.asarray(written(ej.AdditiveError(write_noise=2.4)).g) - 5.0
    assert stats.kstest(error, stats.norm(0, 2.4).cdf).pvalue > 1e-6


def test_additive_error_depends_on_neither_state_nor_step():
    device = ej.AdditiveError(write_noise=2.0)
    a, b = written(device, -30.0, 0.1).g, written(device, 30.0, 9.0).g
    np.testing.assert_allclose(a + 30 - 0.1, b - 30 - 9.0, atol=1e-4)


# Verify and relaxation


def test_verify_band_is_uniform():
    cells = written(ej.VerifyRelaxation(tolerance=2.0, relaxation=0.0))
    assert stats.kstest(cells.g, stats.uniform(3, 4).cdf).pvalue > 1e-6


def test_verify_error_after_a_time_has_the_stated_variance():
    device = ej.VerifyRelaxation(
        tolerance=2.0, relaxation=1.0, relaxation_per_decade=0.5, onset=0.1
    )
    g = after(device, 0.0, 5.0, 9.9)
    assert_mean(g, 5.0)
    assert_variance(g, 2.0**2 / 3 + (1 + 0.5 * 2) ** 2)


@pytest.mark.parametrize(("age", "dt"), [(0.0, 1e-2), (0.0, 1e4), (5.0, 50.0)])
def test_relaxation_grows_the_variance_by_the_stated_amount(age, dt):
    device = ej.VerifyRelaxation()
    cells = stand(device, 0.0)._replace(age=jnp.full(N, age))
    g = advance(device, jr.key(0), cells, dt).g
    s = lambda t: 1.0 + 0.2 * np.log10(1 + t / 1e-3)  # noqa: E731
    assert_mean(g, 0)
    assert_variance(g, s(age + dt) ** 2 - s(age) ** 2)


# State-dependent error: the published polynomials, lowest power first

POLYNOMIALS = {
    1.0: [0.348, 16.030, -43.853, 45.393, -16.815],
    DAY: [0.701, 22.086, -50.773, 47.095, -16.458],
    2 * DAY: [0.782, 20.274, -43.507, 37.062, -11.934],
}


def published(t, g):
    return np.polynomial.Polynomial(POLYNOMIALS[t])(g / 40.0)


@pytest.mark.parametrize("target", [10.0, 20.0, 30.0])
def test_the_error_of_a_write_is_the_published_one_at_its_target(target):
    g = after(ej.StateDependentError(), 15.0, target - 15.0, 0.0)
    assert_mean(g, target)
    assert_variance(g, published(1.0, target) ** 2)


@pytest.mark.parametrize("target", [18.0, 22.0])
@pytest.mark.parametrize("t", [0.5, 1.0, DAY, 2 * DAY, 50 * DAY])
def test_the_error_grows_through_the_published_times(t, target):
    device = ej.StateDependentError(g_min=0.0)
    past = [s for s in POLYNOMIALS if s <= max(t, 1)]
    known = max(published(s, target) for s in past)
    sd = device.error_sd(t, jnp.float32(target))
    np.testing.assert_allclose(sd, known, rtol=1e-4)


def test_the_error_of_a_week_is_seen_in_the_cells():
    g = after(ej.StateDependentError(), 20.0, 2.0, 7 * DAY)
    spread = max(published(DAY, 22.0), published(2 * DAY, 22.0))
    inside = stats.truncnorm(-22 / spread, 18 / spread)
    assert np.var(g) == pytest.approx(spread**2 * inside.var(), rel=0.05)


def test_the_error_never_shrinks_with_time():
    device, g = ej.StateDependentError(), jnp.linspace(0.0, 40.0, 41)
    times = np.geomspace(0.1, 1e7, 60)
    sd = np.stack([device.error_sd(t, g) for t in times])
    assert np.all(np.diff(sd, axis=0) >= -1e-5)
    assert np.all(sd > 0)


def test_between_the_times_the_variance_is_straight_in_the_logarithm():
    device, g = ej.StateDependentError(), jnp.float32(25.0)
    middle = float(device.error_sd(np.sqrt(DAY), g)) ** 2
    ends = [published(t, 25.0) ** 2 for t in (1.0, DAY)]
    assert middle == pytest.approx(np.mean(ends), rel=1e-4)


# Phase change


def test_a_phase_change_cell_drifts_by_its_power_law():
    device = ej.PhaseChange(noise_scale=0.0)
    cells = written(device, 5.0, 5.0)
    late = advance(device, jr.key(0), cells, 1e5)
    expected = np.float64(cells.g0) * (1 + 1e5 / 20) ** -np.float64(cells.nu)
    np.testing.assert_allclose(device.conductance(late), expected, rtol=1e-5)


@pytest.mark.parametrize("g", [1.0, 12.0, 25.0])
def test_drift_exponents_have_the_published_distribution(g):
    log = np.log(g / 25.0)
    mean = np.clip(-0.0155 * log + 0.0244, 0.049, 0.1)
    sd = np.clip(-0.0125 * log - 0.0059, 0.008, 0.045)
    nu = stand(ej.PhaseChange(), g).nu
    folded = stats.foldnorm(mean / sd, scale=sd)
    assert stats.kstest(np.asarray(nu, float), folded.cdf).pvalue > 1e-6


@pytest.mark.parametrize("share", [0.02, 0.1, 0.2])
def test_cells_further_down_drift_by_the_same_draws(share):
    top, g = (np.asarray(stand(ej.PhaseChange(), 25.0 * x).nu) for x in (1, share))
    z = (top - 0.049) / 0.008
    mean, sd = -0.0155 * np.log(share) + 0.0244, -0.0125 * np.log(share) - 0.0059
    np.testing.assert_allclose(g, np.abs(np.maximum(mean, 0.049) + sd * z), atol=1e-6)


def test_phase_change_writes_err_as_published():
    g = written(ej.PhaseChange(), 5.0, 7.5).g0
    assert_mean(g, 12.5)
    assert_variance(g, (0.26348 + 1.9650 * 0.5 - 1.1731 * 0.25) ** 2)


def test_a_write_starts_from_the_drifted_conductance_and_draws_anew():
    device = ej.PhaseChange(noise_scale=0.0)
    cells = advance(device, jr.key(0), stand(device, 10.0), 1e6)
    drifted = device.conductance(cells)
    assert np.mean(drifted) < 7.0
    again, _ = write(device, jr.key(1), cells, jnp.full(N, 2.0))
    np.testing.assert_allclose(again.g0, drifted + 2.0, rtol=1e-5)
    assert not np.any(again.age)
    assert abs(np.corrcoef(cells.nu, again.nu)[0, 1]) < 5 / np.sqrt(N) + 0.05
    assert not np.any(cells.nu == again.nu)


def test_a_phase_change_cell_cannot_be_lowered_by_a_pulse():
    device = ej.PhaseChange()
    cells = stand(device, 10.0)
    same, pulses = write(device, jr.key(0), cells, jnp.full(N, -3.0))
    assert not np.any(pulses.sent)
    assert all(map(np.array_equal, same, cells))


def test_a_one_sided_device_with_two_sided_requests_is_refused():
    with pytest.raises(ValueError, match=r"one-sided device"):
        ej.Crossbar(device=ej.PhaseChange())
    with pytest.raises(ValueError, match=r"one-sided device"):
        ej.Crossbar(device=ej.Wearing(device=ej.PhaseChange()))
