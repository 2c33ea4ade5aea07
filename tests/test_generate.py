"""The experiment `generate`: machines that learn, and those that do not."""

import dataclasses
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib.figure import Figure

import chipsweep
from experiments.claims import VERDICTS
from experiments.thermodynamic import generate, prototypes
from experiments.thermodynamic import generate_energy as energy
from tests.statistics import assert_within

SMOKE = generate.PRESETS["smoke"]


@cache
def found():
    spec = generate.sweeps(SMOKE)["machines"].spec
    return chipsweep.run(spec)


@pytest.fixture(scope="module")
def derived():
    return generate.derive(SMOKE, {"machines": found()})


@pytest.mark.slow
def test_it_draws_and_judges(derived):
    assert "ASSUMED" in derived.attrs["data"]
    before = derived.copy(deep=True)
    figure = generate.plot(derived)
    assert isinstance(figure, Figure)
    assert energy.LEFT_OUT in figure.get_supxlabel().replace("\n", " ")
    rows = generate.claims(derived)
    assert all(row.verdict in VERDICTS for row in rows)
    assert any(energy.LEFT_OUT in row.claim for row in rows)
    assert derived.identical(before)
    for name in derived.data_vars:
        assert np.isfinite(np.asarray(derived[name], float)).all(), name


@pytest.mark.slow
def test_trained_machines_beat_chance_and_reverse_noising_better(derived):
    all_of = ("chip", "sample")
    likeness = derived.likeness.mean(all_of)
    error = derived.likeness.std(all_of) / (2 * derived.sizes["sample"]) ** 0.5
    off = likeness - likeness.sel(training="untrained")
    off = off / np.hypot(error, error.sel(training="untrained"))
    for way in ("batch", "online", "exact"):
        assert off.sel(training=way) > 5
        better = derived.loss.sel(training="untrained") - derived.loss
        assert (better.sel(training=way) > 0).all()


def test_chance_is_that_of_independent_pixels():
    axes, base = {"training": ["untrained"]}, generate.defaults(SMOKE)
    how = {"axes": axes, "chips": SMOKE.n_chips, "dims": generate.DIMS, "chunk": 1}
    untrained = chipsweep.run(SMOKE.sweep(generate.simulate, base, **how).spec)
    learned = untrained.learned.to_numpy()
    squares = learned.reshape(-1, learned.shape[-1]) ** 2
    # of two rows of n numbers, one of them exchangeable: 1 / (n - 1)
    n = SMOKE.side**2
    each = squares.mean(1)  # images are not independent, samples are
    assert_within(each.mean(), 1 / (n - 1), each.std() / len(each) ** 0.5)


def test_likeness_is_pearsons_correlation():
    rng = np.random.default_rng(0)
    made, known = rng.normal(size=(4, 30)), rng.normal(size=(2, 30))
    ours = prototypes.likeness(
        jnp.asarray(made, jnp.float32), jnp.asarray(known, jnp.float32)
    )
    expected = np.corrcoef(np.concatenate([made, known]))[:4, 4:]
    np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_prototypes_are_the_first_images_averaged_and_cut_in_two():
    images = prototypes.images("mnist5k")
    small = prototypes.prototypes("mnist5k", (7,), 14)[0].reshape(14, 14)
    whole = images.x_train[list(images.y_train).index(7), ..., 0]
    for y, x in ((3, 4), (6, 9), (12, 6)):
        block = whole[2 * y : 2 * y + 2, 2 * x : 2 * x + 2]
        assert small[y, x] == (block.mean() > 0.5)
    assert set(np.unique(small)) == {0, 1}


def test_the_published_ratio_follows_from_its_parts():
    macs = 784 * 128 + 128 * 128 + 128 * 784
    assert np.isclose(energy.digital(784), 10 * macs * 1e-12)
    heat = energy.HEAT * 1.380649e-23 * 300
    ratio = energy.digital(784) / heat
    assert ratio == pytest.approx(1.81e11, rel=0.01)
    # what reading 784 pixels at the price of one product each leaves of it
    left = energy.digital(784) / (heat + energy.read_out(784))
    assert left == pytest.approx(10 * macs / 784, rel=1e-6)


@pytest.mark.slow
def test_energies_of_the_dataset_are_those_of_its_heat(derived):
    heat = derived.heat.sel(training="batch").mean("sample")
    ours = derived.heat_energy.sel(training="batch")
    np.testing.assert_allclose(ours, heat * 1.380649e-23 * 300, 1e-5)


def test_all_ways_of_training_see_the_same_paths():
    """The first update online and in batches of one path of one step is the same."""
    base = dataclasses.replace(
        generate.defaults(SMOKE), cycles=1, steps=1, digits=(3,), n_samples=2
    )
    key = jax.random.key(3)
    keys = chipsweep.Keys(key, key)
    run = partial(generate.simulate, chip=0, keys=keys)
    one, other = (
        run(dataclasses.replace(base, training=way)) for way in ("batch", "online")
    )
    np.testing.assert_allclose(one["image"], other["image"], 1e-5, 1e-6)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"side": 9}, "side"),
        ({"digits": (0, 1, 2, 3, 4, 5)}, "digits"),
        ({"digits": (10,)}, "digits"),
        ({"trainings": ("batch", "online")}, "trainings"),
        ({"n_samples": 1}, "n_samples"),
        ({"data": "cifar10"}, "data"),
    ],
)
def test_a_config_refuses_what_cannot_be_learned(change, named):
    with pytest.raises(ValueError, match=rf"Config\.{named}"):
        dataclasses.replace(generate.Config(), **change)


@pytest.mark.slow
def test_the_default_machine_makes_what_it_learned_and_an_untrained_one_does_not():
    config = dataclasses.replace(
        generate.Config(), n_chips=1, trainings=("untrained", "batch"), n_samples=40
    )
    made = chipsweep.run(generate.sweeps(config)["machines"].spec)
    whole = generate.derive(config, {"machines": made})
    mean = whole.likeness.mean("sample").isel(chip=0)
    assert float(mean.sel(training="batch")) > 0.7
    assert float(mean.sel(training="untrained")) < 0.15
