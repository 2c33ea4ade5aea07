"""Counts: how often which cells were written."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

import eapu_jax as ej

W = {"a": jnp.zeros((4, 8)), "b": jnp.zeros((16, 4)), "bias": jnp.zeros(8)}


def requests(share_a, share_b):
    """Ask for these shares of the cells of either layer."""
    ask = lambda w, share: jnp.where(  # noqa: E731
        jnp.arange(1.0 * w.size).reshape(w.shape) < share * w.size, 0.1, 0.0
    )
    return {"a": ask(W["a"], share_a), "b": ask(W["b"], share_b), "bias": W["bias"] + 1}


def after(tx, sequence):
    w, state, update = W, tx.init(W), jax.jit(tx.update)
    for updates in sequence:
        updates, state = update(updates, state, w)
        w = optax.apply_updates(w, updates)
    return state


PROGRAM = ej.program(ej.Crossbar(), key=jr.key(0))


def test_ratio_of_the_last_step_per_layer_and_over_all_cells():
    state = after(PROGRAM, [requests(1, 1), requests(0.5, 0.25)])
    layers = ej.layer_update_ratio(state)
    assert (layers["a"], layers["b"]) == (0.5, 0.25)
    np.testing.assert_allclose(ej.update_ratio(state), (16 + 16) / (32 + 64))


def test_writes_add_up_cell_by_cell():
    sequence = [requests(1, 0), requests(0.5, 0.25), requests(0.25, 0.5)]
    writes = ej.writes_per_cell(after(PROGRAM, sequence))
    for name in "ab":
        expected = sum(np.asarray(r[name] != 0, int) for r in sequence)
        np.testing.assert_array_equal(writes[name], expected)


def test_a_request_too_small_for_a_pulse_is_no_write():
    crossbar = ej.Crossbar(device=ej.SoftBounds(pulse=1.0), r_wg=1.0)
    tx = ej.program(crossbar, key=jr.key(0))
    _, state = tx.update(
        jnp.array([[0.4, 0.6, -0.4, -2.0]]), tx.init(w := jnp.zeros((1, 4))), w
    )
    assert ej.writes_per_cell(state)[""].tolist() == [[0, 1, 0, 1]]
    assert ej.update_ratio(state) == 0.5


def test_eighty_pulses_are_one_write_and_eighty_pulses():
    crossbar = ej.Crossbar(device=ej.SoftBounds(pulse=1.0), r_wg=1.0)
    tx = ej.program(crossbar, key=jr.key(0))
    w = jnp.zeros((1, 4))
    _, state = tx.update(jnp.array([[0.0, 80.0, -3.0, 0.2]]), tx.init(w), w)
    found = ej.totals(state)
    assert (found["up"], found["down"], found["written"]) == (80, 3, 2)
    assert ej.pulses_per_cell(state) == 83 / 4


def test_digital_leaves_are_not_counted():
    writes = ej.writes_per_cell(after(PROGRAM, [requests(1, 1)]))
    assert sum(x.size for x in jax.tree.leaves(writes)) == 32 + 64


def test_counts_start_at_zero():
    state = PROGRAM.init(W)
    assert ej.update_ratio(state) == 0
    assert not np.any(ej.writes_per_cell(state)["a"])


def test_a_cell_is_counted_where_it_was_changed():
    tx = optax.chain(ej.eapu(0.5, key=jr.key(1)), PROGRAM)
    w = jnp.zeros((32, 32))
    updates, state = tx.update(jnp.full_like(w, 0.1), tx.init(w), w)
    assert np.array_equal(ej.writes_per_cell(state)[""] == 1, updates != 0)
    np.testing.assert_allclose(ej.update_ratio(state), np.mean(updates != 0))


WRAPPERS = {
    "chain": lambda tx: optax.chain(optax.identity(), tx),
    "named chain": lambda tx: optax.named_chain(("array", tx)),
    "partition": lambda tx: optax.partition(
        {"array": tx, "digital": optax.identity()},
        {"a": "array", "b": "array", "bias": "digital"},
    ),
    "masked": lambda tx: optax.masked(tx, {"a": True, "b": True, "bias": False}),
    "inject": lambda tx: optax.inject_hyperparams(lambda x: tx)(x=1.0),
}


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
def test_counts_are_found_wherever_the_program_sits(wrap):
    state = after(wrap(PROGRAM), [requests(0.5, 0.25)])
    np.testing.assert_allclose(ej.update_ratio(state), 1 / 3, rtol=1e-6)


def test_counts_of_many_chips():
    def chip(key):
        tx = ej.program(ej.Crossbar(), key=key)
        return ej.update_ratio(tx.update(requests(0.5, 0.25), tx.init(W), W)[1])

    ratio = jax.jit(jax.vmap(chip))(jr.split(jr.key(0), 3))
    np.testing.assert_allclose(ratio, [1 / 3] * 3, rtol=1e-6)


def test_lifetime_is_steps_over_mean_writes():
    writes = {"a": jnp.array([[1, 3]]), "b": jnp.array([[0], [4], [2], [2]])}
    assert ej.lifetime_factor(writes, 300) == 300 / 2


def test_the_published_update_ratio_is_a_thousandfold_lifetime():
    writes = jnp.full((100, 10), 33, jnp.int32).at[:63].set(34)
    factor = ej.lifetime_factor(writes, 39_100)
    np.testing.assert_allclose(factor, 1 / 0.86e-3, rtol=1e-3)


def test_cells_never_written_live_for_ever():
    assert np.isinf(ej.lifetime_factor(jnp.zeros((2, 2), jnp.int32), 10))
