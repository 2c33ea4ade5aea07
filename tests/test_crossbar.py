"""Weights as conductances, their reads, and what programming does to them."""

import chex
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

import eapu_jax as ej
from tests.statistics import assert_mean, assert_variance

SHAPE = (256, 256)
NOISY_READ = ej.Crossbar(device=ej.AdditiveError(read_noise=4.0), r_wg=1 / 80)
RELAXING = ej.Crossbar(
    device=ej.VerifyRelaxation(
        tolerance=2.0, relaxation=1.0, relaxation_per_decade=0.5, onset=0.1
    ),
    r_wg=1 / 80,
)


def steps(tx, sequence, w):
    """Weights and state after some updates."""
    state = tx.init(w)
    for updates in sequence:
        updates, state = tx.update(updates, state, w)
        w = optax.apply_updates(w, updates)
    return w, state


def test_a_weight_of_one_is_eighty_microsiemens():
    assert ej.Crossbar(r_wg=1 / 80).conductance(1.0) == 80


def test_weight_undoes_conductance():
    crossbar, w = ej.Crossbar(r_wg=0.3), jnp.linspace(-2, 2, 101)
    np.testing.assert_allclose(crossbar.weight(crossbar.conductance(w)), w, rtol=1e-6)


@pytest.mark.parametrize("shape", [(), (3,), (3, 1), (2, 3, 4), (3, 3, 1, 8)])
def test_the_array_holds_what_has_two_axes_or_more(shape):
    assert ej.is_on_array(jnp.zeros(shape)) == (len(shape) >= 2)
    assert ej.array_mask({"x": np.zeros(shape)}) == {"x": len(shape) >= 2}


# Reads


def test_read_weights_have_the_read_noise_in_weight_units():
    seen = ej.read_weights(jr.key(0), NOISY_READ, jnp.full(SHAPE, 0.5))
    assert_mean(np.ravel(seen), 0.5)
    assert_variance(np.ravel(80 * seen), 4.0**2)


def test_read_weights_leave_digital_leaves_and_structure():
    w = {"w": (jnp.ones((3, 4), jnp.bfloat16), None), "b": jnp.arange(3.0), "s": 1.0}
    w["s"] = jnp.asarray(2.0)
    seen = ej.read_weights(jr.key(0), NOISY_READ, w)
    chex.assert_trees_all_equal_shapes_and_dtypes(seen, w)
    chex.assert_trees_all_equal((seen["b"], seen["s"]), (w["b"], w["s"]))


def test_reads_of_two_leaves_and_two_keys_differ():
    w = {"a": jnp.ones((4, 4)), "b": jnp.ones((4, 4))}
    first, second = (ej.read_weights(jr.key(k), NOISY_READ, w) for k in (0, 1))
    assert not jnp.array_equal(first["a"], first["b"])
    assert not jnp.array_equal(first["a"], second["a"])


def test_every_leaf_may_be_read_through_its_own_crossbar():
    quiet = ej.Crossbar()
    w = {"a": jnp.ones((4, 4)), "b": {"c": jnp.ones((4, 4))}}
    seen = ej.read_weights(jr.key(0), {"a": quiet, "b": NOISY_READ}, w)
    np.testing.assert_allclose(seen["a"], w["a"], rtol=1e-6)
    assert not np.any(np.isclose(seen["b"]["c"], 1, atol=1e-6))


def test_gradient_of_a_read_reaches_the_device():
    def loss(read_noise, w):
        device = ej.AdditiveError(read_noise=read_noise)
        seen = ej.read_weights(jr.key(0), ej.Crossbar(device=device), w)
        return jnp.sum(seen**2)

    w = jnp.linspace(-1, 1, 12).reshape(3, 4)
    slope, slope_w = jax.grad(loss, (0, 1))(3.0, w)
    seen = ej.read_weights(
        jr.key(0), ej.Crossbar(device=ej.AdditiveError(read_noise=3.0)), w
    )
    np.testing.assert_allclose(slope, jnp.sum(2 * seen * (seen - w)) / 3, rtol=1e-4)
    np.testing.assert_allclose(slope_w, 2 * seen, rtol=1e-5)


# The window and stuck cells


def test_weights_stay_in_the_conductance_window():
    device = ej.AdditiveError(write_noise=20.0, g_min=-40.0, g_max=60.0)
    tx = ej.program(ej.Crossbar(device=device, r_wg=0.01), key=jr.key(0))
    w, _ = steps(tx, [jnp.full(SHAPE, 0.3), jnp.full(SHAPE, -0.9)], jnp.zeros(SHAPE))
    assert np.all((w >= -0.4 - 1e-6) & (w <= 0.6 + 1e-6))
    assert np.mean(w < -0.4 + 1e-6) > 0.5


def test_stuck_cells_sit_at_their_level_whatever_is_asked():
    stuck_at = jnp.where(jnp.arange(16.0).reshape(4, 4) % 3 == 0, 16.0, jnp.nan)
    crossbar = ej.Crossbar(stuck_at=stuck_at, r_wg=0.1)
    tx = ej.program(crossbar, key=jr.key(0))
    w, state = steps(tx, [jnp.zeros((4, 4))], jnp.ones((4, 4)))
    stuck = ~np.isnan(stuck_at)
    np.testing.assert_allclose(w, np.where(stuck, 1.6, 1.0), rtol=1e-6)
    updates, _ = tx.update(jnp.full((4, 4), 0.7), state, w)
    assert np.all(np.abs(updates[stuck]) < 1e-6)
    assert np.all(updates[~stuck] != 0)


# Chips with memory


def test_relaxing_weights_are_the_conductances_of_the_state():
    tx = ej.program(RELAXING, key=jr.key(0), step_time=1.0)
    dw = jnp.where(jnp.arange(65_536).reshape(SHAPE) % 2 == 0, 0.1, 0.0)
    w, state = steps(tx, [dw, 0 * dw, dw], jnp.zeros(SHAPE))
    cells = optax.tree.get(state, "cells")
    np.testing.assert_allclose(w, cells.g / 80, atol=1e-6)
    np.testing.assert_allclose(cells.age, np.where(dw == 0, 3.0, 0.0))


def test_a_written_cell_then_relaxes_for_the_time_of_its_age():
    tx = ej.program(RELAXING, key=jr.key(1), step_time=3.3)
    dw = jnp.full(SHAPE, 0.1)
    w, _ = steps(tx, [dw, 0 * dw, 0 * dw, 0 * dw], jnp.zeros(SHAPE))
    s = 1.0 + 0.5 * np.log10(1 + np.array([1, 3]) * 3.3 / 0.1)
    assert_mean(np.ravel(w), 0.1)
    before_the_write = s[0] ** 2 - 1.0**2
    assert_variance(np.ravel(80 * w), before_the_write + 2.0**2 / 3 + s[1] ** 2)


def test_a_rewrite_starts_from_the_relaxed_conductance_and_adds_its_own_error():
    tx = ej.program(RELAXING, key=jr.key(2), step_time=0.0)
    dw = jnp.full(SHAPE, 0.1)
    w, _ = steps(tx, [dw, dw], jnp.zeros(SHAPE))
    assert_mean(np.ravel(w), 0.2)
    assert_variance(np.ravel(80 * w), 2 * (2.0**2 / 3 + 1.0**2))


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_without_time_an_untouched_relaxing_cell_is_bit_identical(dtype):
    w = jr.normal(jr.key(0), SHAPE, dtype)
    tx = ej.program(RELAXING, key=jr.key(0), step_time=0.0)
    dw = jnp.zeros(SHAPE, dtype).at[:100].set(0.1)
    moved, _ = steps(tx, [dw, dw], w)
    assert jnp.array_equal(moved[100:], w[100:])


def test_devices_without_memory_keep_no_conductances():
    tx = ej.program(ej.Crossbar(), key=jr.key(0))
    assert optax.tree.get(tx.init(jnp.zeros((2, 2))), "cells") is None
