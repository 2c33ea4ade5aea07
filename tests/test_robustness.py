"""Imperfect chips: built as asked, written once or trained, and told apart."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import xarray as xr

import chipsweep
from chipsweep.point import Point
from eapu_jax import array
from experiments.learning.loop import first_weights
from experiments.memristor import imperfect, robustness, robustness_figure
from experiments.memristor.training import network, prepared
from tests.figure_laws import lawful, speaks
from tests.statistics import assert_variance

SMOKE = robustness.PRESETS["smoke"]
PARAMS = {"kernel": jnp.zeros((60, 70)), "bias": jnp.zeros(70)}


def built(**point):
    chip = SMOKE.base("eapu", **point)
    return imperfect.hardware(jr.key(3), chip, PARAMS)["kernel"]


def test_every_cell_of_a_pair_is_stuck_by_itself_at_an_end_of_the_window():
    chip = built(stuck_rate=0.1)
    stuck, level = np.asarray(chip.stuck), np.asarray(chip.stuck_at)
    assert stuck.shape == (2, 60, 70)
    for hit, p in ((stuck, 0.1), (level[stuck] == 160.0, 0.5)):
        assert abs(hit.mean() - p) < 5 * np.sqrt(p * (1 - p) / hit.size)
    assert set(np.unique(level)) == {0.0, 160.0}


def test_windows_and_write_errors_stray_from_cell_to_cell():
    device: Any = built(spread=0.3, tolerance=2.0).device
    for strayed in (device.g_max, device.tolerance):
        logs = np.log(np.asarray(strayed))
        assert logs.shape == (2, 60, 70)
        assert abs(logs.std() - 0.3) < 5 * 0.3 / np.sqrt(2 * logs.size)
    assert np.all(np.asarray(built(spread=0.0).device.g_max) == 160.0)


@pytest.mark.parametrize(("tolerance", "relaxation"), [(3.0, 0.0), (0.0, 2.0)])
def test_a_deployed_weight_errs_as_one_write_does(tolerance, relaxation):
    point = SMOKE.base("ideal", tolerance=tolerance, relaxation=relaxation)
    chip = imperfect.hardware(jr.key(0), point, PARAMS)
    asked = 0.2 * jr.normal(jr.key(1), (60, 70))
    held = imperfect.deployed(jr.key(2), chip, {**PARAMS, "kernel": asked})
    landed = array.weights(chip["kernel"], held["kernel"])
    law = tolerance**2 / 3 + relaxation**2
    assert_variance(80 * np.ravel(landed - asked), law)
    assert float(imperfect.write_error(point)) == pytest.approx(np.sqrt(law))


def test_the_written_cell_makes_up_for_a_partner_that_is_stuck():
    point = SMOKE.base("ideal", stuck_rate=0.2)
    chip = imperfect.hardware(jr.key(0), point, PARAMS)
    asked = 0.2 * jr.normal(jr.key(1), (60, 70))
    held = imperfect.deployed(jr.key(2), chip, {**PARAMS, "kernel": asked})
    landed = np.asarray(array.weights(chip["kernel"], held["kernel"]))
    plus, minus = np.asarray(chip["kernel"].stuck)
    np.testing.assert_allclose(landed[~plus & ~minus], asked[~plus & ~minus], atol=1e-6)
    # the written cell is 0 to 2 in units of weights, a stuck partner 0 or 2
    at = np.where(np.asarray(chip["kernel"].stuck_at)[1] > 0, 2.0, 0.0)
    nearest = np.clip(asked, 0.0 - at, 2.0 - at)
    one = minus & ~plus
    np.testing.assert_allclose(landed[one], nearest[one], atol=1e-5)


def random_chip(**changes):
    """A chip that holds random weights, and its accuracy."""
    point = SMOKE.base("ideal", **changes)
    params = first_weights(jr.key(5), network(point), prepared(point))
    params = jax.tree.map(lambda w: 0.3 * w, params)  # all within the window
    chip = imperfect.hardware(jr.key(6), point, params)
    held = imperfect.deployed(jr.key(7), chip, params)
    return point, chip, params, held


def logits_of(monkeypatch, point, *chip):
    """What `tested` hands to the accuracy."""
    seen = []
    monkeypatch.setattr(imperfect, "accuracy", lambda y, labels: seen.append(y))
    imperfect.tested(jr.key(8), point, *chip)
    return np.asarray(seen[0])


def test_an_array_without_imperfections_is_the_plain_network(monkeypatch):
    point, *chip = random_chip()
    x = jnp.asarray(prepared(point).x_test)
    plain: Any = network(point).apply({"params": chip[1]}, x)
    np.testing.assert_allclose(logits_of(monkeypatch, point, *chip), plain, atol=1e-4)


@pytest.mark.slow
def test_one_solve_per_line_is_what_every_image_meets(monkeypatch):
    """Wires folded into the cells, against products that solve for each image."""
    point, chip, params, held = random_chip(stuck_rate=0.1, n_test=20)
    ideal = logits_of(monkeypatch, point, chip, params, held)
    for ohm, same in ((0.0, True), (10.0, False)):
        wired = imperfect.with_wires(chip, replace(point, line_resistance=ohm))
        solved = logits_of(monkeypatch, point, wired, params, held)
        free, seen = imperfect.through_wires(chip, held, ohm)
        folded = logits_of(monkeypatch, point, free, params, seen)
        np.testing.assert_allclose(folded, solved, atol=2e-3)
        assert np.allclose(solved, ideal, atol=2e-3) == same


def run(chips, **changes):
    point = SMOKE.base(changes.pop("rule", "eapu"), **changes)

    def one(chip, rate):
        at = Point({**vars(point), "learning_rate": rate})
        return imperfect.simulate(at, chip, chipsweep.keys_of(jr.key(0), 0, chip))

    rates = jnp.asarray([rate for _, rate in chips])
    return jax.jit(jax.vmap(one))(jnp.asarray([c for c, _ in chips]), rates)


def test_a_chip_that_diverges_is_nan_and_its_neighbours_go_on():
    found = run([(0, 1e-2), (1, 3e38), (2, 1e-2)], epochs=1)
    assert np.isnan(found["final"]).tolist() == [False, True, False]


def test_a_network_written_onto_a_chip_without_imperfections_is_the_digital_one():
    found = run([(0, 3e-3)], rule="ideal", hidden=(32,), epochs=10)
    assert float(found["final"][0]) == pytest.approx(float(found["accuracy"][0, -1]))
    assert float(found["final"][0]) > 0.3  # by chance it is 0.1


CONFIG = robustness.Config(data="digits", n_train=320, n_test=100)


def made_up(lost=0.0):
    """Sweeps in which the accuracy says rule and point; all together lose some."""
    sizes = {"cells": len(CONFIG.cells()), "adc": 3, "wires": 4, "together": 3}
    found, who = {}, ("seed", "chip")
    for m, rule in enumerate(CONFIG.rules):
        at = 0
        for kind, n in sizes.items():
            values = 0.5 + m / 10 + (at + np.arange(n)) / 1000
            if kind == "together":
                values = np.full(n, 0.5 + m / 10 - lost / 100)
            full = np.broadcast_to(values[:, None, None], (n, 2, 3))
            found[f"{rule}_{kind}"] = xr.Dataset({"final": (("point", *who), full)})
            at += n
    found["digital"] = xr.Dataset({"final": (who, np.full((2, 1), 0.9))})
    return found


def test_every_point_stands_beside_its_name_and_size():
    dataset = robustness.derive(CONFIG, made_up())
    names = dataset.imperfection.values
    for name, n in {"none": 1, "spread": 4, "adc_bits": 3, "together": 3}.items():
        assert np.sum(names == name) == n
    at = np.flatnonzero((names == "stuck_rate") & (dataset["size"] == 0.1))
    place = 1 + 4 * 4 + 2
    assert at.tolist() == [place]
    eapu = dataset.accuracy.sel(rule="eapu").isel(seed=0, chip=0)
    before_all = eapu[dataset.imperfection.values != "together"]
    np.testing.assert_allclose(before_all, 0.5 + np.arange(28) / 1000)
    np.testing.assert_allclose(eapu[28:], 0.5)
    bits = dataset.isel(point=np.flatnonzero(dataset.imperfection == "adc_bits"))
    assert bits["size"].values.tolist() == [6, 4, 3]
    assert all("units" in dataset[v].attrs for v in dataset.data_vars)


def test_chips_that_have_diverged_are_counted_left_out_and_drawn():
    found = made_up()
    found["noisy_cells"].final.values = found["noisy_cells"].final.values.copy()
    found["noisy_cells"].final.values[3, 0, :2] = np.nan
    dataset = robustness.derive(CONFIG, found)
    assert int(dataset.diverged.sum()) == 2
    figure = robustness.plot(dataset)
    lawful(figure)
    speaks(robustness_figure.says, dataset)
    assert len(figure.axes) == 8
    assert "2 of 558 trainings diverged" in figure.get_supxlabel().replace("\n", " ")


def test_the_verdict_follows_the_loss_of_all_together():
    for lost, verdict in ((1.0, "trend reproduced"), (5.0, "not reproduced")):
        (claim,) = robustness.claims(robustness.derive(CONFIG, made_up(lost)))
        assert (claim.ours, claim.verdict) == (pytest.approx(lost), verdict)
    dataset = robustness.derive(CONFIG, made_up(1.0))
    (claim,) = robustness.claims(dataset.assign_attrs(chance=0.35))
    assert claim.verdict == "not reproduced"  # so near chance there is little to lose
    assert robustness.claims(dataset.drop_sel(rule="eapu")) == []


def test_a_fraction_stays_one_however_severe():
    severe = robustness.Config(severities=(1.0, 100.0)).all_together()
    assert [one["stuck_rate"] for one in severe] == [0.02, 1.0]
    assert severe[1]["tolerance"] == 200.0


@pytest.mark.slow
def test_a_tiny_run_is_labelled_and_drawn():
    found = {k: chipsweep.run(s.spec) for k, s in robustness.sweeps(SMOKE).items()}
    dataset = robustness.derive(SMOKE, found)
    assert dataset.sizes["chip"] == 2
    assert robustness.plot(dataset).axes
    assert len(robustness.claims(dataset)) == 1


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        ({"adc_bits": (1,)}, "adc_bits = 1: 0"),
        ({"stuck_rates": (0.5, 1.5)}, "stuck_rates"),
        ({"tolerances": (0.0, 1.0)}, "tolerances"),
        ({"rules": ("manhattan",)}, "rules"),
        ({"severities": ()}, "severities"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused(bad, named):
    with pytest.raises(ValueError, match=named):
        robustness.Config(**bad)
