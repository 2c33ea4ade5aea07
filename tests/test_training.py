"""The training loop: pure in (seed, chip), exact in its limits, honest counts."""

from functools import cache

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

import eapu_jax as ej
from chipsweep import keys_of
from experiments.data import load_images
from experiments.learning.inputs import Data, prepare
from experiments.learning.loop import first_weights, train
from experiments.learning.networks import mlp
from experiments.learning.recipe import SCHEDULES, Recipe
from experiments.learning.rules import hardware
from experiments.learning.task import accuracy
from tests.statistics import assert_within

NETWORK = mlp((12, 10))
RECIPE = Recipe(epochs=2, batch_size=32)
RATE = 3e-3


@cache
def images() -> Data:
    return prepare(load_images("digits", 192, 60))


def see(step):
    """The law of the writes of a step under EaPU at 2 uS, and what it did."""
    p = [jnp.minimum(jnp.abs(d) * 80 / 2.0, 1) for d in step.requested]
    law = sum(x.sum() for x in p), sum((x * (1 - x)).sum() for x in p)
    return law, (step.applied[0], step.weights[0], step.writes[0])


@cache
def chips(rule):
    """Many chips of one seed: one program of each rule serves all tests."""

    def one(chip, root, noise, threshold, r_wg):
        device = ej.AdditiveError(write_noise=noise)
        return train(
            keys_of(root, 0, chip),
            NETWORK,
            images(),
            RECIPE,
            rule,
            learning_rate=RATE,
            crossbar=ej.Crossbar(device=device, r_wg=r_wg),
            threshold=threshold * r_wg,
            observe=see,
        )

    return jax.jit(jax.vmap(one, (0, *[None] * 4)))


def run(rule, which=(0, 1, 2), noise=2.0, threshold=2.0, r_wg=1 / 80, seed=0):
    return jax.device_get(
        chips(rule)(jnp.array(which), jr.key(seed), noise, threshold, r_wg)
    )


def test_ideal_training_is_plain_optax():
    data, network, key = images(), NETWORK, keys_of(jr.key(0), 0, 0).seed
    params = first_weights(key, network, data)
    optimizer = optax.adam(RATE)
    state = optimizer.init(params)

    @jax.jit
    @jax.value_and_grad
    def descend(params, x, y):
        logits = network.apply({"params": params}, x)
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    order = jr.permutation(jr.fold_in(jr.fold_in(key, 1), 0), 192)
    losses = []
    for batch in order.reshape(-1, 32):
        value, grads = descend(params, data.x_train[batch], data.y_train[batch])
        with jax.numpy_dtype_promotion("standard"):  # optax is not strict
            updates, state = jax.jit(optimizer.update)(grads, state)
        params = optax.apply_updates(params, updates)
        losses.append(value)
    np.testing.assert_allclose(run("ideal").loss[0, :6], losses, rtol=1e-4)


def test_only_the_product_with_r_wg_matters():
    one = run("eapu", noise=2.0, threshold=2.0, r_wg=1 / 160)
    two = run("eapu", noise=1.0, threshold=1.0, r_wg=1 / 80)
    same = (found._replace(arrays=None) for found in (one, two))
    jax.tree.map(np.testing.assert_array_equal, *same)  # powers of two
    for path, array in one.arrays.items():
        assert np.array_equal(array.cells.g, 2 * two.arrays[path].cells.g)


def test_without_noise_noisy_backpropagation_is_ideal():
    quiet, ideal = run("noisy", noise=0.0), run("ideal")
    np.testing.assert_allclose(quiet.loss, ideal.loss, rtol=1e-3)


def test_chip_two_is_chip_two_whoever_its_neighbours_are():
    here, there = run("eapu"), run("eapu", which=(2, 7, 5))
    np.testing.assert_allclose(there.loss[0], here.loss[2], rtol=1e-4)
    assert int(there.writes[0][0].sum()) == int(here.writes[0][2].sum())


def test_chips_differ_seeds_differ_and_a_rerun_does_not():
    one, again, other = run("eapu"), run("eapu"), run("eapu", seed=1)
    assert one.loss[0, 0] == one.loss[1, 0]  # the same first weights and batch
    assert one.loss[0, -1] != one.loss[1, -1]
    assert one.loss[0, 0] != other.loss[0, 0]
    jax.tree.map(np.testing.assert_array_equal, one, again)


def test_counts_and_ratios_tell_the_same_story():
    curves = run("eapu")
    counted = np.stack([n.mean((1, 2)) for n in curves.writes], -1)
    np.testing.assert_allclose(curves.update_ratio.sum(1), counted, rtol=1e-4)


def test_what_is_never_written_counts_nothing():
    curves = run("ideal")
    assert not curves.update_ratio.any()
    assert [n.shape for n in curves.writes] == [(3, 64, 12), (3, 12, 10)]
    assert not any(n.any() for n in curves.writes)


def test_writes_follow_the_law_of_the_updates_of_the_run():
    curves = run("eapu")
    mean, variance = (x.sum(1) for x in curves.observed[0])
    total = sum(n.sum((1, 2)) for n in curves.writes)
    assert_within(total, mean, np.sqrt(variance))


def test_a_step_is_seen_as_it_was():
    curves = run("noisy")
    applied, weights, writes = curves.observed[1]
    moved = np.diff(weights, axis=1)
    np.testing.assert_allclose(moved, applied[:, 1:], atol=1e-6)
    np.testing.assert_array_equal(weights[:, -1], curves.params["Dense_0"]["kernel"])
    np.testing.assert_array_equal(writes[:, -1], curves.writes[0])


@pytest.mark.parametrize("rule", ["drop_below", "lift_above"])
def test_deterministic_rules_never_write_under_adam(rule):
    array = hardware(jr.key(0), rule, ej.Crossbar(), 8.0 / 80)
    tx, weights = optax.chain(optax.adam(RATE), array), {"kernel": jnp.zeros((64, 12))}

    def step(state, key):
        gradients = {"kernel": jr.normal(key, (64, 12))}
        with jax.numpy_dtype_promotion("standard"):  # optax is not strict
            return tx.update(gradients, state, weights)[::-1]

    def descend(key):
        return jax.lax.scan(step, tx.init(weights), jr.split(key, 12))

    wear, moved = jax.jit(descend)(jr.key(1))
    assert not any(n.any() for n in ej.writes_per_cell(wear).values())
    assert not moved["kernel"].any()


def test_a_diverged_chip_is_missing_and_its_neighbours_go_on():
    logits = jnp.array([[[0.0, 1.0]], [[jnp.nan, 1.0]]])
    found = jax.vmap(accuracy, (0, None))(logits, jnp.array([1]))
    np.testing.assert_array_equal(found, [1.0, np.nan])


def test_schedules_end_where_they_should():
    rates = {s: Recipe(schedule=s, epochs=15).decay(640) for s in SCHEDULES}
    assert np.all(rates["constant"] == 1)
    np.testing.assert_allclose(rates["drop"][[0, 99, 100]], [1, 1, 0.1])
    np.testing.assert_allclose(rates["cosine"][75], 0.5, rtol=1e-6)


@pytest.mark.parametrize(("schedule", "left"), [("halves", 0.5), ("tenths", 0.1)])
def test_steps_come_again_after_as_many_epochs(schedule, left):
    """PyTorch's StepLR: epoch e has factor ** (e // step_epochs)."""
    rates = Recipe(schedule=schedule, epochs=7, step_epochs=3).decay(640)
    expected = np.repeat([left ** (e // 3) for e in range(7)], 10)
    np.testing.assert_allclose(rates, expected, rtol=1e-6)


def test_plain_sgd_has_no_momentum():
    tx = Recipe(optimizer="plain_sgd", epochs=2, schedule="constant").build(0.5, 64)
    w = jnp.zeros(2)
    state = tx.init(w)
    for slope in (1.0, -2.0):
        update, state = tx.update(jnp.full(2, slope), state, w)
        np.testing.assert_allclose(update, -0.5 * slope)


def test_pixels_of_unit_inputs_are_as_they_are():
    raw = load_images("digits", 50, 50)
    seen = prepare(raw, inputs="unit")
    np.testing.assert_array_equal(seen.x_test, raw.x_test)


def test_a_rule_may_be_made_with_numbers_of_its_own():
    """Its threshold is then not that of the bench."""
    own = {"eapu": lambda on: ej.eapu(4.0 * on.threshold, key=on.key)}
    quiet = ej.Crossbar(device=ej.AdditiveError(write_noise=0.0))
    array = hardware(jr.key(0), "eapu", quiet, 0.1, own=own)
    w = jnp.zeros((40, 40))
    sent, _ = array.update(jnp.full_like(w, 0.2), array.init(w), w)
    np.testing.assert_allclose(np.unique(np.round(sent, 5)), [0, 0.4], rtol=1e-5)


@pytest.mark.parametrize(
    "bad",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"optimizer": "adamw"},
        {"schedule": "linear"},
        {"warm_up": -1},
    ],
)
def test_recipes_name_the_field_they_refuse(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        Recipe(**bad)


def test_bad_rules_and_sizes_are_refused():
    with pytest.raises(ValueError, match="rule"):
        hardware(jr.key(0), "magic", ej.Crossbar(), 0.1)
    with pytest.raises(ValueError, match="batch_size"):
        Recipe(batch_size=500).decay(100)
    with pytest.raises(ValueError, match="pool"):
        prepare(load_images("digits", 50, 50), pool=3)
    with pytest.raises(ValueError, match="inputs must be one of"):
        prepare(load_images("digits", 50, 50), inputs="raw")


def test_bipolar_inputs_run_from_black_to_white():
    raw = load_images("digits", 50, 50)
    seen = prepare(raw, inputs="bipolar").x_train
    assert (seen[raw.x_train == 0] == -1).all()
    assert (seen[raw.x_train == 1] == 1).all()
    np.testing.assert_allclose((seen + 1) / 2, raw.x_train, atol=1e-7)


def test_images_are_pooled_by_means_then_standardised():
    raw, small = (
        load_images("digits", 192, 60),
        prepare(load_images("digits", 192, 60), 2),
    )
    train, test = (
        x.reshape(-1, 4, 2, 4, 2, 1).mean((2, 4)) for x in (raw.x_train, raw.x_test)
    )
    expected = (test - train.mean()) / train.std()
    np.testing.assert_allclose(small.x_test, expected, atol=1e-4)
