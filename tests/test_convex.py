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


def settle(gate, rates=RATES, gradient_noise=0.0, steps=1600, burn_in=600):
    """Time averages of w^2 and |a w + n| per cell, and the balance's remainder.

    One chip of 2048 independent cells for each learning rate, from w = s; in
    units of s.
    """

    def on_chip(lr, key):
        key_gate, key_write, key_data = jr.split(key, 3)
        program = ej.program(CROSSBAR, key=key_write)
        tx = optax.chain(optax.sgd(lr), gate(key_gate), program)

        def step(carry, t):
            w, state, sums = carry
            noise = gradient_noise * jr.normal(jr.fold_in(key_data, t), SHAPE)
            gradient = A * w + noise
            updates, state = tx.update(gradient, state, w)
            sums = sums + jnp.stack([w**2 / S**2, jnp.abs(gradient) / S])
            return (optax.apply_updates(w, updates), state, sums), None

        w, nothing = jnp.full(SHAPE, S), jnp.zeros((2, *SHAPE))
        ts = jnp.arange(burn_in + steps)
        (start, state, _), _ = jax.lax.scan(
            step, (w, tx.init(w), nothing), ts[:burn_in]
        )
        (end, _, sums), _ = jax.lax.scan(step, (start, state, nothing), ts[burn_in:])
        remainder = (end**2 - start**2) / (2 * lr * A * steps * S**2)
        return sums[0] / steps, sums[1] / steps, remainder

    keys = jr.split(jr.key(0), len(rates))
    out = jax.jit(jax.vmap(on_chip))(jnp.asarray(rates, jnp.float32), keys)
    return [np.asarray(x, float).reshape(len(rates), -1) for x in out]


def eapu_at(theta):
    return lambda key: ej.eapu(theta, key=key)


def backprop(key):
    del key
    return ej.write_all()


@pytest.fixture(scope="module")
def still():
    """EaPU at theta = s, without gradient noise."""
    return settle(eapu_at(S))


@pytest.fixture(scope="module")
def blurred():
    """EaPU at theta = s, in gradient noise of 5 s."""
    return settle(eapu_at(S), [0.04, 0.01], 5 * S, steps=1000)


def balance(averages, theta):
    """Per cell: what E[w^2] has too much, drift of the window included. Mean 0."""
    square, slope, remainder = averages
    return square - stationary_variance_eapu(slope / A, theta / S, 1.0) + remainder


def test_eapu_variance_is_the_closed_form_at_every_learning_rate(still):
    assert_mean(balance(still, S), 0, axis=1)


def test_eapu_variance_is_the_closed_form_away_from_the_best_threshold():
    averages = settle(eapu_at(2 * S), [0.05], steps=400, burn_in=100)
    assert_mean(balance(averages, 2 * S), 0, axis=1)


def test_eapu_variance_is_the_closed_form_in_gradient_noise(blurred):
    assert_mean(balance(blurred, S), 0, axis=1)


def test_eapu_noise_floor_does_not_depend_on_the_learning_rate(blurred):
    assert_mean(blurred[0][0] - blurred[0][1], 0)


def test_eapu_noise_floor_is_the_gradient_noise_times_the_error(blurred):
    floor = np.sqrt(2 / np.pi) * 5
    assert np.all(blurred[0].mean(1) > floor)
    assert np.all(blurred[0].mean(1) < 1.15 * floor)


def test_backpropagation_variance_grows_as_the_learning_rate_falls():
    square, _, _ = settle(backprop, RATES)
    assert_mean(square, stationary_variance_backprop(1.0, RATES, A), axis=1)
    assert np.all(np.diff(square.mean(1)) > 0)


@pytest.mark.parametrize("a", [0.25, 2.0])
def test_backpropagation_law(a):
    law, kept = stationary_variance_backprop(0.025, RATES, a), 1 - a * RATES
    np.testing.assert_allclose(law, 0.025**2 / (1 - kept**2), rtol=1e-5)
