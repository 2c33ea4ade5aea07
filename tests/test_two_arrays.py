"""The contract of `eapu_jax.array` serves a rule with two arrays from outside."""

from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

import eapu_jax as ej
from eapu_jax.ledger import value
from tests.two_arrays import two_arrays

QUIET = ej.Crossbar(device=ej.AdditiveError(write_noise=0.0))
READ = ej.Crossbar(device=ej.AdditiveError(write_noise=0.0, read_noise=3.0))
NOISY = ej.Crossbar(device=ej.AdditiveError(write_noise=1.0, read_noise=0.5))
LEAKING = ej.Crossbar(
    device=ej.ExponentialRetention(device=NOISY.device, time_constant=8.0)
)
BEST = jnp.linspace(-0.5, 0.5, 64).reshape(8, 8)
W = {"bias": jnp.ones(8), "kernel": jnp.full((8, 8), 0.3)}


def slopes(w):
    return {"bias": w["bias"], "kernel": w["kernel"] - BEST}


def trained(tx, steps):
    """Weights and states from the first to the last."""

    @jax.jit
    def step(w, state):
        updates, state = tx.update(slopes(w), state, w)
        return optax.apply_updates(w, updates), state

    path = [(W, tx.init(W))]
    for _ in range(steps):
        path.append(step(*path[-1]))
    return path


def test_slow_moves_by_what_fast_was_read_in_the_column_of_the_step():
    rule = two_arrays(QUIET, QUIET, key=jr.key(0), rate=0.5)
    path = trained(optax.chain(optax.sgd(0.1), rule), 12)
    for t, ((before, _), (after, state)) in enumerate(pairwise(path)):
        fast = ej.array.weights(QUIET, state[1].fast["kernel"])
        moved = np.asarray(after["kernel"] - before["kernel"])
        here = np.arange(8) == t % 8
        np.testing.assert_allclose(moved[:, here], 0.5 * fast[:, here], atol=1e-6)
        assert not moved[:, ~here].any()


def test_what_was_read_is_what_is_written_noise_and_all():
    rule = two_arrays(READ, QUIET, key=jr.key(0), rate=0.5)
    path = trained(optax.chain(optax.sgd(0.1), rule), 1)
    state = path[-1][1][1]
    keys = jr.split(jr.fold_in(jr.fold_in(jr.key(0), 0), 0), 4)
    seen, _ = ej.array.read(keys[2], READ, state.fast["kernel"])
    moved = path[1][0]["kernel"] - W["kernel"]
    np.testing.assert_allclose(moved[:, 0], 0.5 * seen[:, 0], atol=1e-6)
    exact = ej.array.weights(READ, state.fast["kernel"])
    assert np.abs(seen - exact).max() > 0.01


@pytest.mark.parametrize("every", [1, 3])
def test_weights_are_the_read_out_and_every_event_is_counted(every):
    rule = two_arrays(NOISY, NOISY, key=jr.key(0), rate=0.5, every=every)
    w, state = trained(optax.chain(optax.sgd(0.1), rule), 9)[-1]
    fast, slow = state[1].fast["kernel"], state[1].slow["kernel"]
    np.testing.assert_allclose(w["kernel"], ej.array.weights(NOISY, slow), atol=1e-5)
    assert value(fast.ledger.reads) == 9 // every
    pulses = value(slow.ledger.up) + value(slow.ledger.down)
    assert pulses == slow.ledger.writes.sum() == 8 * (9 // every)
    assert fast.ledger.writes.sum() == 9 * 64


def test_it_goes_down_the_hill_on_noisy_chips_each_its_own():
    def chip(key):
        rule = two_arrays(LEAKING, NOISY, key=key, rate=0.5, step_time=1.0)
        tx = optax.chain(optax.sgd(0.05), rule)

        def step(carry, _):
            w, state = carry
            updates, state = tx.update(slopes(w), state, w)
            return (optax.apply_updates(w, updates), state), w["kernel"]

        return jax.lax.scan(step, (W, tx.init(W)), length=600)[1]

    kernels = np.asarray(jax.jit(jax.vmap(chip))(jr.split(jr.key(1), 3)))
    loss = np.mean((kernels - np.asarray(BEST)) ** 2, axis=(2, 3))
    assert np.all(loss[:, -100:].mean(1) < 0.1 * loss[:, 0])
    assert not np.array_equal(kernels[0], kernels[1])


def test_arrays_of_a_leaf_are_chosen_as_everywhere():
    only = partial(two_arrays, QUIET, QUIET, key=jr.key(0), rate=0.5)
    rule = only(place=lambda path, shape: "digital: all of them")
    updates, state = rule.update(W, rule.init(W), W)
    assert state.fast == state.slow == {}
    np.testing.assert_array_equal(updates["kernel"], W["kernel"])
