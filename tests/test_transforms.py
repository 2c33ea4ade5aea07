"""What every transform between optimiser and cells must obey.

A new transform is covered by a line in TRANSFORMS: a factory that takes its
numbers and a key (used or not), and the numbers.
"""

import chex
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

import eapu_jax as ej

NOISY = ej.Crossbar(device=ej.AdditiveError(write_noise=2.0, g_min=-300.0, g_max=300.0))
RELAXING = ej.Crossbar(device=ej.VerifyRelaxation())
PULSED = ej.Crossbar(device=ej.SoftBounds())


def program(crossbar):
    return lambda step_time, *, key: ej.program(crossbar, key=key, step_time=step_time)


TRANSFORMS = {
    "eapu": (ej.eapu, {"threshold": 0.5}),
    "write_all": (lambda *, key: ej.write_all(), {}),
    "drop_below": (
        lambda threshold, *, key: ej.drop_below(threshold),
        {"threshold": 0.5},
    ),
    "lift_above": (
        lambda threshold, floor, *, key: ej.lift_above(threshold, floor),
        {"threshold": 0.5, "floor": 0.2},
    ),
    "manhattan": (lambda step, *, key: ej.manhattan(step), {"step": 0.1}),
    "sign_threshold": (
        lambda threshold, step, *, key: ej.sign_threshold(threshold, step),
        {"threshold": 0.5, "step": 0.1},
    ),
    "stochastic_rounding": (ej.stochastic_rounding, {"step": 0.3}),
    "stochastic_sparse": (ej.stochastic_sparse, {"step": 0.3, "momentum": 0.5}),
    "pulse_train": (
        lambda step, *, key: ej.pulse_train(step, length=4, key=key),
        {"step": 0.3},
    ),
    "mixed_precision": (lambda step, *, key: ej.mixed_precision(step), {"step": 0.3}),
    "eapu_residual": (
        lambda threshold, *, key: ej.eapu_residual(threshold, bits=3, key=key),
        {"threshold": 0.6},
    ),
    "hidden_integer": (
        lambda step, *, key: ej.hidden_integer(step, states=64, every=1),
        {"step": 0.11},
    ),
    "hidden_integer, by chance": (
        lambda step, *, key: ej.hidden_integer(step, states=64, every=1, key=key),
        {"step": 0.11},
    ),
    "program": (program(NOISY), {"step_time": 0.0}),
    "program, relaxing": (program(RELAXING), {"step_time": 1.0}),
    "program, pulsed": (program(PULSED), {"step_time": 0.0}),
}
DRAWS = {
    "eapu",
    "stochastic_rounding",
    "stochastic_sparse",
    "pulse_train",
    "eapu_residual",
    "hidden_integer, by chance",
} | {name for name in TRANSFORMS if name.startswith("program")}
SEVERAL = {
    "tiki_taka": (
        lambda rate, gamma, *, key: ej.tiki_taka(
            NOISY, NOISY, rate=rate, gamma=gamma, key=key
        ),
        {"rate": 0.5, "gamma": 0.3},
    ),
    "chopped_tiki_taka": (
        lambda threshold, gamma, *, key: ej.chopped_tiki_taka(
            PULSED, NOISY, threshold=threshold, gamma=gamma, flip=0.5, key=key
        ),
        {"threshold": 0.1, "gamma": 0.3},
    ),
    "multi_tile": (
        lambda rate, gamma, *, key: ej.multi_tile(
            [NOISY, PULSED, PULSED], rate=rate, gamma=gamma, key=key
        ),
        {"rate": 0.5, "gamma": 0.3},
    ),
    "low_rank_tiki_taka": (
        lambda rate, *, key: ej.low_rank_tiki_taka(
            NOISY, NOISY, rank=2, rate=rate, key=key
        ),
        {"rate": 0.5},
    ),
    "track_symmetric_point": (
        lambda rate, gamma, *, key: ej.track_symmetric_point(
            NOISY, NOISY, rate=rate, gamma=gamma, flip=0.5, key=key
        ),
        {"rate": 0.5, "gamma": 0.3},
    ),
}
TRANSFORMS |= SEVERAL
DRAWS |= set(SEVERAL)
AT_REST = [name for name in TRANSFORMS if name != "program, relaxing"]
SLOWLY = {
    "chopped_tiki_taka",
    "low_rank_tiki_taka",
    "multi_tile",
    "track_symmetric_point",
}
each = pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] * (n in SLOWLY)) for n in TRANSFORMS],
)


def build(name, key=None):
    factory, numbers = TRANSFORMS[name]
    return factory(**numbers, key=jr.key(0) if key is None else key)


def weights(dtype=jnp.float32):
    """Two arrays, digital leaves of one and no axes, and an absent leaf."""
    return {
        "a": jnp.linspace(-0.7, 0.7, 64, dtype=dtype).reshape(8, 8),
        "b": (jnp.linspace(0, 1, 32, dtype=dtype).reshape(4, 8), None),
        "bias": jnp.linspace(0, 1, 5, dtype=dtype),
        "gain": jnp.asarray(0.3, dtype),
    }


def requests(t=0, dtype=jnp.float32):
    """Updates on both sides of the threshold; a different tree every step."""
    return jax.tree.map(lambda w: jnp.sin(7 * w + t).astype(dtype), weights())


def train(tx, steps, state=None, start=0, params=None):
    """Weights and state after the steps from `start` on."""
    params = weights() if params is None else params
    state = tx.init(params) if state is None else state
    for t in range(start, start + steps):
        updates, state = tx.update(requests(t), state, params)
        params = optax.apply_updates(params, updates)
    return params, state


def plain(state):
    """Keys as their data, so that states can be compared and stored."""
    return jax.tree.map(
        lambda x: jr.key_data(x) if jnp.issubdtype(x.dtype, jax.dtypes.prng_key) else x,
        state,
    )


@each
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_structure_shape_and_dtype_are_kept(name, dtype):
    tx, updates = build(name), requests(dtype=dtype)
    out, _ = tx.update(updates, tx.init(weights(dtype)), weights(dtype))
    chex.assert_trees_all_equal_structs(out, updates)
    chex.assert_trees_all_equal_shapes_and_dtypes(out, updates)
    chex.assert_tree_all_finite(out)


@each
def test_half_precision_updates_of_single_precision_weights_keep_their_dtype(name):
    tx, updates = build(name), requests(dtype=jnp.bfloat16)
    out, _ = tx.update(updates, tx.init(weights()), weights())
    chex.assert_trees_all_equal_shapes_and_dtypes(out, updates)


@each
def test_digital_leaves_pass_bit_for_bit(name):
    tx = build(name)
    out, _ = tx.update(requests(), tx.init(weights()), weights())
    chex.assert_trees_all_equal(out["bias"], requests()["bias"])
    chex.assert_trees_all_equal(out["gain"], requests()["gain"])


@pytest.mark.parametrize("name", AT_REST)
def test_zero_stays_zero(name):
    tx, nothing = build(name), jax.tree.map(jnp.zeros_like, weights())
    out, _ = tx.update(nothing, tx.init(weights()), weights())
    chex.assert_trees_all_equal(out, nothing)


@each
def test_a_tree_without_arrays_passes(name):
    tx, params = build(name), {"bias": jnp.ones(3), "none": None}
    out, _ = tx.update(params, tx.init(params), params)
    chex.assert_trees_all_equal(out, params)


@each
def test_unknown_extra_arguments_are_ignored(name):
    tx = build(name)
    a, _ = tx.update(requests(), tx.init(weights()), weights())
    b, _ = tx.update(requests(), tx.init(weights()), weights(), value=1.0, loss="x")
    chex.assert_trees_all_equal(a, b)


@each
def test_state_is_stable_in_shape_under_cond_and_scan(name):
    tx = build(name)

    def step(state, t):
        move = lambda s: tx.update(requests(), s, weights())  # noqa: E731
        stay = lambda s: (requests(), s)  # noqa: E731
        return jax.lax.cond(t > 0, move, stay, state)[::-1]

    start = tx.init(weights())
    end, _ = jax.eval_shape(lambda s: jax.lax.scan(step, s, jnp.arange(3)), start)
    chex.assert_trees_all_equal_shapes_and_dtypes(start, end)


@each
def test_one_trace_serves_every_step(name):
    chex.clear_trace_counter()
    tx = build(name)
    update = jax.jit(chex.assert_max_traces(tx.update, n=1))
    train(optax.GradientTransformationExtraArgs(tx.init, update), 3)


@each
def test_resumes_bit_for_bit_from_a_saved_state(name):
    tx = build(name)
    through, _ = train(tx, 4)
    params, state = train(tx, 2)
    saved = [np.asarray(x) for x in jax.tree.leaves(plain(state))]
    fresh, treedef = jax.tree.flatten(tx.init(weights()))
    restored = [
        jr.wrap_key_data(s) if jnp.issubdtype(x.dtype, jax.dtypes.prng_key) else s
        for s, x in zip(saved, fresh, strict=True)
    ]
    state = jax.tree.unflatten(treedef, restored)
    resumed, _ = train(tx, 2, state, start=2, params=params)
    chex.assert_trees_all_equal(resumed, through)


@each
def test_same_key_same_training_other_key_other_training(name):
    a, b = (train(build(name, jr.key(5)), 2)[0] for _ in range(2))
    chex.assert_trees_all_equal(a, b)
    c = train(build(name, jr.key(6)), 2)[0]
    assert jnp.array_equal(a["a"], c["a"]) != (name in DRAWS)


@each
def test_compiled_is_eager(name):
    tx = build(name)
    state = tx.init(weights())
    eager, _ = tx.update(requests(), state, weights())
    compiled, _ = jax.jit(tx.update)(requests(), state, weights())
    chex.assert_trees_all_close(eager, compiled, atol=1e-6)


@each
def test_many_chips_do_what_each_does_alone(name):
    keys = jr.split(jr.key(3), 3)

    def chip(key):
        tx = build(name, key)

        def step(held, t):
            updates, state = tx.update(requests(t), held[1], held[0])
            return (optax.apply_updates(held[0], updates), state), None

        start = weights(), tx.init(weights())
        return jax.lax.scan(step, start, jnp.arange(2.0))[0][0]

    together = jax.jit(jax.vmap(chip))(keys)
    alone = jax.jit(chip)(keys[2])
    third = jax.tree.map(lambda x: x[2], together)
    chex.assert_trees_all_close(third, alone, atol=1e-6)
    if name in DRAWS and not name.startswith("program"):
        assert not jnp.array_equal(together["a"][0], together["a"][1])


@each
def test_works_masked(name):
    mask = {"a": True, "b": False, "bias": True, "gain": True}
    tx = optax.masked(build(name), mask)
    out, _ = tx.update(requests(), tx.init(weights()), weights())
    chex.assert_trees_all_equal(out["b"], requests()["b"])
    assert name == "write_all" or not jnp.array_equal(out["a"], requests()["a"])


@each
def test_works_in_a_named_chain(name):
    named = optax.named_chain(("scale", optax.scale(0.5)), ("last", build(name)))
    chained = optax.chain(optax.scale(0.5), build(name))
    chex.assert_trees_all_equal(train(named, 2)[0], train(chained, 2)[0])


@each
def test_works_in_a_partition(name):
    labels = {"a": "array", "b": "array", "bias": "digital", "gain": "digital"}
    parts = {"array": build(name), "digital": optax.scale(-2.0)}
    tx = optax.partition(parts, labels)
    out, _ = tx.update(requests(), tx.init(weights()), weights())
    chex.assert_trees_all_equal(out["bias"], -2 * requests()["bias"])
    assert name == "write_all" or not jnp.array_equal(out["a"], requests()["a"])


@each
def test_accumulated_steps_are_one_step_of_the_mean(name):
    with jax.numpy_dtype_promotion("standard"):
        several = optax.MultiSteps(build(name), every_k_schedule=2)
        update = jax.jit(several.update)
        first, state = update(requests(0), several.init(weights()), weights())
        second, _ = update(requests(1), state, weights())
    tx = build(name)
    mean = jax.tree.map(lambda a, b: a + (b - a) / 2, requests(0), requests(1))
    once, _ = tx.update(mean, tx.init(weights()), weights())
    chex.assert_trees_all_equal(first, jax.tree.map(jnp.zeros_like, first))
    chex.assert_trees_all_close(second, once, atol=1e-5)


@pytest.mark.parametrize("name", [n for n in TRANSFORMS if TRANSFORMS[n][1]])
def test_injected_hyperparameters_are_the_plain_ones(name):
    factory, numbers = TRANSFORMS[name]
    injected = optax.inject_hyperparams(factory, static_args=("key",))
    tx = injected(**numbers, key=jr.key(0))
    chex.assert_trees_all_close(train(tx, 2)[0], train(build(name), 2)[0], atol=1e-6)
    assert set(tx.init(weights()).hyperparams) == set(numbers)


@each
def test_hyperparameters_may_be_swept_by_vmap(name):
    factory, numbers = TRANSFORMS[name]

    def at(scale):
        scaled = {k: scale * v for k, v in numbers.items()}
        return train(factory(**scaled, key=jr.key(0)), 1)[0]["a"]

    together = jax.jit(jax.vmap(at))(jnp.array([1.0, 2.0]))
    np.testing.assert_allclose(together[1], jax.jit(at)(2.0), atol=1e-6)


def test_what_is_asked_for_as_it_is_may_go_to_another_gate_as_well():
    """`write_all` gives back what it was given; comparing gates refuses nothing."""
    tx, asked = ej.write_all(), requests()
    tx.update(asked, tx.init(asked))
    gate = ej.eapu(0.1, key=jr.key(0))
    gate.update(asked, gate.init(asked))
