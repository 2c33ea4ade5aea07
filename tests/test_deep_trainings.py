"""What deep experiments train: weights, arrays, noise and rows that were asked for."""

from types import SimpleNamespace

import flax.linen as nn
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import xarray as xr

import eapu_jax as ej
from chipsweep import Keys
from experiments.deep import (
    ablated,
    ablations,
    language,
    language_converters,
    language_finetuning,
    text,
)
from experiments.deep.training import Deep, learn
from experiments.learning.inputs import Data
from experiments.learning.task import cross_entropy

X = np.random.default_rng(0).standard_normal((16, 50)).astype("f4")
DATA = Data(X, np.arange(16) % 40, X[:8], np.arange(8))
STEPS, START = 8, 0.25
FEW = {"epochs": 2, "batch_size": 4, "schedule": "constant"}
STILL = {"rule": "noisy", "learning_rate": 1e-9, "write_noise": 1.6, "r_wg": 1 / 40}
GATED = {"threshold": 2.4, "strength": 0.5, "write_noise": 1e-6}
OTHER = ej.Crossbar(device=ej.AdditiveError(write_noise=0.4), r_wg=1 / 40)


@pytest.fixture(scope="module")
def found():
    """Trainings of one matrix that all begin at START, in one program."""
    params = {"kernel": jnp.full((50, 40), START), "bias": jnp.zeros(40)}

    def one(key, arrays=None, **fields):
        point, more = Deep(**FEW, **fields), {"params": params, "arrays": arrays}
        curves, kept = learn(point, Keys(jr.key(0), key), nn.Dense(40), DATA, **more)
        return {"moved": curves.params["kernel"] - START, "curves": curves.loss} | kept

    return jax.jit(
        lambda: {
            "noise": jax.vmap(lambda key: one(key, **STILL))(jr.split(jr.key(1))),
            "arrays": one(jr.key(2), OTHER, **STILL),
            "gated": one(jr.key(3), **GATED),
        }
    )()


@pytest.mark.parametrize(("name", "noise"), [("noise", 1.6), ("arrays", 0.4)])
def test_errors_of_the_writes_add_up_on_the_weights_given(found, name, noise):
    """Of updates of nothing: a walk of as many steps as there are batches."""
    moved, law = found[name]["moved"].ravel(), noise / 40 * STEPS**0.5
    assert abs(moved.mean()) < 5 * law / moved.size**0.5
    assert moved.std() == pytest.approx(law, rel=5 / (2 * moved.size) ** 0.5)
    assert (found[name]["update_ratio"] == 1).all()


def test_chips_of_one_seed_err_independently(found):
    one, other = found["noise"]["moved"].reshape(2, -1)
    assert abs(np.corrcoef(one, other)[0, 1]) < 5 / one.size**0.5


def test_a_pulse_is_the_threshold_times_the_strength(found):
    pulses = np.abs(found["gated"]["moved"]) / (2.4 / 80 * 0.5)
    np.testing.assert_allclose(pulses, pulses.round(), atol=1e-3)
    assert 0 < pulses.mean() < 1
    assert pulses.sum() <= found["gated"]["update_ratio"] * STEPS * pulses.size + 0.5


def test_the_loss_of_an_epoch_is_the_mean_of_its_batches(found):
    batches = found["gated"]["curves"].reshape(2, -1)
    np.testing.assert_allclose(found["gated"]["loss"], batches.mean(1), rtol=1e-6)
    assert found["gated"]["score"].shape == (2,)


def test_what_is_final_comes_last(monkeypatch):
    scores = {"score": jnp.array([4.0, 3.0, 2.0])}
    monkeypatch.setattr(text, "learn", lambda *_, **__: (None, dict(scores)))
    _, kept = text.learn_text(text.Speaking(), None)
    assert float(kept["final"]) == 2.0
    assert kept["bits"].tolist() == [4.0, 3.0, 2.0]


def test_each_optimizer_has_its_own_rate():
    config = language.Config(learning_rate=0.01, lion_rate=0.002)
    rates = {t.optimizer: t.learning_rate for t in config.trainings().values()}
    assert rates == {"adam": 0.01, "lion": 0.002}
    assert language.defaults(config).optimizer == "adam"


def test_what_goes_on_are_the_weights_learnt_on_the_first_half(monkeypatch):
    """The first training has no errors and its own length and rate."""
    seen = {}

    def first(keys, net, data, recipe, rule, *, learning_rate, **other):
        seen["before"] = data, recipe.epochs, rule, learning_rate, keys
        return SimpleNamespace(params="learnt", score=[9.0, 4.0])

    def then(point, keys, data, *, params):
        seen["after"] = data, params, keys
        return SimpleNamespace(writes=[jnp.zeros((2, 3))], update_ratio=0), {}

    monkeypatch.setattr(language_finetuning, "train", first)
    monkeypatch.setattr(language_finetuning, "learn_text", then)
    point = language_finetuning.Tuning(n_train=20, n_test=8, pretraining=3, epochs=2)
    keys = Keys(jr.key(0), jr.key(1))
    found = language_finetuning.simulate(point, 0, keys)
    data, *how, _ = seen["before"]
    assert how == [3, "ideal", point.pretraining_rate]
    rows = language_finetuning.halves(point)
    np.testing.assert_array_equal(data.x_train, rows[0].x_train)
    after, params, _ = seen["after"]
    np.testing.assert_array_equal(after.x_train, rows[1].x_train)
    assert (params, found["before"], found["cells"]) == ("learnt", 4.0, 6)
    # other draws before than after: what is alike is the seed alone
    assert seen["before"][-1].seed != seen["after"][-1].seed


def test_arrays_scaled_by_width_are_for_the_variants_that_say_so(monkeypatch):
    seen = {}

    def spy(point, keys, *, own, arrays):
        seen[point.variant] = arrays
        return SimpleNamespace(update_ratio=0), {}

    monkeypatch.setattr(ablated, "learn_text", spy)
    for name in ablated.VARIANTS:
        ablated.simulate(ablated.Varied(variant=name, write_noise=1.6), 0, None)
    assert {name for name, chip in seen.items() if chip} == {"one_for_all", "own"}
    assert seen["own"].device.write_noise == seen["one_for_all"].device.write_noise
    assert seen["own"].device.write_noise == 1.6


def test_a_residual_has_the_bits_of_its_name():
    on = SimpleNamespace(step=0.02, key=jr.key(0), place=None)
    for bits in (1, 3):
        gate = ablated.VARIANTS[f"residual_{bits}"](None)(on)
        assert gate.init({"kernel": jnp.zeros((2, 2))}).bits == bits


def test_converters_are_for_all_but_the_ideal_training():
    swept = language_converters.sweeps(language_converters.Config())
    ideal, one = swept["ideal"].base, swept["converted"].base
    assert (ideal.rule, ideal.products) == ("ideal", "exact")
    assert (one.rule, one.products) == ("eapu", "array")


def table(ways=None, epochs=3, **values):
    """Outputs of 2 seeds of a chip, by epoch if they are called bits, alike else."""
    coords = ways or {}
    shape = tuple(len(names) for names in coords.values())
    made = {}
    for name, value in values.items():
        x = np.broadcast_to(np.reshape(value, (*np.shape(value), 1, 1)), (*shape, 1, 2))
        dims = (*coords, "chip", "seed")
        if name == "bits":
            x, dims = x[..., None] - 0.1 * np.arange(epochs), (*dims, "epoch")
        made[name] = (dims, x)
    return xr.Dataset(made, {**coords, "chip": [0], "seed": [0, 1]})


SHORT = {"n_train": 80, "n_test": 8, "batch_size": 8, "epochs": 3}


def test_the_ideal_training_stands_among_the_rules_and_writes_are_per_cell():
    config, rules = language.Config(**SHORT), {"rule": list(language.shown.RULES)}
    found = {}
    for name, worse in (("adam", 0), ("lion", 10)):
        bits = np.array([6.0, 5.0, 4.0]) + worse
        found[name] = table(rules, bits=bits, update_ratio=[1, 0.1, 0.2])
        found[f"{name}_ideal"] = table(bits=3.0 + worse, update_ratio=0)
    dataset = language.derive(config, found)
    assert dataset.rule.values.tolist() == ["ideal", *rules["rule"]]
    last = dataset.bits.sel(epoch=3).isel(chip=0, seed=1)
    for name, worse in (("adam", 0), ("lion", 10)):
        expected = np.array([3.0, 6.0, 5.0, 4.0]) + worse - 0.2
        np.testing.assert_allclose(last.sel(optimizer=name), expected)
    writes = dataset.writes.sel(optimizer="adam").isel(chip=0, seed=0)
    np.testing.assert_allclose(writes, [0, 30, 3, 6])  # of 30 updates
    assert dataset.attrs["steps"] == 30


def test_epoch_nought_of_what_goes_on_is_the_model_before():
    config = language_finetuning.Config(**SHORT)
    rules = {"rule": list(language_finetuning.shown.RULES)}
    more = {"before": 4.0, "cells": 1000.0}
    ratio = [1, 0.1, 0.01, 0]
    found = {"tuning": table(rules, bits=[6.0, 5, 4, 3], update_ratio=ratio, **more)}
    found["tuning_ideal"] = table(bits=3.0, update_ratio=0, **more)
    dataset = language_finetuning.derive(config, found).isel(chip=0, seed=0)
    assert dataset.epoch.values.tolist() == [0, 1, 2, 3]
    assert (dataset.bits.sel(epoch=0) == 4).all()
    np.testing.assert_allclose(dataset.bits.sel(epoch=3), [2.8, 5.8, 4.8, 3.8, 2.8])
    np.testing.assert_allclose(dataset.writes, [0, 30_000, 3000, 300, 0])


def test_each_variant_is_held_against_its_own_reference():
    """A bit per decade of writes; on scaled arrays a bit worse than on others."""
    config = ablations.Config(**SHORT, strengths=(1.0,), reference_strengths=(1.0, 2.0))
    found = {"ideal": table(final=2.0)}
    for name in ablated.VARIANTS:
        several = {"strength": list(config.strengths_of(name))}
        ratio = np.array([0.1, 0.01])[: len(several["strength"])]
        final = 3 - np.log10(ratio) + (name in ablated.SCALED)
        better = 0.25 * (name in ("own", "residual_3"))
        found[name] = table(several, final=final - better, update_ratio=ratio)
    dataset = ablations.derive(config, found)
    gain = dataset.gain.isel(chip=0, seed=0)
    for name in ablated.VARIANTS:
        expected = 0.25 * (name in ("own", "residual_3"))
        np.testing.assert_allclose(gain.sel(variant=name), expected, atol=1e-12)
    plain = dataset.writes.sel(variant="plain").isel(chip=0, seed=0)
    np.testing.assert_allclose(plain, [3, 0.3])  # of 30 updates
    assert (dataset.ideal == 2).all()


def test_gains_are_not_told_beyond_the_writes_of_plain_eapu():
    at = np.array([100.0, 1.0]), np.array([3.0, 4.0])
    found = ablations.at_equal_writes(np.array([200.0, 100.0, 1.0, 0.5]), *at)
    np.testing.assert_array_equal(found, [np.nan, 3, 4, np.nan])


def test_converters_have_the_bits_and_the_noise_that_were_asked_for():
    point = language_converters.Converted(dac_bits=7, adc_bits=5, write_noise=1.6)
    leaf = jax.ShapeDtypeStruct((16, 8), jnp.float32)
    for alignment in language_converters.ALIGNMENTS:
        made = language_converters._crossbar(
            SimpleNamespace(**(vars(point) | {"alignment": alignment})), leaf
        )
        around = made.periphery
        assert {around.dac.bits, around.backward_dac.bits} == {7}
        assert {around.adc.bits, around.backward_adc.bits} == {5}
        assert made.device.write_noise == 1.6


def test_the_full_scale_of_gradients_is_the_largest_that_a_mean_loss_has():
    """Of one character's logits as wrong as can be: it is one of all in the batch."""
    point = language_converters.Converted(batch_size=2, context=4, heads=2, width=4)
    logits = jnp.zeros((2, 4, 3)).at[0, 0, 1].set(99.0)
    wrong = jax.grad(cross_entropy)(logits, jnp.zeros((2, 4), jnp.int32))
    largest = language_converters.largest_gradient(point)
    assert float(jnp.abs(wrong).max()) == pytest.approx(largest)
