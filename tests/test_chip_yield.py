"""Chips that are built, trained and counted."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import chipsweep
from chipsweep.point import Point
from experiments.memristor import chip_yield, chip_yield_figure
from experiments.memristor.chip_yield import Chip
from tests.figure_laws import lawful, speaks

SMOKE = chip_yield.PRESETS["smoke"]
SWEEP = chip_yield.sweeps(SMOKE)["chips"]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("chips") / "chips.zarr"


@pytest.fixture(scope="module")
def found(store):
    return {"chips": chipsweep.run(SWEEP.spec, store=store)}


@pytest.fixture(scope="module")
def shown(found):
    return chip_yield.derive(SMOKE, found)


@jax.jit
def hardware(chip, spread=0.0, stuck_rate=0.0):
    fields = {**vars(Chip()), "spread": spread, "stuck_rate": stuck_rate}
    params = {"kernel": jnp.zeros((40, 50)), "bias": jnp.zeros(50)}
    key = jr.fold_in(jr.key(7), chip)
    return chip_yield.hardware(key, Point(fields), params)["kernel"]


def test_a_chip_is_its_own_and_always_the_same():
    one, two, again = (hardware(i, 0.5, 0.1) for i in (1, 2, 1))
    among = jax.vmap(hardware, (0, None, None))(jnp.arange(3), 0.5, 0.1)
    for name in ("stuck", "stuck_at"):
        first = getattr(one, name)
        assert np.array_equal(first, getattr(again, name))
        assert np.array_equal(first, getattr(among, name)[1])
        assert not np.array_equal(first, getattr(two, name))


@pytest.mark.parametrize("rate", [0.0, 0.1, 1.0])
def test_the_rate_and_the_levels_of_stuck_cells_are_as_asked(rate):
    chip = hardware(0, 0.0, rate)
    hit, level = np.asarray(chip.stuck), np.asarray(chip.stuck_at)
    assert abs(hit.mean() - rate) <= 5 * np.sqrt(rate * (1 - rate) / hit.size)
    assert set(np.unique(level[hit])) <= {-40.0, 0.0, 40.0}


def test_without_spread_all_cells_are_nominal():
    assert np.all(np.asarray(hardware(3).device.write_noise) == 2.0)
    strayed = np.asarray(hardware(3, 0.5).device.write_noise)
    within = np.log(strayed).std()
    assert abs(within - 0.5) < 5 * 0.5 / np.sqrt(2 * strayed.size)


def test_stuck_cells_stay_where_they_are_and_the_trace_is_whole():
    small = {"hidden": (8,), "epochs": 1, "n_train": 320, "n_test": 100}
    point = replace(chip_yield.defaults(SMOKE), stuck_rate=0.5, **small)
    run = jax.jit(lambda keys: chip_yield.simulate(point, 0, keys, trace=True))
    seen = run(chipsweep.keys_of(jr.key(0), 0, 0))
    assert seen["weights"].shape == (10, 64 * 8 + 8 * 10)
    np.testing.assert_allclose(seen["conductances"], 80 * seen["weights"], rtol=1e-5)
    assert (np.diff(seen["writes"], axis=0) >= 0).all()
    held = np.isclose(np.abs(seen["conductances"]), 40.0, atol=1e-3).all(0)
    assert abs(held.mean() - 1 / 3) < 5 * np.sqrt(2 / 9 / held.size)
    per_cell = float(seen["writes"][-1].mean())
    np.testing.assert_allclose(seen["lifetime"], 10 / per_cell, rtol=1e-5)


def test_the_yield_is_the_fraction_of_good_chips(shown):
    good = shown.final_histogram.where(shown.final_bin > 0.2).sum("final_bin")
    assert SMOKE.required[0] == 0.2
    np.testing.assert_allclose(shown["yield"].isel(required=0), good / 6)
    assert 0 < shown["yield"].isel(required=0).mean() < 1


class Begun:
    """Notes how many runs were there already."""

    def begin(self, spec, done):
        self.done = done

    def event(self, event):
        raise AssertionError("nothing was missing")


def test_a_run_that_is_complete_is_read_back(found, store):
    begun = Begun()
    again = chipsweep.run(SWEEP.spec, store=store, progress=begun)
    assert again.load().identical(found["chips"].load())
    assert begun.done == SWEEP.spec.runs == 24


def test_the_figure_is_drawn_and_nothing_is_claimed(shown):
    figure = chip_yield.plot(shown)
    lawful(figure)
    speaks(chip_yield_figure.says, shown)
    assert len(figure.axes) == 3
    assert "UCI digits" in figure.get_supxlabel()
    assert chip_yield.claims(shown) == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"n_train": 1443}, "n_train = 1443: digits has 1,442"),
        ({"n_test": 356}, "n_test = 356: digits has 355"),
        ({"batch_size": 41, "n_train": 40}, "batch_size = 41: must be at most n_train"),
    ],
)
def test_more_digits_than_there_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        chip_yield.Config(**fields)
