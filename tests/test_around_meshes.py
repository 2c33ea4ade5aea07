"""Buffers that are given away, and training spread over devices."""

import json
import subprocess
import sys

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

import eapu_jax as ej


@pytest.mark.parametrize(
    ("which", "number"),
    [("apart", 12), pytest.param("alike", 5, marks=pytest.mark.slow)],
)
def test_four_devices_give_the_numbers_of_one(which, number):
    command = [sys.executable, "-m", "tests.four_devices", which]
    run = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stderr
    outcomes = json.loads(run.stdout)
    assert len(outcomes) == number
    wrong = {name: why for name, why in outcomes.items() if why is not True}
    assert not wrong, "\n".join(f"{name}\n{why}" for name, why in wrong.items())


@pytest.mark.parametrize("shared", [False, True], ids=["two keys", "one key"])
def test_a_donated_state_takes_nothing_from_its_user(shared):
    k1, k2 = jr.split(jr.key(0))
    k2 = k1 if shared else k2
    gate, array = ej.eapu(0.01, key=k1), ej.program(ej.Crossbar(), key=k2)
    tx = optax.chain(gate, array)
    w, held = jnp.linspace(-1, 1, 64).reshape(8, 8), []
    for donated in ((), (0, 1), (0, 1)):
        step = jax.jit(lambda w, s: tx.update(w, s, w), donate_argnums=donated)
        updates, state = step(jnp.copy(w), tx.init(w))
        held.append((updates, step(jnp.copy(w) + updates, state)))
    plain, *given_away = held
    for other in given_away:
        for a, b in zip(jax.tree.leaves(plain), jax.tree.leaves(other), strict=True):
            np.testing.assert_array_equal(a, b)
    assert jr.key_data(k1).shape == jr.key_data(k2).shape == (2,)  # still there


def test_a_state_made_of_donated_weights_keeps_its_cells():
    w = jnp.ones((8, 8))
    tx = ej.program(ej.Crossbar(), key=jr.key(0))
    state = tx.init(w)
    jax.jit(lambda w: w + 1, donate_argnums=0)(w)
    assert w.is_deleted()
    assert all(not leaf.is_deleted() for leaf in jax.tree.leaves(state))
