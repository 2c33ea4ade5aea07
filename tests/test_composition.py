"""The chain optimiser, gate, write: whole, inside everything optax and jax offer."""

import chex
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

import eapu_jax as ej
from tests.statistics import assert_mean

OPTIMISERS = {
    "adam": lambda lr: optax.adam(lr),
    "adamw": lambda lr: optax.adamw(lr, weight_decay=0.01),
    "sgd, momentum": lambda lr: optax.sgd(lr, momentum=0.9),
    "lion": lambda lr: optax.lion(lr),
}
THETA = 0.025
CROSSBAR = ej.Crossbar(device=ej.AdditiveError(write_noise=2.0), r_wg=1 / 80)
each_optimiser = pytest.mark.parametrize("name", OPTIMISERS)


@pytest.fixture(autouse=True)
def as_optax_needs():
    """optax.adam raises a float to an integer power, which strict mode refuses."""
    with jax.numpy_dtype_promotion("standard"):
        yield


def chain(optimiser, threshold=THETA, key=None, crossbar=CROSSBAR):
    key_gate, key_write = jr.split(jr.key(0) if key is None else key)
    gate = ej.eapu(threshold, key=key_gate)
    return optax.chain(optimiser, gate, ej.program(crossbar, key=key_write))


def weights(dtype=jnp.float32):
    """Small, and eight wide: such arrays compile fastest."""
    kernel = jnp.linspace(-1, 1, 64, dtype=dtype).reshape(8, 8)
    return {"a": kernel, "bias": kernel[0]}


def slopes(t, params=None):
    """A gradient that does not see the weights."""
    params = weights() if params is None else params
    return jax.tree.map(lambda w: jnp.sin(9 * w + t), params)


def train(tx, steps=3, params=None):
    """Weights and state after some steps on fixed gradients, in one scan."""
    params = weights() if params is None else params

    def step(carry, t):
        w, state = carry
        updates, state = tx.update(slopes(t, params), state, w)
        return (optax.apply_updates(w, updates), state), None

    ts = jnp.arange(steps, dtype=params["a"].dtype)
    go = jax.jit(lambda carry: jax.lax.scan(step, carry, ts))
    return go((params, tx.init(params)))[0]


# With every optimiser


@each_optimiser
def test_the_optimiser_remembers_raw_gradients_only(name):
    _, on_chip = train(chain(OPTIMISERS[name](0.01)))
    _, ideal = train(OPTIMISERS[name](0.01))
    chex.assert_trees_all_close(on_chip[0], ideal, rtol=1e-6)


@each_optimiser
def test_a_step_is_nothing_the_threshold_or_what_the_optimiser_asked(name):
    optimiser = OPTIMISERS[name](0.02)
    asked, _ = optimiser.update(slopes(0), optimiser.init(weights()), weights())
    gated = optax.chain(optimiser, ej.eapu(THETA, key=jr.key(0)))
    steps, _ = gated.update(slopes(0), gated.init(weights()), weights())
    d, step = asked["a"], steps["a"]
    assert np.all((step == 0) | (step == jnp.sign(d) * jnp.maximum(abs(d), THETA)))
    assert jnp.array_equal(steps["bias"], asked["bias"])


@each_optimiser
def test_chips_learn_like_the_optimiser_on_average(name):
    w = jnp.full((4, 4), 0.3)

    def step(tx, w, state):
        updates, state = tx.update(0.5 + w, state, w)
        return optax.apply_updates(w, updates), state

    def chip(key):
        tx = chain(OPTIMISERS[name](0.004), key=key)
        return step(tx, w, tx.init(w))[0]

    ideal = OPTIMISERS[name](0.004)
    together = jax.jit(jax.vmap(chip))(jr.split(jr.key(1), 5000))
    assert_mean(together, step(ideal, w, ideal.init(w))[0])


@each_optimiser
def test_a_chip_descends_inside_jit_vmap_scan(name):
    def chip(key):
        tx = chain(OPTIMISERS[name](0.01), key=key)

        def step(carry, _):
            w, state = carry
            updates, state = tx.update(w, state, w)
            return (optax.apply_updates(w, updates), state), jnp.mean(w**2)

        w = jnp.ones((8, 8))
        return jax.lax.scan(step, (w, tx.init(w)), None, length=300)[1]

    loss = jax.jit(jax.vmap(chip))(jr.split(jr.key(2), 8))
    assert np.all(loss[:, -1] < 0.03)


@each_optimiser
def test_without_noise_or_gate_the_chain_is_the_optimiser(name):
    quiet = ej.Crossbar(device=ej.AdditiveError(write_noise=0.0))
    tx = optax.chain(
        OPTIMISERS[name](0.01), ej.write_all(), ej.program(quiet, key=jr.key(0))
    )
    on_chip, ideal = train(tx, 10)[0], train(OPTIMISERS[name](0.01), 10)[0]
    chex.assert_trees_all_close(on_chip, ideal, atol=1e-5)


# Thresholds


def test_every_leaf_may_have_its_own_threshold():
    tx = ej.eapu({"a": 2.0, "b": 0.5, "bias": 1.0}, key=jr.key(0))
    updates = {"a": jnp.full((16, 16), 0.25), "b": jnp.full((16, 16), 0.25)}
    updates["bias"] = jnp.full(3, 0.25)
    steps, _ = tx.update(updates, tx.init(updates))
    assert {float(jnp.max(steps[k])) for k in "ab"} == {2.0, 0.5}
    assert jnp.array_equal(steps["bias"], updates["bias"])


def test_a_threshold_may_stand_for_a_whole_branch():
    branch = {"q": jnp.full((16, 16), 0.25), "k": jnp.full((16, 16), 0.25)}
    tx = ej.eapu((0.5, 2.0), key=jr.key(0))
    steps, _ = tx.update((branch, branch), tx.init((branch, branch)))
    assert {float(jnp.max(x)) for x in jax.tree.leaves(steps[0])} == {0.5}
    assert {float(jnp.max(x)) for x in jax.tree.leaves(steps[1])} == {2.0}


def test_a_traced_threshold_gives_what_a_number_gives():
    updates = slopes(0)

    def steps(theta):
        tx = ej.eapu(theta, key=jr.key(0))
        return tx.update(updates, tx.init(updates))[0]

    chex.assert_trees_all_equal(jax.jit(steps)(0.7), steps(0.7))


def test_hyperparameters_are_swept_in_one_compiled_call():
    def chip(lr, theta):
        return ej.update_ratio(train(chain(optax.sgd(lr), theta), 1)[1])

    sweep = jax.jit(jax.vmap(jax.vmap(chip, (None, 0)), (0, None)))
    ratio = sweep(jnp.array([0.0, 0.01, 1.0]), jnp.array([0.001, 0.025, 1e3]))
    assert ratio.shape == (3, 3)
    assert np.all(np.diff(ratio, axis=0) >= 0)
    assert np.all(np.diff(ratio, axis=1) <= 0)
    assert ratio[0, 0] == 0
    assert ratio[2, 0] > 0.95


# What optax can wrap around it


def test_the_default_is_the_explicit_partition():
    labels = {"a": "array", "bias": "digital"}
    parts = {"array": chain(optax.adam(0.01)), "digital": optax.adam(0.01)}
    explicit, _ = train(optax.partition(parts, labels))
    default, _ = train(chain(optax.adam(0.01)))
    chex.assert_trees_all_close(explicit, default, rtol=1e-6)


def test_a_masked_leaf_gets_the_optimiser():
    whole = optax.masked(chain(optax.identity()), {"a": False, "bias": True})
    on_chip, _ = train(optax.chain(optax.adam(0.01), whole))
    chex.assert_trees_all_close(on_chip, train(optax.adam(0.01))[0], rtol=1e-6)


def test_accumulated_gradients_are_written_once():
    tx = optax.MultiSteps(chain(optax.sgd(1.0), 1e-6), every_k_schedule=4)
    update, w = jax.jit(tx.update), weights()
    state, moved = tx.init(w), []
    for t in range(8):
        updates, state = update(slopes(t), state, w)
        moved.append(bool(np.all(updates["a"] != 0)))
    assert moved == [False, False, False, True] * 2
    assert np.all(ej.writes_per_cell(state)["a"] == 2)


def test_named_chain_is_the_chain_with_names():
    key_gate, key_write = jr.split(jr.key(0))
    tx = optax.named_chain(
        ("optimiser", optax.adam(0.01)),
        ("gate", ej.eapu(THETA, key=key_gate)),
        ("array", ej.program(CROSSBAR, key=key_write)),
    )
    w, state = train(tx)
    chex.assert_trees_all_equal(w, train(chain(optax.adam(0.01)))[0])
    assert ej.writes_per_cell(state)["a"].shape == (8, 8)


def test_injected_learning_rate_and_threshold_can_be_turned_while_training():
    @optax.inject_hyperparams
    def build(lr, theta):
        return chain(optax.sgd(lr), theta)

    tx = build(lr=optax.linear_schedule(0.1, 0.0, 10), theta=1e-6)
    state = tx.init(weights())
    update = jax.jit(tx.update)
    updates, state = update(slopes(0), state, weights())
    assert ej.update_ratio(state) == 1
    state.hyperparams["theta"] = jnp.float32(1e9)
    w = optax.apply_updates(weights(), updates)
    _, state = update(slopes(1), state, w)
    assert ej.update_ratio(state) == 0


def test_half_precision_training_keeps_its_dtype_and_its_biases():
    half = weights(jnp.bfloat16)
    w, _ = train(chain(optax.adam(0.02)), params=half)
    ideal, _ = train(optax.adam(0.02), params=half)
    chex.assert_trees_all_equal_shapes_and_dtypes(w, half)
    assert jnp.array_equal(w["bias"], ideal["bias"])
    assert not jnp.array_equal(w["a"], half["a"])


def test_a_scan_is_a_loop_of_compiled_steps():
    tx, w = chain(optax.adam(0.02)), weights()
    state, update = tx.init(w), jax.jit(tx.update)
    for t in range(3):
        updates, state = update(slopes(float(t)), state, w)
        w = optax.apply_updates(w, updates)
    chex.assert_trees_all_close(w, train(tx)[0], atol=1e-6)


# The deterministic rivals

RIVAL = jnp.array([[-0.9, -0.2, -0.19, 0.0, 0.21, 0.5, 1.0, -1.7]])


def test_drop_below_forgets_what_is_under_the_threshold():
    tx = ej.drop_below(0.5)
    step, _ = tx.update(RIVAL, tx.init(RIVAL))
    expected = np.where(np.abs(RIVAL) < 0.5, 0, RIVAL)
    np.testing.assert_array_equal(step, expected)


def test_lift_above_drops_below_a_fifth_and_lifts_the_rest():
    tx = ej.lift_above(1.0)
    step, _ = tx.update(RIVAL, tx.init(RIVAL))
    np.testing.assert_allclose(step, [[-1, -1, 0, 0, 1, 1, 1, -1.7]])


@pytest.mark.parametrize("rival", [ej.drop_below, ej.lift_above])
def test_small_adam_steps_never_pass_a_deterministic_gate(rival):
    write = ej.program(CROSSBAR, key=jr.key(0))
    w, state = train(optax.chain(optax.adam(1e-3), rival(THETA), write), 20)
    assert not np.any(ej.writes_per_cell(state)["a"])
    chex.assert_trees_all_equal(w["a"], weights()["a"])


def test_write_all_asks_for_every_update():
    updates = slopes(0)
    tx = ej.write_all()
    chex.assert_trees_all_equal(tx.update(updates, tx.init(updates))[0], updates)
