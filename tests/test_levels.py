"""Arrays of few levels: what they hold, how rules step on them, who is judged."""

from dataclasses import replace

import jax
import jax.random as jr
import numpy as np
import pytest
import xarray as xr

import chipsweep
import eapu_jax as ej
from experiments.memristor import levels, levels_figure
from tests.figure_laws import lawful, speaks

SMOKE = levels.PRESETS["smoke"]


@pytest.mark.parametrize(
    ("count", "preset"), [(16, ej.presets.INT4), (4, ej.presets.INT2)]
)
def test_the_array_is_that_of_the_presets(count, preset):
    assert levels.levelled(count) == preset


def trained(rule, count, write_noise=0.0):
    base = replace(levels.defaults(SMOKE), rule=rule, levels=count)
    base = replace(base, write_noise=write_noise, learning_rate=1e-2)
    run = jax.jit(lambda keys: levels.simulate(base, 0, keys, trace=True))
    return run(chipsweep.keys_of(jr.key(1), 0, 0))


def test_eapu_moves_a_weight_by_one_level_at_a_time():
    """Updates of Adam are below a level: a write is one level, up or down."""
    seen = trained("eapu", 16)
    steps = np.asarray(seen["weights"]) * 16 / 2  # in levels
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-4)
    moves = np.abs(np.diff(np.round(steps), axis=0))
    written = np.diff(np.asarray(seen["writes"], int), axis=0)
    assert set(np.unique(moves[written == 0])) == {0}
    assert set(np.unique(moves[written == 1])) <= {0, 1}  # 0: stopped at a bound
    assert (moves == 1).sum() > 0.9 * written.sum() > 0


def test_what_is_below_half_a_level_is_forgotten_by_the_nearest_one():
    seen = trained("noisy", 16)
    assert float(seen["update_ratio"]) == 0


def test_the_step_is_the_write_error_where_that_is_larger():
    """At 256 levels of 0.625 uS a request of EaPU is 4 uS under an error of 4 uS."""
    seen = trained("eapu", 256, write_noise=4.0)
    moves = np.diff(80 * np.asarray(seen["weights"]), axis=0)
    written = np.diff(np.asarray(seen["writes"], int), axis=0) == 1
    inside = np.abs(np.asarray(seen["weights"])[1:] * 80) < 50
    size = moves[written & inside]
    # 4 uS of either sign, and an error of 4 uS
    assert abs((size**2).mean() / 32 - 1) < 5 * np.sqrt(2.5 / size.size)


def made_up(config):
    """The second rate is better by the chips that tune, the first by all others."""
    good = np.zeros((2, 1, 3))
    good[1, :, 0], good[0, :, 1:] = 0.9, 0.8
    shape = (2, 2, 2, 2, 1, 3)
    names = ("rule", "levels", "write_noise", "learning_rate", "seed", "chip")
    axes = {"rule": config.rules, "levels": config.levels}
    axes |= {"write_noise": config.write_errors, "learning_rate": config.adam_rates}
    coords = {k: list(v) for k, v in axes.items()} | {"chip": range(3)}
    adam = xr.Dataset(
        {
            "final": (names, np.broadcast_to(good, shape)),
            "update_ratio": (names, np.full(shape, 1e-3)),
        },
        coords,
    )
    return {
        "adam": adam,
        "ideal": adam.isel(rule=0, levels=0, write_noise=0, drop=True),
    }


def test_the_rate_is_chosen_by_some_chips_and_judged_by_the_others():
    dataset = levels.derive(SMOKE, made_up(SMOKE))
    assert dataset.chip.values.tolist() == [1, 2]
    assert np.all(dataset.learning_rate == SMOKE.adam_rates[1])
    assert np.all(dataset.accuracy == 0)
    assert float(dataset.ideal_accuracy) == 0


def test_the_figure_shows_every_write_error_and_the_writes():
    dataset = levels.derive(SMOKE, made_up(SMOKE))
    dataset.update_ratio[{"rule": 1}] = 0.0  # a rule that never writes
    figure = levels.plot(dataset)
    lawful(figure)
    right = dataset.assign(accuracy=dataset.accuracy + 0.7)
    speaks(levels_figure.says, right)
    titles = [axes.get_title() for axes in figure.axes if axes.axison]
    assert titles == ["no write error", "write error 2 µS", "writes at 2 µS"]
    assert "UCI digits" in figure.get_supxlabel()
    assert levels.claims(dataset) == []


def test_rules_with_several_arrays_are_trained_with_sgd():
    families = levels.Config().families(levels.Config().rules)
    assert families["sgd"][0] == ("residual_learning", "multi_tile")
    assert "eapu" in families["adam"][0]


@pytest.mark.slow
def test_a_tiny_run_is_labelled_and_drawn():
    found = {k: chipsweep.run(s.spec) for k, s in levels.sweeps(SMOKE).items()}
    dataset = levels.derive(SMOKE, found)
    assert dataset.sizes["chip"] == 2
    assert all("units" in dataset[v].attrs for v in dataset.data_vars)
    assert levels.plot(dataset).axes


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        ({"levels": (1, 4)}, "levels"),
        ({"levels": (8, 4)}, "levels"),
        ({"tuners": 20}, "tuners = 20: fewer"),
        ({"sgd_rates": (1e-2,)}, "sgd_rates"),
        ({"rules": ("ideal",)}, "rules"),
        ({"write_errors": (-1.0,)}, "write_errors"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused(bad, named):
    with pytest.raises(ValueError, match=rf"Config\.{named}"):
        levels.Config(**bad)
