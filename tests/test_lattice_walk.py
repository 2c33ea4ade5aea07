"""Laws of the lattice random walk: its exact moments, its limits, its clipping."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import scipy.integrate
from scipy import stats

from tests.statistics import assert_mean
from thermo.lattice_walk import _sign, coin_walk, lattice_trajectory, lattice_walk

MANY = jnp.zeros(20_000)


@pytest.mark.parametrize("h", [0.1, 0.15, None], ids=["no rest", "rests", "coins"])
def test_a_constant_drift_has_the_mean_and_variance_of_its_increments(h):
    """N dt c and N (dt sigma^2 - dt^2 c^2): no term of order dt^2 in E[D^2]."""
    c, sigma, dt, n = 4.0, 1.0, 0.01, 100
    if h is None:
        x = coin_walk(jr.key(0), c, sigma, dt, n, MANY)
    else:
        x = lattice_walk(jr.key(0), c, sigma, dt, h, n, MANY)
    assert_mean(x, n * dt * c)
    variance = n * (dt * sigma**2 - dt**2 * c**2)
    assert_mean((x - n * dt * c) ** 2, variance)


def test_increments_are_three_and_come_as_often_as_they_should():
    c, sigma, dt, h = 1.0, 1.0, 0.01, 0.2
    x = lattice_walk(jr.key(1), c, sigma, dt, h, 1, MANY)
    np.testing.assert_allclose(np.unique(x), [-h, 0, h], rtol=1e-6)
    for sign in (-1, 1):
        assert_mean(np.sign(x) == sign, dt / (2 * h) * (sign * c + sigma**2 / h))


def test_coordinates_and_steps_are_independent():
    x = lattice_trajectory(jr.key(2), 0.0, 1.0, 1.0, 1.0, 2000, jnp.zeros(40))
    steps = np.diff(np.asarray(x), axis=0, prepend=0)
    assert np.abs(steps).min() == 1
    between = np.corrcoef(steps.T) - np.eye(40)
    later = np.mean(steps[1:] * steps[:-1], axis=0)
    assert np.abs(between).max() < 5 / np.sqrt(2000)
    assert np.abs(later).max() < 5 / np.sqrt(2000)


@pytest.mark.parametrize("dt", [0.2, 0.05])
def test_the_stationary_variance_of_a_linear_drift_is_met_to_first_order(dt):
    """No worse than that: with E[D^2] = sigma^2 dt exactly it is 1/2 at any dt."""
    x = coin_walk(jr.key(3), lambda x: -x, 1.0, dt, int(8 / dt), MANY)
    # E[x'^2] = E[x^2] - 2 dt E[x^2] + sigma^2 dt, hence E[x^2] = sigma^2 / 2.
    assert_mean(x**2, 0.5)
    assert_mean(x, 0.0)


def test_a_quartic_potential_settles_on_its_density():
    x = coin_walk(jr.key(4), lambda x: -(x**3), 1.0, 0.005, 1200, MANY)

    def average(f):
        top = scipy.integrate.quad(lambda v: f(v) * np.exp(-(v**4) / 2), -5, 5)[0]
        return top / scipy.integrate.quad(lambda v: np.exp(-(v**4) / 2), -5, 5)[0]

    off = float(np.mean(np.asarray(x, float) ** 2)) - average(lambda v: v**2)
    error = float(np.std(np.asarray(x, float) ** 2)) / np.sqrt(len(x))
    assert abs(off) < 5 * error + 0.005  # of weak order 1: dt, in the unit of x
    # E[x V'] = sigma^2 / 2 is exact for the walk where nothing is clipped.
    assert_mean(x**4, 0.5)


def test_it_stays_where_euler_maruyama_explodes():
    far, dt = jnp.full(100, 30.0), 0.01
    x = lattice_walk(jr.key(5), lambda x: -(x**3), 1.0, dt, 0.1, 1000, far)
    assert np.abs(x).max() < 3
    noise = np.random.default_rng(0).normal(size=(20, 100)) * np.sqrt(dt)
    y = np.asarray(far, float)
    with np.errstate(over="ignore", invalid="ignore"):
        for dw in noise:
            y = y - y**3 * dt + dw
    assert not np.isfinite(y).any()


def test_noise_is_clipped_first_then_the_force():
    """h below sigma root dt: sigma^2 is h^2/dt, and a force of half h/dt is kept."""
    dt, h, n = 0.01, 0.05, 1
    x = lattice_walk(jr.key(6), 0.5 * h / dt, 1.0, dt, h, n, MANY)
    assert_mean(x / h, 0.5)
    assert np.abs(x).min() > 0
    # With rests, sigma^2/h bounds the force: it cannot exceed how often it moves.
    x = lattice_walk(jr.key(7), 1e6, 1.0, dt, 0.2, n, MANY)
    assert_mean(x / 0.2, 0.25)
    assert np.min(x) == 0


def test_a_drift_survives_steps_of_a_millionth_of_the_relaxation():
    n, dt, sigma = 500, 1e-6, 0.1
    x = coin_walk(jr.key(8), 1.0, sigma, dt, n, MANY)
    mean, error = n * dt, sigma * np.sqrt(n * dt / len(MANY))
    assert mean > 30 * error
    assert abs(float(np.mean(np.asarray(x, float))) - mean) < 5 * error


def test_the_bias_of_a_coin_is_resolved_to_its_own_last_digit():
    """1e-7 of 2^31 words are 214: one less is heads, the next tails."""
    words = jnp.array([0, 213, 214, 2**31 - 1, 2**31, 2**32 - 1], jnp.uint32)
    np.testing.assert_array_equal(_sign(words, 1e-7), [1, 1, -1, -1, 1, 1])
    np.testing.assert_array_equal(_sign(words, -5.0), [-1, -1, -1, -1, -1, -1])


def test_a_walk_far_from_nought_counts_its_steps_without_rounding():
    x = coin_walk(jr.key(9), 1e9, 1e-2, 1e-4, 1000, jnp.zeros(3))
    np.testing.assert_allclose(x, 0.1, rtol=1e-6)  # 1000 heads of 1e-4


def test_the_trajectory_ends_where_the_walk_does_whatever_is_kept():
    key, f = jr.key(10), lambda x: -x
    how = (f, 1.0, 0.01, 0.12, 60, jnp.ones((2, 3)))
    each = lattice_trajectory(key, *how)
    some = lattice_trajectory(key, *how, every=20)
    np.testing.assert_array_equal(each[19::20], some)
    np.testing.assert_array_equal(lattice_walk(key, *how), some[-1])
    both = jax.vmap(lambda k: lattice_walk(k, *how))(jr.split(key, 2))
    alone = lattice_walk(jr.split(key, 2)[1], *how)
    np.testing.assert_array_equal(both[1], alone)


def test_the_law_of_many_steps_is_normal():
    x = coin_walk(jr.key(11), 0.0, 1.0, 0.001, 1000, MANY)
    dither = np.random.default_rng(1).uniform(-1, 1, len(MANY)) * np.sqrt(0.001)
    assert stats.kstest(np.asarray(x) + dither, "norm").pvalue > 0.01


GOOD = {"key": jr.key(0), "drift": 0.0, "sigma": 1.0, "dt": 0.1, "h": 0.5, "steps": 2}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sigma": 0.0}, "sigma = 0"),
        ({"dt": -1.0}, "dt = -1"),
        ({"h": jnp.nan}, "h = nan"),
        ({"steps": 0}, "steps must be at least 1"),
        ({"steps": 2**31}, "steps = 2147483648"),
        ({"x0": jnp.inf}, "x0 = inf"),
        ({"drift": 1j}, "drift is complex|drift = 1j"),
        ({"drift": jnp.ones(3), "x0": jnp.ones(2)}, "drift has shape"),
        ({"drift": lambda x: x[:1], "x0": np.ones(2) + 0j}, "x0 is complex"),
        ({"drift": lambda x: "a"}, "drift"),
        ({"key": 0}, "key = 0"),
        ({"key": jr.key(0, impl="rbg")}, "one key of threefry"),
        ({"x0": jnp.ones(2), "sigma": jnp.ones(3)}, "shapes must fit"),
    ],
)
def test_bad_input_is_refused_by_name(change, words):
    with pytest.raises(ValueError, match=words):
        lattice_walk(**GOOD | change)


@pytest.mark.parametrize("kind", [jnp.int32, jnp.float16, jnp.bfloat16, np.float64])
def test_numbers_of_any_kind_walk_alike(kind):
    x0 = np.array([1, 2]).astype(kind)
    whole = lattice_walk(jr.key(0), lambda x: -x, 1, 1, 1, 4, x0)
    right = lattice_walk(jr.key(0), lambda x: -x, 1.0, 1.0, 1.0, 4, jnp.array([1.0, 2]))
    np.testing.assert_array_equal(whole, right)
