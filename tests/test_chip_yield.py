"""Chips that are built, trained and counted."""

import jax
import numpy as np
import pytest

from experiments.memristor import chip_yield
from experiments.memristor.chip_yield import Config, Training, one_chip
from experiments.sweep import replay, sweep
from experiments.sweep.point import Point
from experiments.work import Work

SMALL = {"hidden": 8, "epochs": 1, "n_train": 320, "n_test": 100}
SMOKE = chip_yield.PRESETS["smoke"]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    work = Work(folder=tmp_path_factory.mktemp("chips"), config=SMOKE)
    return chip_yield.run(SMOKE, work), work


def hardware(chip, **fields):
    point = Point({**Training().__dict__, **fields})
    params = {
        "kernel": np.zeros((40, 50), np.float32),
        "bias": np.zeros(50, np.float32),
    }
    return chip_yield._hardware(point, chip, params)["kernel"]


def test_a_chip_is_its_own_and_always_the_same():
    one, two = (hardware(i, spread=0.5, stuck_rate=0.1) for i in (1, 2))
    again = jax.jit(lambda i: hardware(i, spread=0.5, stuck_rate=0.1))(1)
    np.testing.assert_allclose(one.device.write_noise, again.device.write_noise, 1e-6)
    assert np.array_equal(np.isnan(one.stuck_at), np.isnan(again.stuck_at))
    assert not np.array_equal(np.isnan(one.stuck_at), np.isnan(two.stuck_at))


@pytest.mark.parametrize("rate", [0.0, 0.1, 1.0])
def test_the_rate_and_the_levels_of_stuck_cells_are_as_asked(rate):
    stuck = np.asarray(hardware(0, stuck_rate=rate).stuck_at)
    hit = ~np.isnan(stuck)
    assert abs(hit.mean() - rate) <= 5 * np.sqrt(rate * (1 - rate) / stuck.size)
    assert set(np.unique(stuck[hit])) <= {-40.0, 0.0, 40.0}


def test_without_spread_all_cells_are_nominal():
    assert np.all(np.asarray(hardware(3).device.write_noise) == 2.0)
    strayed = np.asarray(hardware(3, spread=0.5).device.write_noise)
    within = np.log(strayed).std()
    assert abs(within - 0.5) < 5 * 0.5 / np.sqrt(2 * strayed.size)


def test_stuck_cells_stay_where_they_are_and_the_trace_is_whole():
    axes = {"stuck_rate": [0.5], "spread": [0.0]}
    whole = sweep(one_chip, axes, base=Training(**SMALL), dims={"accuracy": ("epoch",)})
    seen = replay(whole, 0)
    assert seen.weights.shape == (10, 64 * 8 + 8 * 10)
    np.testing.assert_allclose(seen.conductances, 80 * seen.weights, rtol=1e-5)
    assert (np.diff(seen.writes, axis=0) >= 0).all()
    held = np.isclose(np.abs(seen.conductances[1:]), 40.0, atol=1e-3).all(0)
    assert abs(held.mean() - 1 / 3) < 5 * np.sqrt(2 / 9 / held.size)
    per_cell = float(seen.writes[-1].mean())
    np.testing.assert_allclose(seen.lifetime, 10 / per_cell, rtol=1e-5)


def test_the_yield_is_the_fraction_of_good_chips(found):
    dataset, _ = found
    asked = {"spread": SMOKE.spreads, "stuck_rate": SMOKE.stuck_rates}
    raw = sweep(
        one_chip, asked, chips=6, base=SMOKE.training, dims={"accuracy": ("epoch",)}
    )
    for required in SMOKE.required:
        expected = (raw.final >= required).mean(("chip", "seed"))
        np.testing.assert_allclose(dataset["yield"].sel(required=required), expected)
    np.testing.assert_allclose(
        dataset.final_mean, raw.final.mean(("chip", "seed")), 1e-5
    )


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
        ({"n_chips": 0}, "n_chips = 0"),
        ({"stuck_rates": (0.5, 1.5)}, "stuck_rate must be in .*1.5"),
        ({"spreads": (-0.1,)}, "spread must be at least 0, got -0.1"),
        ({"required": ()}, "required"),
        ({"epochs": 0}, "epochs must be at least 1"),
    ],
)
def test_a_wrong_config_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Config(**fields)
