"""What each pulsed device claims, held against sums, flows and binomial laws."""

import dataclasses

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy import integrate, stats

import eapu_jax as ej
from eapu_jax.devices import response
from tests.statistics import assert_mean, assert_variance

N = 20_000
write = jax.jit(lambda device, key, cells, dg: device.write(key, cells, dg))


def moved(device, g, dg, key=0):
    """Where cells at `g` stand after a request `dg`, µS."""
    g = jnp.atleast_1d(jnp.asarray(g, jnp.float32))
    cells = device.init(jr.key(9), g)
    return write(device, jr.key(key), cells, jnp.full(g.shape, dg))[0].g


# Soft bounds


def test_soft_bounds_closes_a_fraction_of_the_room_per_pulse():
    device = ej.SoftBounds(g_min=-10.0, g_max=30.0, pulse=2.0, write_noise=0.0)
    g = [-10.0, 10.0, 30.0]
    up = [30 - 40 * 0.9**3, 30 - 20 * 0.9**3, 30]
    down = [-10, 20 * 0.9**3 - 10, 40 * 0.9**3 - 10]
    np.testing.assert_allclose(moved(device, g, 6.0), up, atol=1e-5)
    np.testing.assert_allclose(moved(device, g, -6.0), down, atol=1e-5)


def test_the_step_downwards_may_differ_from_the_step_upwards():
    device = ej.SoftBounds(pulse=0.5, down_ratio=2.0, write_noise=0.0)
    np.testing.assert_allclose(moved(device, 0.0, 0.5), 0.5, rtol=1e-5)
    np.testing.assert_allclose(moved(device, 0.0, -1.0), -1.0, rtol=1e-5)
    assert not np.any(moved(device, 0.0, -0.49))


def test_soft_bounds_noise_grows_with_the_root_of_the_pulses():
    device = ej.SoftBounds(pulse=0.5, write_noise=0.5)
    quiet = dataclasses.replace(device, write_noise=0.0)
    noise = moved(device, np.zeros(N), 5.0) - moved(quiet, np.zeros(N), 5.0)
    assert_variance(noise, 10 * 0.5**2)


# Linear step


@pytest.mark.parametrize("slopes", [(0.0, 0.0), (0.3, 0.8), (1.0, 1e-6)])
@pytest.mark.parametrize("n", [1, 7, 400])
def test_linear_steps_add_up_pulse_by_pulse(slopes, n):
    device = ej.LinearStep(
        g_min=-10.0, g_max=30.0, pulse=0.25, down_ratio=1.5, write_noise=0.0,
        slope_up=slopes[0], slope_down=slopes[1],
    )  # fmt: skip
    for sign, step, slope in ((1, 0.25, slopes[0]), (-1, 0.375, slopes[1])):
        g = np.linspace(-10, 30, 9)
        for _ in range(n):
            g = np.clip(g + sign * step * (1 - sign * slope * (g - 10) / 20), -10, 30)
        asked = moved(device, np.linspace(-10, 30, 9), sign * n * step)
        np.testing.assert_allclose(asked, g, rtol=1e-5, atol=2e-5)


def test_a_slope_of_one_is_the_soft_bounds_device():
    same = {"pulse": 0.7, "down_ratio": 1.3, "write_noise": 0.0}
    linear = ej.LinearStep(slope_up=1.0, slope_down=1.0, **same)
    g = np.linspace(-80, 80, 11)
    for dg in (9.0, -9.0):
        soft = moved(ej.SoftBounds(**same), g, dg)
        np.testing.assert_allclose(moved(linear, g, dg), soft, atol=1e-4)


# Exponential step


@pytest.mark.parametrize("amplitudes", [(-1.18445, -0.081404), (0.3, 0.02), (0.0, 0.0)])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_exponential_step_follows_its_flow(amplitudes, sign):
    up, down = amplitudes
    device = ej.ExponentialStep(
        g_min=-20.0, g_max=60.0, pulse=0.5, down_ratio=0.8, write_noise=0.0,
        amplitude_up=up, amplitude_down=down, tilt=-0.5, offset=-0.4,
    )  # fmt: skip
    step = 0.5 if sign > 0 else 0.4
    amplitude, decay = (up, 5.0) if sign > 0 else (down, -5.0)

    def flow(n, g):
        z = -0.5 * (g - 20) / 40 - 0.4
        inside = (g > -20) & (g < 60)
        share = np.maximum(1 - amplitude * np.exp(decay * z), 0)
        return sign * step * share * np.where(inside, 1, 0)

    start = np.linspace(-5, 45, 6)
    exact = integrate.solve_ivp(flow, (0, 25), start, rtol=1e-10, atol=1e-10).y[:, -1]
    np.testing.assert_allclose(moved(device, start, sign * 25 * step), exact, rtol=1e-4)


def test_a_train_of_exponential_steps_is_its_pulses_to_first_order():
    def error(pulse):
        device = ej.ExponentialStep(pulse=pulse, write_noise=0.0)
        g, n = -40.0, round(20 / pulse)
        for _ in range(n):
            z = -0.5 * g / 80 - 0.5
            g += pulse * (1 + 1.18445 * np.exp(5 * z))
        return abs(float(moved(device, -40.0, n * pulse)[0]) - g)

    assert error(0.5) < 0.1
    assert error(0.125) < error(0.5) / 3


def test_an_exponential_step_whose_response_died_does_not_turn_back():
    device = ej.ExponentialStep(amplitude_up=50.0, tilt=0.5, write_noise=0.0)
    np.testing.assert_array_equal(moved(device, 70.0, 20.0), 70.0)


def test_a_tilt_of_zero_is_refused():
    with pytest.raises(ValueError, match=r"ExponentialStep\.tilt must not be 0"):
        ej.ExponentialStep(tilt=0.0)


# Two trains in one


@pytest.mark.parametrize(
    "device",
    [
        ej.SoftBounds(pulse=0.5, write_noise=0.0),
        ej.LinearStep(pulse=0.5, write_noise=0.0, slope_up=0.5),
        ej.ExponentialStep(pulse=0.5, write_noise=0.0),
        ej.Ferroelectric(g_min=-80.0, g_max=80.0, pulse=0.5, domains=1e12),
    ],
    ids=lambda d: type(d).__name__,
)
def test_pulses_in_two_trains_are_the_pulses_of_one(device):
    g = np.linspace(-70, 70, 9)
    for sign in (1, -1):
        twice = moved(device, moved(device, g, sign * 5.0), sign * 7.5)
        once = moved(device, g, sign * 12.5)
        np.testing.assert_allclose(twice, once, rtol=1e-4, atol=1e-3)


# Ferroelectric


@pytest.mark.parametrize("sign", [1, -1])
def test_domains_flip_binomially(sign):
    device = ej.Ferroelectric(g_min=0.0, g_max=10.0, pulse=0.5, domains=500.0)
    g = np.asarray(moved(device, np.full(N, 4.0), sign * 1.5), float)
    left = 0.6 if sign > 0 else 0.4
    flips = stats.binom(500 * left, 1 - 0.9**3)
    assert_mean(sign * (g - 4.0), 10 * flips.mean() / 500)
    assert_variance(g, (10 / 500) ** 2 * flips.var())


def test_a_film_that_has_flipped_is_quiet():
    device = ej.Ferroelectric(g_min=0.0, g_max=10.0, pulse=0.5, domains=50.0)
    assert np.all(moved(device, np.full(N, 10.0), 2.0) == 10.0)


# Magnetic


@pytest.mark.parametrize("asked", [1, 2, 3])
def test_levels_switch_binomially(asked):
    device = ej.StochasticSwitching(g_min=0.0, g_max=30.0, levels=4, probability=0.7)
    g = np.asarray(moved(device, np.zeros(N), asked * 10.0))
    counts = np.bincount(np.rint(g / 10).astype(int), minlength=4)
    expected = N * stats.binom(asked, 0.7).pmf(np.arange(4))
    real = expected > 0
    assert np.all(counts[~real] == 0)
    assert stats.chisquare(counts[real], expected[real]).pvalue > 1e-6


def test_a_magnetic_cell_stands_on_a_level_always():
    device = ej.StochasticSwitching(g_min=0.0, g_max=30.0, levels=4, probability=0.7)
    g = moved(device, np.linspace(-5, 35, N), -20.0)
    assert set(np.unique(g).tolist()) <= {0.0, 10.0, 20.0, 30.0}


@pytest.mark.parametrize("end", [0.0, 40.0])
def test_a_cell_at_the_end_of_its_window_has_a_slope(end):
    request = jnp.where(end > 0, 3.0, -3.0)
    slope = jax.grad(lambda g: moved(ej.Ferroelectric(), g, request)[0])(end)
    np.testing.assert_array_less(jnp.abs(slope), 1.0)


def test_pulses_without_a_chance_switch_nothing():
    device = ej.StochasticSwitching(levels=2, probability=0.0)
    assert np.all(moved(device, np.full(100, 160.0), 500.0) == 160.0)


@pytest.mark.parametrize("bad", [-0.1, 1.1])
def test_a_probability_beyond_one_is_refused(bad):
    with pytest.raises(ValueError, match=r"StochasticSwitching\.probability must be"):
        ej.StochasticSwitching(probability=bad)


def test_pulses_are_counted_in_the_direction_of_the_smallest_request():
    device = ej.SoftBounds(pulse=0.125, write_noise=0.0)
    cells = device.init(jr.key(9), jnp.zeros(3))
    sent = write(device, jr.key(0), cells, jnp.array([0.5, -0.5, 0.0]))[1]
    np.testing.assert_array_equal(sent.up, [4, 0, 0])
    np.testing.assert_array_equal(sent.down, [0, 4, 0])


# The response curve


def test_the_response_curve_rises_and_falls_as_its_device_says():
    device = ej.LinearStep(pulse=4.0, slope_up=0.5, slope_down=0.0, write_noise=0.0)
    curve = np.asarray(response(jr.key(0), device, 4.0, n=10, start=jnp.full(1, -80.0)))
    rise = [-80.0]
    for _ in range(10):
        rise.append(rise[-1] + 4 * (1 - 0.5 * rise[-1] / 80))
    np.testing.assert_allclose(curve[:11, 0], rise, rtol=1e-4)
    np.testing.assert_allclose(np.diff(curve[10:, 0]), -4.0, rtol=1e-4)


def test_the_response_of_a_one_sided_device_never_falls_by_a_pulse():
    quiet = ej.PhaseChange(noise_scale=0.0)
    curve = response(jr.key(0), quiet, 1.0, n=5, start=jnp.zeros(3))
    np.testing.assert_allclose(
        curve[:, 0], [0, 1, 2, 3, 4, 5, 5, 5, 5, 5, 5], atol=1e-5
    )
