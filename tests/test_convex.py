"""The convex sanity test: a row of weights in the bowl a w^2 / 2, exactly.

dW = -lr (a w + n), n ~ N(0, sg^2). While |dW| < theta the squares of the update
cancel, so for every lr, at every step,

    E[w'^2 - w^2] = -2 lr a E[w^2] + lr E|a w + n| (theta + s^2 / theta).
"""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

import eapu_jax as ej
from eapu_jax.laws import stationary_variance_backprop, stationary_variance_eapu
from tests.statistics import assert_mean

A, S, SHAPE = 1.0, 0.025, (64, 32)
RATES = np.array([0.1, 0.03, 0.01])
CROSSBAR = ej.Crossbar(device=ej.AdditiveError(write_noise=2.0), r_wg=1 / 80)
BURN_IN, STEPS = 400, 800


def settle(gate, rates, gradient_noises, thresholds):
    """Time averages of w^2 and |a w + n| per cell, and the balance's remainder.

    One chip of 2048 independent cells for each learning rate, from w = s; in units of
    s. All chips of a gate are one program, whose step is compiled once.
    """

    def on_chip(lr, gradient_noise, theta, key):
        key_gate, key_write, key_data = jr.split(key, 3)
        program = ej.program(CROSSBAR, key=key_write)
        tx = optax.chain(optax.sgd(lr), gate(theta, key_gate), program)

        def step(carry, t):
            w, state, start, sums = carry
            noise = gradient_noise * jr.normal(jr.fold_in(key_data, t), SHAPE)
            gradient = A * w + noise
            updates, state = tx.update(gradient, state, w)
            seen = jnp.stack([w**2 / S**2, jnp.abs(gradient) / S])
            sums = sums + jnp.where(t < BURN_IN, 0, seen)
            start = jnp.where(t == BURN_IN, w, start)
            return (optax.apply_updates(w, updates), state, start, sums), None

        w, nothing = jnp.full(SHAPE, S), jnp.zeros((2, *SHAPE))
        ts = jnp.arange(BURN_IN + STEPS)
        ran, _ = jax.lax.scan(step, (w, tx.init(w), w, nothing), ts)
        end, _, start, sums = ran
        remainder = (end**2 - start**2) / (2 * lr * A * STEPS * S**2)
        return sums[0] / STEPS, sums[1] / STEPS, remainder

    keys = jr.split(jr.key(0), len(rates))
    chips = (jnp.asarray(x, jnp.float32) for x in (rates, gradient_noises, thresholds))
    out = jax.jit(jax.vmap(on_chip))(*chips, keys)
    return [np.asarray(x, float).reshape(len(rates), -1) for x in out]


def eapu(theta, key):
    return ej.eapu(theta, key=key)


def backprop(theta, key):
    del theta, key
    return ej.write_all()


@pytest.fixture(scope="module")
def settled():
    """EaPU: at theta = s, with gradient noise of 5 s, and at theta = 2 s."""
    rates, noises = [*RATES, 0.04, 0.01, 0.05], [0, 0, 0, 5 * S, 5 * S, 0]
    return settle(eapu, rates, noises, [S] * 5 + [2 * S])


@pytest.fixture
def still(settled):
    """EaPU at theta = s, without gradient noise."""
    return [x[:3] for x in settled]


@pytest.fixture
def blurred(settled):
    """EaPU at theta = s, in gradient noise of 5 s."""
    return [x[3:5] for x in settled]


@pytest.fixture
def coarse(settled):
    """EaPU at theta = 2 s, without gradient noise."""
    return [x[5:] for x in settled]


def balance(averages, theta):
    """Per cell: what E[w^2] has too much, drift of the window included. Mean 0."""
    square, slope, remainder = averages
    return square - stationary_variance_eapu(slope / A, theta / S, 1.0) + remainder


def test_eapu_variance_is_the_closed_form_at_every_learning_rate(still):
    assert_mean(balance(still, S), 0, axis=1)


def test_eapu_variance_is_the_closed_form_away_from_the_best_threshold(coarse):
    assert_mean(balance(coarse, 2 * S), 0, axis=1)


def test_eapu_variance_is_the_closed_form_in_gradient_noise(blurred):
    assert_mean(balance(blurred, S), 0, axis=1)


def test_eapu_noise_floor_does_not_depend_on_the_learning_rate(blurred):
    assert_mean(blurred[0][0] - blurred[0][1], 0)


def test_eapu_noise_floor_is_the_gradient_noise_times_the_error(blurred):
    floor = np.sqrt(2 / np.pi) * 5
    assert np.all(blurred[0].mean(1) > floor)
    assert np.all(blurred[0].mean(1) < 1.15 * floor)


def test_backpropagation_variance_grows_as_the_learning_rate_falls():
    square, _, _ = settle(backprop, RATES, 0 * RATES, 0 * RATES + S)
    assert_mean(square, stationary_variance_backprop(1.0, RATES, A), axis=1)
    assert np.all(np.diff(square.mean(1)) > 0)


@pytest.mark.parametrize("a", [0.25, 2.0])
def test_backpropagation_law(a):
    law, kept = stationary_variance_backprop(0.025, RATES, a), 1 - a * RATES
    np.testing.assert_allclose(law, 0.025**2 / (1 - kept**2), rtol=1e-5)
