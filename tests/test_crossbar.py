"""What programming does to the weights: windows, stuck cells, chips with memory."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

import eapu_jax as ej
from tests.statistics import assert_mean, assert_variance

SHAPE = (256, 256)
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


# The window and stuck cells


def test_weights_stay_in_the_conductance_window():
    device = ej.AdditiveError(write_noise=20.0, g_min=-40.0, g_max=60.0)
    tx = ej.program(ej.Crossbar(device=device, r_wg=0.01), key=jr.key(0))
    w, _ = steps(tx, [jnp.full(SHAPE, 0.3), jnp.full(SHAPE, -0.9)], jnp.zeros(SHAPE))
    assert np.all((w >= -0.4 - 1e-6) & (w <= 0.6 + 1e-6))
    assert np.mean(w < -0.4 + 1e-6) > 0.5


def test_stuck_cells_sit_at_their_level_whatever_is_asked():
    stuck = jnp.arange(16).reshape(4, 4) % 3 == 0
    crossbar = ej.Crossbar(stuck=stuck, stuck_at=16.0, r_wg=0.1)
    tx = ej.program(crossbar, key=jr.key(0))
    w, state = steps(tx, [jnp.zeros((4, 4))], jnp.ones((4, 4)))
    np.testing.assert_allclose(w, np.where(stuck, 1.6, 1.0), rtol=1e-6)
    updates, _ = tx.update(jnp.full((4, 4), 0.7), state, w)
    assert np.all(np.abs(updates[stuck]) < 1e-6)
    assert np.all(updates[~stuck] != 0)


# Chips with memory


def test_relaxing_weights_are_the_conductances_of_the_state():
    tx = ej.program(RELAXING, key=jr.key(0), step_time=1.0)
    dw = jnp.where(jnp.arange(65_536).reshape(SHAPE) % 2 == 0, 0.1, 0.0)
    w, state = steps(tx, [dw, 0 * dw, dw], jnp.zeros(SHAPE))
    cells = ej.view(state)[""].cells
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
