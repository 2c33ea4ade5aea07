"""Chips that are built, trained and counted."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from experiments.memristor import chip_yield
from experiments.memristor.chip_yield import Training, one_chip
from experiments.sweep.point import Point
from experiments.work import Work

SMOKE = chip_yield.PRESETS["smoke"]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    work = Work(folder=tmp_path_factory.mktemp("chips"), config=SMOKE)
    return chip_yield.run(SMOKE, work), work


@jax.jit
def hardware(chip, spread=0.0, stuck_rate=0.0):
    fields = {**Training().__dict__, "spread": spread, "stuck_rate": stuck_rate}
    params = {"kernel": jnp.zeros((40, 50)), "bias": jnp.zeros(50)}
    return chip_yield._hardware(Point(fields), chip, params)["kernel"]


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
    small = {"hidden": 8, "epochs": 1, "n_train": 320, "n_test": 100, "stuck_rate": 0.5}
    point = Point({**Training().__dict__, **small})
    seen = jax.jit(lambda key: one_chip(point, 0, key, trace=True))(jr.key(0))
    assert seen["weights"].shape == (10, 64 * 8 + 8 * 10)
    np.testing.assert_allclose(seen["conductances"], 80 * seen["weights"], rtol=1e-5)
    assert (np.diff(seen["writes"], axis=0) >= 0).all()
    held = np.isclose(np.abs(seen["conductances"]), 40.0, atol=1e-3).all(0)
    assert abs(held.mean() - 1 / 3) < 5 * np.sqrt(2 / 9 / held.size)
    per_cell = float(seen["writes"][-1].mean())
    np.testing.assert_allclose(seen["lifetime"], 10 / per_cell, rtol=1e-5)


def test_the_yield_is_the_fraction_of_good_chips(found):
    dataset, _ = found
    above = dataset.final_histogram.where(dataset.final_bin > 0.2).sum("final_bin")
    assert SMOKE.required[0] == 0.2
    np.testing.assert_allclose(dataset["yield"].isel(required=0), above / 6)
    assert 0 < dataset["yield"].isel(required=0).mean() < 1


def test_a_run_that_is_complete_is_read_back(found):
    dataset, work = found
    assert chip_yield.run(SMOKE, work).identical(dataset)


def test_the_figure_is_drawn_and_nothing_is_claimed(found):
    figure = chip_yield.plot(found[0])
    assert len(figure.axes) == 3
    assert "UCI digits" in figure.get_supxlabel()
    assert chip_yield.claims(found[0]) == []


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
        chip_yield.Training(**fields)
