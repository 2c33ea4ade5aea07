"""The training loop: pure in (seed, chip), exact in its limits, honest counts."""

from functools import cache

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

from experiments import training
from experiments.data import load_images
from experiments.networks import mlp
from experiments.training import Data, Recipe, population, prepare, train
from tests.statistics import assert_within

NETWORK = mlp((12, 10))
RECIPE = Recipe(epochs=2, batch_size=32, learning_rate=3e-3)


@cache
def images() -> Data:
    return prepare(load_images("digits", 192, 60))


@cache
def chips(rule, observe=training.see_nothing):
    return population(NETWORK, RECIPE, rule, observe)


def run(rule, n_chips=3, noise=2.0, threshold=2.0, r_wg=1 / 80, seed=0, **kwargs):
    return chips(rule)(
        jr.key(seed), images(), n_chips, noise, threshold, r_wg, **kwargs
    )


def test_ideal_training_is_plain_optax():
    data, network = images(), NETWORK
    params = training.first_weights(jr.key(0), network, data)
    optimizer = optax.adam(RECIPE.learning_rate)
    state = optimizer.init(params)

    @jax.jit
    @jax.value_and_grad
    def descend(params, x, y):
        logits = network.apply(params, x)
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    order = jr.permutation(jr.fold_in(jr.fold_in(jr.key(0), 1), 0), 192)
    losses = []
    for batch in order.reshape(-1, 32):
        value, grads = descend(params, data.x_train[batch], data.y_train[batch])
        with jax.numpy_dtype_promotion("standard"):  # optax is not strict
            updates, state = jax.jit(optimizer.update)(grads, state)
        params = optax.apply_updates(params, updates)
        losses.append(value)
    np.testing.assert_allclose(run("ideal", 1).loss[0, :6], losses, rtol=1e-4)


def test_only_the_product_with_r_wg_matters():
    one = run("eapu", noise=2.0, threshold=2.0, r_wg=1 / 160)
    two = run("eapu", noise=1.0, threshold=1.0, r_wg=1 / 80)
    jax.tree.map(np.testing.assert_array_equal, one, two)  # I11: powers of two


def test_without_noise_noisy_backpropagation_is_ideal():
    quiet, ideal = run("noisy", 1, noise=0.0), run("ideal", 1)
    np.testing.assert_allclose(quiet.loss, ideal.loss, rtol=1e-3)


def test_chip_two_alone_is_chip_two_among_many():
    many = run("eapu")
    alone = jax.jit(
        lambda chip: train(
            jr.key(0), NETWORK, images(), RECIPE, "eapu", chip=chip, threshold=2.0
        )
    )(2)
    np.testing.assert_allclose(alone.loss, many.loss[2], rtol=1e-4)
    assert int(alone.writes[0].sum()) == int(many.writes[0][2].sum())


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
    cells = [n[0].size for n in curves.writes]
    overall = np.average(curves.update_ratio.mean(1), axis=1, weights=cells)
    np.testing.assert_allclose(training.mean_update_ratio(curves), overall, rtol=1e-4)


def test_writes_follow_the_law_of_the_updates_of_the_run():
    def expect(requested, applied, threshold, write_error):
        p = [jnp.minimum(jnp.abs(d) / threshold, 1) for d in requested]
        return sum(x.sum() for x in p), sum((x * (1 - x)).sum() for x in p)

    curves = population(NETWORK, RECIPE, "eapu", expect)(jr.key(0), images(), 3)
    mean, variance = (x.sum(1) for x in curves.observed)
    total = sum(n.sum((1, 2)) for n in curves.writes)
    assert_within(total, mean, np.sqrt(variance))


@pytest.mark.parametrize("rule", ["drop_below", "lift_above"])
def test_deterministic_rules_never_write_under_adam(rule):
    assert not any(n.any() for n in run(rule, 1, noise=2.0, threshold=8.0).writes)


def test_a_diverged_chip_is_missing_and_its_neighbours_go_on():
    logits = jnp.array([[[0.0, 1.0]], [[jnp.nan, 1.0]]])
    found = jax.vmap(training.accuracy, (0, None))(logits, jnp.array([1]))
    np.testing.assert_array_equal(found, [1.0, np.nan])


def test_schedules_end_where_they_should():
    rates = {s: Recipe(schedule=s).rates(640) for s in training.SCHEDULES}
    assert np.all(rates["constant"] == np.float32(1e-3))
    np.testing.assert_allclose(rates["drop"][[0, 99, 100]], [1e-3, 1e-3, 1e-4])
    np.testing.assert_allclose(rates["cosine"][75], 5e-4, rtol=1e-6)


@pytest.mark.parametrize(
    "bad",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"learning_rate": -1.0},
        {"learning_rate": float("nan")},
        {"optimizer": "lion"},
        {"schedule": "linear"},
    ],
)
def test_recipes_name_the_field_they_refuse(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        Recipe(**bad)


def test_bad_rules_and_sizes_are_refused():
    with pytest.raises(ValueError, match="rule"):
        training.hardware(jr.key(0), "magic", write_noise=1, threshold=1, r_wg=1)
    with pytest.raises(ValueError, match="batch_size"):
        Recipe(batch_size=500).rates(100)
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
