"""Every rule trains in the one loop, is counted, and keeps what it should."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import eapu_jax as ej
from chipsweep import keys_of
from experiments.data import load_images
from experiments.learning.inputs import prepare
from experiments.learning.loop import train
from experiments.learning.networks import mlp
from experiments.learning.recipe import Recipe
from experiments.learning.rules import ADAPTERS, GATES, RANK, RULES, SEVERAL, adapted
from experiments.memristor.arrays import PRESETS
from experiments.memristor.training import Training, place, thresholds

NETWORK = mlp((12, 10))
STEPS = 12
SLOWLY = set(SEVERAL) - {"tiki_taka"}  # several arrays are trained in many tests
QUIET = ej.Crossbar(device=ej.AdditiveError(write_noise=0.0), r_wg=1 / 80)


def learn(rule, crossbar=None, **others):
    adam = rule in GATES or rule == "ideal"
    recipe = Recipe(optimizer="adam" if adam else "sgd", epochs=2, batch_size=32)
    data = prepare(load_images("digits", 192, 60))
    given = {"learning_rate": 3e-3, "crossbar": crossbar or ej.Crossbar()} | others
    keys = keys_of(jr.key(0), 0, 0)
    return jax.jit(lambda: train(keys, NETWORK, data, recipe, rule, **given))()


@cache
def curves(rule):
    return learn(rule)


@pytest.mark.parametrize(
    "rule",
    [pytest.param(r, marks=[pytest.mark.slow] * (r in SLOWLY)) for r in RULES],
)
def test_every_rule_trains_and_is_counted(rule):
    found = curves(rule)
    counts = found.counts
    assert len(found.loss) == STEPS
    assert np.all(np.isfinite(found.loss))
    written = sum(int(n.sum()) for n in found.writes)
    pulses = float(counts.up + counts.down)
    # an update is a tenth of a threshold: rules that are bound by it send nothing
    bound = ("drop_below", "lift_above", "sign_threshold")
    assert (pulses > 0) == (rule not in ("ideal", "digital_adapters", *bound))
    # an additive cell takes one pulse a write; two writes of an update are one here
    assert pulses == written or (rule in SEVERAL and pulses >= written)
    assert (float(counts.reads) > 0) == (rule in SEVERAL)


WORDS = {"ideal": 2, "eapu": 2, "noisy": 2, "mixed_precision": 3, "eapu_residual": 3}
WORDS |= {"hidden_integer": 3, "stochastic_sparse": 3, "tiki_taka": 1, "multi_tile": 1}
WORDS |= {"tiki_taka_v2": 2, "agad": 6, "track_symmetric_point": 2}


@pytest.mark.parametrize(("rule", "words"), WORDS.items())
def test_words_are_those_of_the_optimizer_and_the_rule(rule, words):
    # Adam keeps two, SGD with momentum one; the rule's own stand in its docstring
    assert float(curves(rule).counts.words) == pytest.approx(words, abs=0.2)


def test_a_step_of_double_strength_is_a_double_threshold():
    one = learn("eapu", threshold=0.05, strength=1.0)
    two = learn("eapu", threshold=0.025, strength=2.0)
    assert np.array_equal(one.loss, two.loss)


def test_layers_that_are_digital_learn_as_without_arrays():
    def chosen(path, shape):
        return "digital: here" if path.startswith("Dense_0") else ej.place(path, shape)

    mixed = learn("eapu", place=chosen)
    assert [n.shape for n in mixed.writes] == [(12, 10)]
    all_digital = learn("eapu", place=lambda path, shape: "digital: all")
    assert np.array_equal(all_digital.loss, learn("ideal").loss)
    assert all_digital.writes == []


def test_layers_are_kept_digital_by_their_number():
    chosen = place(Training(hidden=(8, 8), digital=(0, 2)))
    assert chosen is not None
    where = [chosen(f"Dense_{n}/kernel", (8, 8)) for n in range(3)]
    assert [w == "array" for w in where] == [False, True, False]
    assert chosen("Dense_1/bias", (8,)).startswith("digital")
    with pytest.raises(ValueError, match=r"digital = \(3,\): layers from 0 to 2"):
        Training(hidden=(8, 8), digital=(3,))


def test_products_of_ideal_arrays_are_exact_ones():
    through = learn("eapu", products="array")
    np.testing.assert_allclose(through.loss[:6], curves("eapu").loss[:6], rtol=1e-4)


def test_read_noise_reaches_the_loss():
    """The logits of a first step err by what the law of a noisy product says."""
    noisy = ej.Crossbar(
        device=ej.AdditiveError(write_noise=0.0, read_noise=80.0), r_wg=1 / 80
    )
    quiet, loud = (learn("noisy", c, products="array") for c in (QUIET, noisy))
    assert float(loud.loss[0]) > 2 * float(quiet.loss[0])


@pytest.mark.parametrize("rule", ["ideal", "tiki_taka", "eapu_adapters"])
def test_products_of_a_rule_without_one_array_per_weight_are_refused(rule):
    with pytest.raises(ValueError, match=f"got rule = '{rule}'"):
        learn(rule, products="array")


@pytest.mark.parametrize("rule", ADAPTERS)
def test_adapters_leave_the_arrays_as_they_are(rule):
    found = curves(rule)
    start = adapted(jr.key(1), rule, found.params["Dense_0"]["kernel"].frozen)
    assert start.down.shape == (64, RANK)
    before = learn(rule, learning_rate=0.0).params["Dense_0"]["kernel"]
    after = found.params["Dense_0"]["kernel"]
    assert np.array_equal(before.frozen, after.frozen)
    assert not np.array_equal(before.down, after.down)


@pytest.mark.parametrize("rule", ADAPTERS)
def test_adapters_go_with_no_digital_layers(rule):
    with pytest.raises(ValueError, match=f"rule = '{rule}' puts adapters"):
        learn(rule, place=ej.place)


@pytest.mark.parametrize("name", ["CMO_HFOX", "SOFT_BOUNDS", "PUBLIC_CODE"])
def test_the_threshold_of_a_preset_is_the_error_of_its_device(name):
    """By writing many cells from a weight of 0, and looking."""
    threshold, _ = thresholds(Training(crossbar=name))
    crossbar: Any = PRESETS[name]
    n = 40_000
    state = ej.array.deploy_one(jr.key(1), crossbar, jnp.zeros((n, 1)))
    asked = jnp.full((n, 1), threshold)
    new, _ = ej.array.write(jr.key(2), crossbar, state, asked)
    landed = ej.array.weights(crossbar, new) - ej.array.weights(crossbar, state)
    pulse = 2 * float(crossbar.device.smallest_request()) * crossbar.r_wg
    error = max(float(jnp.std(landed)), pulse)
    assert error == pytest.approx(float(threshold), rel=0.1)


def test_the_arrays_at_the_end_hold_the_weights_at_the_end():
    found = curves("eapu")
    assert set(found.arrays) == {"Dense_0/kernel", "Dense_1/kernel"}
    for path, array in found.arrays.items():
        layer, _ = path.split("/")
        held = ej.array.weights(ej.Crossbar(), array)
        np.testing.assert_allclose(held, found.params[layer]["kernel"], atol=1e-6)
    assert curves("ideal").arrays == {}
