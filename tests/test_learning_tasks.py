"""The loop with networks that keep more than weights, and with other tasks."""

from functools import cache

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from flax import linen as nn

import eapu_jax as ej
from chipsweep import keys_of
from experiments.learning.inputs import Data
from experiments.learning.loop import train
from experiments.learning.recipe import Recipe
from experiments.learning.task import (
    CLASSIFY,
    PREDICT,
    Task,
    accuracy,
    bits,
    cross_entropy,
    scored_in_pieces,
)

N, EPOCHS = 64, 2
RECIPE = Recipe(epochs=EPOCHS, batch_size=16, schedule="constant", optimizer="sgd")
MOMENTUM, DROP = 0.9, 0.25


class Keeps(nn.Module):
    """A layer, batch statistics, dropout."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        x = nn.Dense(6)(x)
        norm = nn.BatchNorm(use_running_average=not train, momentum=MOMENTUM)
        x = nn.Dropout(DROP, deterministic=not train)(norm(x))
        return nn.Dense(3)(x)


class Drops(nn.Module):
    """Half of what was handed in, with a bias that does not matter."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        x = nn.Dropout(0.5, deterministic=not train)(x)
        return x + 0 * nn.Dense(1)(x)


class Still(nn.Module):
    """What was handed in, with a bias that does not matter."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        return x + 0 * nn.Dense(1)(x)


def examples() -> Data:
    rng = np.random.default_rng(0)
    x = rng.normal(2, 3, (N, 5)).astype(np.float32)
    y = (np.arange(N) % 3).astype(np.int32)
    return Data(x, y, x[:24], y[:24])


@cache
def learnt(rule="eapu", products="exact", dropout_seed=0):
    def one(chip):
        return train(
            keys_of(jr.key(dropout_seed), 0, chip),
            Keeps(),
            examples(),
            RECIPE,
            rule,
            learning_rate=0.01,
            crossbar=ej.Crossbar(device=ej.AdditiveError(write_noise=0.5)),
            products=products,
            observe=lambda step: step.weights[0],
        )

    return jax.device_get(jax.jit(jax.vmap(one))(jnp.arange(2)))


def test_batch_statistics_follow_the_batches_of_training_alone():
    """Running means: an average of batch means with weights of the momentum."""
    found, data = learnt("ideal"), examples()
    key = keys_of(jr.key(0), 0, 0).seed
    variables = Keeps().init(jr.fold_in(key, 0), data.x_train[:1])
    weights = [variables["params"]["Dense_0"]["kernel"], *found.observed[0][:-1]]
    bias = variables["params"]["Dense_0"]["bias"]
    mean = np.zeros(6)
    orders = [
        np.asarray(jr.permutation(jr.fold_in(jr.fold_in(key, 1), i), N))
        for i in range(EPOCHS)
    ]
    batches = np.concatenate(orders).reshape(-1, RECIPE.batch_size)
    for w, batch in zip(weights, batches, strict=True):
        now = (data.x_train[batch] @ np.asarray(w)).mean(0)
        mean = MOMENTUM * mean + (1 - MOMENTUM) * now
    kept = found.collections["batch_stats"]["BatchNorm_0"]["mean"][0]
    drift = np.abs(found.params["Dense_0"]["bias"][0] - bias).max()
    assert drift < 1e-6  # a bias before a batch norm has no gradient
    np.testing.assert_allclose(kept, mean, rtol=1e-4, atol=1e-5)


def test_the_score_is_of_the_network_that_is_not_trained():
    """Kept statistics, nothing dropped: what a user who loads the network sees."""
    found, data = learnt(), examples()
    for chip in range(2):
        params, kept = (
            jax.tree.map(lambda a: a[chip], tree)  # noqa: B023
            for tree in (found.params, found.collections)
        )
        logits = Keeps().apply({"params": params, **kept}, data.x_test)
        assert found.score[chip, -1] == accuracy(logits, data.y_test)


def test_statistics_norms_and_biases_are_not_written():
    found = learnt()
    assert sorted(found.arrays) == ["Dense_0/kernel", "Dense_1/kernel"]


def test_dropout_and_batches_are_those_of_the_seed():
    """Chips of one seed differ by their physics alone: without errors they are one."""
    one, other = learnt("ideal"), learnt("ideal", dropout_seed=1)
    np.testing.assert_array_equal(one.loss[0], one.loss[1])
    assert (one.loss[0] != other.loss[0]).any()


def test_statistics_pass_through_products_of_the_array():
    """Ideal converters: the same up to rounding as exact products."""
    exact, analog = learnt("noisy"), learnt("noisy", "array")
    np.testing.assert_allclose(analog.loss[:, :2], exact.loss[:, :2], rtol=1e-3)


def test_how_a_batch_enters_is_told_training_from_test():
    """Noise of training is fresh in every step, that of the test always the same."""
    seen = Task(
        loss=lambda outputs, y: jnp.mean(outputs * y),
        score=lambda outputs, y: {"mean": jnp.mean(outputs), "first": outputs[0, 0]},
        enter=lambda key, x, y, train: (
            x + jnp.float32(train) + jr.uniform(key, x.shape),
            y,
        ),
    )
    zeros = np.zeros((32, 1), np.float32)
    data, recipe = Data(zeros, zeros + 1, zeros[:8], zeros[:8]), RECIPE
    found = train(keys_of(jr.key(0), 0, 0), Still(), data, recipe, "ideal", task=seen)
    assert ((found.loss > 1) & (found.loss < 2)).all()
    assert len(np.unique(found.loss)) == len(found.loss)
    assert (found.score["mean"] < 1).all()
    assert len(np.unique(found.score["first"])) == 1


def test_every_step_drops_anew():
    """All batches are alike: a loss differs by what was dropped alone."""
    ones = np.ones((32, 6), np.float32)
    weights = ones * np.random.default_rng(2).normal(size=6).astype(np.float32)
    data = Data(ones, weights, ones[:8], weights[:8])
    mean = lambda outputs, y: jnp.mean(outputs * y)  # noqa: E731
    task = Task(loss=mean, score=mean)
    found = train(keys_of(jr.key(0), 0, 0), Drops(), data, RECIPE, "ideal", task=task)
    assert len(np.unique(found.loss)) == len(found.loss)
    np.testing.assert_allclose(found.score, weights.mean(), rtol=1e-5)


def test_a_test_in_pieces_is_the_test():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(12, 3)).astype(np.float32), np.arange(12) % 3
    whole = accuracy(x, y)
    assert scored_in_pieces(accuracy, x, y, 4) == pytest.approx(float(whole))
    for bad in (5, 0, 24):
        with pytest.raises(ValueError, match=f"divisor of 12, got {bad}"):
            scored_in_pieces(accuracy, x, y, bad)
    x[3, 1] = np.nan
    assert np.isnan(scored_in_pieces(accuracy, x, y, 4))


def test_bits_of_a_uniform_guess_are_the_logarithm_of_the_alphabet():
    labels = np.zeros((2, 5), np.int32)
    assert bits(jnp.zeros((2, 5, 8)), labels) == pytest.approx(3)
    one = jnp.zeros((2, 5, 8)).at[..., 0].set(50.0)
    assert bits(one, labels) == pytest.approx(0, abs=1e-6)
    assert np.isnan(bits(one.at[0, 0, 0].set(jnp.inf), labels))
    assert PREDICT.loss is CLASSIFY.loss is cross_entropy


def test_warm_up_rises_on_a_line_and_leaves_the_rest():
    plain = Recipe(epochs=2, batch_size=16, schedule="cosine")
    warm = Recipe(epochs=2, batch_size=16, schedule="cosine", warm_up=4)
    ratio = warm.decay(64) / plain.decay(64)
    np.testing.assert_allclose(ratio, [0.25, 0.5, 0.75, 1, 1, 1, 1, 1], rtol=1e-6)


def test_lion_takes_steps_of_one_size():
    moves = Recipe(optimizer="lion", schedule="constant", epochs=1, batch_size=1)
    tx = moves.build(0.25, 4)
    state = tx.init(jnp.zeros(3))
    updates, _ = tx.update(jnp.array([1e-3, -5.0, 2.0]), state, jnp.zeros(3))
    np.testing.assert_array_equal(updates, [-0.25, 0.25, -0.25])
