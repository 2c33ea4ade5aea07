"""Natural gradients of a board on arrays: one loop, the right curvature, tiny runs."""

from functools import cache, partial
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest
from jax.flatten_util import ravel_pytree
from matplotlib.figure import Figure

import chipsweep
import eapu_jax as ej
from chipsweep import Keys
from experiments import catalogue
from experiments.claims import VERDICTS
from experiments.learning.inputs import Data
from experiments.learning.loop import first_weights, train
from experiments.learning.natural import Descent, descent
from experiments.learning.networks import mlp
from experiments.learning.recipe import Recipe
from experiments.memristor import both_halves
from experiments.thermodynamic import tngd

KEYS = Keys(seed=jr.key(0), chip=jr.key(1))
RECIPE = Recipe(optimizer="plain_sgd", schedule="constant", epochs=1, batch_size=8)
NETWORK = mlp((3,))
CHIP = ej.Crossbar(device=ej.AdditiveError(write_noise=2.0), r_wg=1 / 80)


@cache
def data():
    x = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
    y = (x @ np.random.default_rng(1).normal(size=(4, 3))).argmax(1)
    return Data(x[:32], y[:32], x[32:], y[32:])


def learned(optimizer=None, rule="ideal", **how):
    return train(
        KEYS, NETWORK, data(), RECIPE, rule, optimizer=optimizer, crossbar=CHIP, **how
    )


def of(method, **fields):
    return descent(KEYS.chip, Descent(method=method, **fields), RECIPE, 32)


@pytest.mark.parametrize("method", ["sgd", "relaxed"])
def test_without_time_it_is_gradient_descent(method):
    found = learned(of(method, time=0.0, learning_rate=0.1, board_noise=0.1))
    right = learned(learning_rate=0.1)
    for one, other in zip(*map(jax.tree.leaves, (found.params, right.params)),
                          strict=True):  # fmt: skip
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(found.loss, right.loss, rtol=1e-6)


def test_the_curvature_is_that_of_the_batch_and_its_weights():
    """One step of the exact natural gradient, by a dense solve."""
    one = Recipe(schedule="constant", epochs=1, batch_size=32)
    kinds = {"learning_rate": 0.5, "damping": 0.1}
    tx = descent(KEYS.chip, Descent(method="natural", **kinds), one, 32)
    found = train(KEYS, NETWORK, data(), one, "ideal", optimizer=tx)
    start = first_weights(KEYS.seed, NETWORK, data())
    flat, tree = ravel_pytree(start)
    x, y = jnp.asarray(data().x_train), jnp.asarray(data().y_train)

    def model(v):
        return NETWORK.apply({"params": tree(v)}, x)

    def loss(z):
        return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(z, y))

    j = np.asarray(jax.jacfwd(model)(flat)).reshape(96, -1)
    h = np.asarray(jax.hessian(loss)(model(flat))).reshape(96, 96)
    b = jax.grad(lambda v: loss(model(v)))(flat)
    step = np.linalg.solve(j.T @ h @ j + 0.1 * np.eye(len(flat)), b)
    right = np.asarray(flat) - 0.5 * step
    np.testing.assert_allclose(ravel_pytree(found.params)[0], right, rtol=1e-3)


def test_an_array_gets_what_the_board_says():
    """As many pulses as its updates say, and other updates where it is noisy."""

    @jax.jit
    def chip(noise):
        fields = Descent(time=3.0, learning_rate=0.05)
        point = SimpleNamespace(**vars(fields) | {"board_noise": noise})
        tx = descent(KEYS.chip, point, RECIPE, 32)
        found = learned(tx, "eapu", threshold=0.05, observe=lambda step: step.requested)
        return found.loss, found.writes, found.observed, found.optimizer[0].step

    loss, writes, asked, steps = chip(0.01)
    assert float(steps) == 4
    expected = np.sum(np.minimum(1, np.abs(asked[0]) / 0.05))
    spread = np.sqrt(expected)  # of a sum of rare and independent pulses, at most
    assert abs(float(writes[0].sum()) - expected) < 5 * spread + 1
    assert np.array_equal(loss, chip(0.01)[0])
    assert not np.allclose(asked[0], chip(0.0)[2][0])


def test_other_optimizers_need_no_curvature():
    found, right = learned(optax.with_extra_args_support(optax.sgd(0.1))), learned(
        learning_rate=0.1
    )  # fmt: skip
    assert np.array_equal(found.loss, right.loss)


def test_the_loop_gives_the_curvature_only_to_whom_it_is_for():
    seen = []

    def update(updates, state, params=None, **extra):
        seen.append(sorted(extra))
        return updates, state

    spy = optax.GradientTransformationExtraArgs(optax.init_empty_state, update)
    partial(learned, spy)()
    assert seen
    assert all(names == ["curvature"] for names in seen)


@pytest.mark.parametrize(
    ("kind", "field", "bad"),
    [
        (tngd.Config, "delay_time", {"delay_time": 3.0}),
        (tngd.Config, "times", {"times": (5.0,)}),
        (tngd.Config, "damping", {"damping": 0.0}),
        (both_halves.Config, "sgd_rates", {"sgd_rates": (0.1,)}),
        (both_halves.Config, "crossbar", {"crossbar": "PUBLIC_CODE"}),
        (Descent, "method", {"method": "newton"}),
    ],
)
def test_configs_refuse_by_name(kind, field, bad):
    with pytest.raises(ValueError, match=field):
        kind(**bad)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tngd", "both_halves"])
def test_it_runs_draws_and_judges(name):
    module = catalogue.find(name)
    smoke = module.PRESETS["smoke"]
    found = {n: chipsweep.run(one.spec) for n, one in module.sweeps(smoke).items()}
    dataset = module.derive(smoke, found)
    before = dataset.copy(deep=True)
    assert isinstance(module.plot(dataset), Figure)
    assert all(row.verdict in VERDICTS for row in module.claims(dataset))
    assert dataset.identical(before)
    accuracies = [v for k, v in dataset.data_vars.items() if "accuracy" in str(k)]
    assert all(np.isfinite(v).all() for v in accuracies)
