"""Chips that drift: cures, rivals, tasks in between, and what is said of them."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import xarray as xr

import chipsweep
from eapu_jax import array
from eapu_jax.placement import on_array
from experiments.data import load_images
from experiments.memristor import (
    aging,
    compensation,
    continual,
    cures,
    drift,
    drift_figure,
    drifting,
)
from tests.figure_laws import lawful, speaks
from tests.statistics import assert_mean, assert_variance

SMOKE = drift.PRESETS["smoke"]
PARAMS = {"kernel": 0.3 * jr.normal(jr.key(1), (60, 70)), "bias": jnp.zeros(70)}
YEARS = 10 * aging.YEAR


def built(device="filamentary", cure="none", **other):
    """One chip that holds `PARAMS`: its point, array and state."""
    point = replace(SMOKE.chip(), device=device, cure=cure, **other)
    chip = cures.hardware(jr.key(3), point, PARAMS)
    return point, chip, cures.programmed(jr.key(4), chip, on_array(PARAMS))


def grown_old(chip, held, dt):
    aged = array.advance(jr.key(5), chip["kernel"], held["kernel"], dt)
    return np.asarray(array.weights(chip["kernel"], aged), float)


# Rivals


X = np.asarray(jr.normal(jr.key(6), (200, 12)))
W = np.asarray(jr.normal(jr.key(7), (12, 5)))
TORN = W * np.asarray(jr.uniform(jr.key(8), W.shape, minval=0.5))


def missed(made):
    return float(np.sum((X @ W - X @ np.asarray(made)) ** 2))


def test_one_factor_is_the_least_squares_one():
    found = compensation.one_factor(X, X @ W, TORN)
    (best,), *_ = np.linalg.lstsq((X @ TORN).reshape(-1, 1), (X @ W).ravel())
    np.testing.assert_allclose(found, best * TORN, rtol=1e-4)


def test_two_vectors_undo_what_rows_and_columns_have_lost():
    rows, columns = (
        np.asarray(jr.uniform(k, (n,), minval=0.4))
        for k, n in zip(jr.split(jr.key(9)), W.shape, strict=True)
    )
    found = compensation.two_vectors(X, X @ W, rows[:, None] * W * columns)
    np.testing.assert_allclose(found, W, atol=0.02 * np.abs(W).max())


def test_two_vectors_miss_less_than_one_factor_and_that_less_than_none():
    missed_by = [missed(f(X, X @ W, TORN)) for f in compensation.COMPENSATIONS.values()]
    assert missed_by[0] > 1.2 * missed_by[1] > 1.2**2 * missed_by[2] > 0


def test_a_layer_that_has_lost_all_is_left_as_it_is():
    for f in compensation.COMPENSATIONS.values():
        assert not np.any(f(X, X @ W, np.zeros_like(W)))


def test_a_row_whose_input_is_silent_goes_with_its_columns():
    heard = X * (np.arange(12) != 3)
    found = compensation.two_vectors(heard, heard @ W, 0.8 * W)
    np.testing.assert_allclose(found, W, atol=0.01 * np.abs(W).max())


def test_every_layer_is_fitted_to_what_arrives_through_those_before_it():
    keys = jr.split(jr.key(10), 2)
    shapes = {"Dense_0": (12, 8), "Dense_1": (8, 5)}
    params = {
        name: {"kernel": jr.normal(k, shape), "bias": jnp.full(shape[1], 0.3)}
        for k, (name, shape) in zip(keys, shapes.items(), strict=True)
    }
    ideal = on_array(params)
    seen = {"Dense_0/kernel": 0.5 * ideal["Dense_0/kernel"], **ideal}
    seen["Dense_0/kernel"] = jnp.zeros_like(ideal["Dense_0/kernel"])  # nothing passes
    found = compensation.compensated(compensation.one_factor, X, params, ideal, seen)
    hidden = np.maximum(X @ np.asarray(ideal["Dense_0/kernel"]) + 0.3, 0)
    arrives = np.full((200, 8), 0.3)  # its bias alone
    made = arrives @ np.asarray(ideal["Dense_1/kernel"])
    asked = hidden @ np.asarray(ideal["Dense_1/kernel"])
    factor = np.sum(asked * made) / np.sum(made**2)
    expected = factor * ideal["Dense_1/kernel"]
    np.testing.assert_allclose(found["Dense_1/kernel"], expected, rtol=1e-3)


# Chips


@pytest.mark.parametrize("device", aging.DEVICES)
@pytest.mark.parametrize(
    ("cure", "cells"), [("none", 1), ("pair", 2), ("redundancy", 3), ("all", 6)]
)
def test_weights_fill_the_window_and_none_is_clipped(device, cure, cells):
    _, chip, held = built(device, cure)
    one: Any = chip["kernel"]
    asked = np.asarray(one.encoding.to_cells(PARAMS["kernel"], held["kernel"].scale))
    assert asked.size == cells * PARAMS["kernel"].size
    low, high = float(one.device.g_min), float(one.device.g_max)
    slack = 1e-5 * (high - low)
    assert low - slack <= asked.min()
    assert asked.max() <= high + slack
    rests = cure in ("pair", "all")  # there, at the lower end
    assert asked.max() > high - slack or (asked.min() < low + slack and not rests)


@pytest.mark.parametrize(("cure", "copies"), [("none", 1), ("redundancy", 3)])
def test_a_weight_is_written_once_and_errs_by_one_write_over_its_copies(cure, copies):
    _, chip, held = built(cure=cure)
    error = np.asarray(array.weights(chip["kernel"], held["kernel"])) - PARAMS["kernel"]
    inside = np.abs(PARAMS["kernel"]) < 0.9 * np.abs(PARAMS["kernel"]).max()
    law = (1 / 3 + 0.5**2) / copies * float(held["kernel"].scale) ** 2
    assert_mean(error[inside], 0.0)
    assert_variance(error[inside], law)
    assert np.all(np.asarray(held["kernel"].ledger.writes) == 1)


def test_what_both_cells_of_a_pair_lose_alike_leaves_a_weight_its_sign_and_zero():
    still = {"device": "bulk", "spread": 0.0}
    kept = (1 + YEARS) ** -0.005  # onset of 1 s
    _, chip, held = built(cure="pair", **still)
    before = np.asarray(array.weights(chip["kernel"], held["kernel"]), float)
    after = grown_old(chip, held, YEARS)
    np.testing.assert_allclose(after, kept * before, atol=2e-6)
    mended = compensation.one_factor(jnp.eye(60), before, after)
    np.testing.assert_allclose(mended, before, atol=1e-5)
    _, chip, held = built(cure="none", **still)
    before = np.asarray(array.weights(chip["kernel"], held["kernel"]), float)
    shift = (kept - 1) * 0.45 * float(held["kernel"].scale)  # of a weight of 0
    after = grown_old(chip, held, YEARS)
    np.testing.assert_allclose(after, kept * before + shift, atol=2e-6)


def test_jumps_and_leaks_stray_from_cell_to_cell():
    for device, name in (("filamentary", "rate"), ("bulk", "exponent")):
        _, chip, _ = built(device, "pair")
        logs = np.log(np.asarray(getattr(chip["kernel"].device, name)))
        assert logs.shape == (2, 60, 70)
        assert abs(logs.std() - 0.3) < 5 * 0.3 / np.sqrt(2 * logs.size)


def test_calibration_writes_the_cells_that_are_off_and_no_other():
    point, chip, held = built()
    cells: Any = held["kernel"].cells
    wanted = chip["kernel"].encoding.to_cells(PARAMS["kernel"], held["kernel"].scale)
    off = jr.bernoulli(jr.key(11), 0.2, wanted.shape)
    inward = jnp.where(wanted > 50, -1.0, 1.0)
    stands = wanted + jnp.where(off, 12.0, 0.5) * inward  # read noise of 0.5 uS
    moved = held["kernel"]._replace(cells=chip["kernel"].device.put(cells, stands))
    found = cures.calibrated(
        jr.key(12), chip, on_array(PARAMS), {"kernel": moved}, point.tolerance
    )["kernel"]
    np.testing.assert_array_equal(found.ledger.writes, 1 + np.asarray(off))
    now = np.asarray(chip["kernel"].conductance(found.cells))
    np.testing.assert_array_equal(now[~off], np.asarray(stands)[~off])
    inside = np.asarray(off & (wanted > 8) & (wanted < 93))
    error = (now - np.asarray(wanted))[inside]
    assert_mean(error, 0.0)
    assert_variance(error, 1 / 3 + 0.5**2 + 0.5**2)  # the read that it was aimed by


@pytest.mark.parametrize("periods", [1, 4, 7])
def test_calibrations_come_evenly_and_after_the_test_of_that_moment(periods):
    times = (1.0, 30.0, 100.0)
    found = drifting.events(times, periods)
    at = np.cumsum(found.dt)
    np.testing.assert_allclose(at[found.tested], times, rtol=1e-6)
    due = 100 * np.arange(1, periods) / periods
    np.testing.assert_allclose(at[found.due], due, rtol=1e-6)
    assert np.all(found.tested | found.due)


def test_only_calibration_writes_after_programming():
    params = {
        f"Dense_{n}": {
            "kernel": 0.3 * jr.normal(jr.key(n), shape),
            "bias": jnp.zeros(b),
        }
        for n, (shape, b) in enumerate([((64, 8), 8), ((8, 10), 10)])
    }
    grown = {}
    for cure in ("none", "calibration"):
        point = replace(SMOKE.chip(), cure=cure, times=(1.0, 5e7, 2e8), periods=4)
        chip = cures.hardware(jr.key(0), point, params)
        held = cures.programmed(jr.key(1), chip, on_array(params))
        live = jax.jit(lambda p, c, h, at=point: drifting.lived(jr.key(2), at, c, h, p))
        seen, writes = live(params, chip, held)
        assert seen.shape == (3, len(compensation.COMPENSATIONS))
        assert np.all(np.isfinite(seen))
        grown[cure] = np.asarray(writes)
    np.testing.assert_allclose(grown["none"], 1.0, rtol=1e-6)
    assert grown["calibration"][0] == grown["calibration"][1] == grown["none"][0]
    assert grown["calibration"][2] > 1.2  # calibrated at 5e7 s, after the test


# Tasks


def test_a_task_has_its_classes_as_many_images_as_any_other_and_labels_from_0():
    point = SMOKE.sequence("eapu")
    for tasks in (2, 5):
        given = continual.lessons(replace(point, tasks=tasks))
        assert given.y.shape == given.x.shape[:2]
        assert given.x.shape[0] == tasks
        assert set(np.unique(given.y)) == set(range(10 // tasks))
    data = continual.prepared(point)
    first = continual.lessons(replace(point, tasks=2)).x[1][0]
    assert np.array_equal(first, data.x_train[np.argmax(data.y_train >= 5)])


@pytest.mark.parametrize("data", ["digits", "mnist5k", "synthetic"])
def test_every_data_set_has_as_many_classes_as_tasks_are_cut_from(data):
    loaded = load_images(data, 400, 100)
    assert loaded.n_classes == continual.CLASSES
    sizes = np.bincount(loaded.y_train)
    assert sizes.min() * 2 >= 400 // 10  # a task of two has what is promised


def sequences(rule, chips, **other):
    point = replace(SMOKE.sequence(rule), tasks=5, batch_size=16, **other)

    def one(chip):
        keys = chipsweep.keys_of(jr.key(0), 0, chip)
        return continual.simulate(point, chip, keys)

    return jax.tree.map(np.asarray, jax.jit(jax.vmap(one))(jnp.asarray(chips)))


@pytest.mark.slow
def test_without_a_leak_a_pause_is_nothing_and_with_one_it_costs():
    ends = {
        (exponent, pause): sequences(
            "eapu", [0, 1], device="bulk", exponent=exponent, pause=pause
        )["accuracy"]
        for exponent, pause in ((0.0, 0.0), (0.0, YEARS), (0.2, YEARS))
    }
    np.testing.assert_array_equal(ends[0.0, 0.0], ends[0.0, YEARS])
    assert ends[0.2, YEARS].mean() < ends[0.0, YEARS].mean()


def test_a_digital_network_learns_its_tasks_whatever_the_chip():
    found = sequences("ideal", [0, 1], epochs=8)
    np.testing.assert_array_equal(*found["accuracy"])
    assert found["accuracy"][0, 0] > 0.9  # 0 or 1
    assert not np.any(found["writes"])


# What is made of it


CONFIG = drift.Config(n_train=320, n_test=100, batch_size=16)


def made_up(lost=1.0, gains=(3.0, 2.0, 4.0)):
    """Sweeps in which cures gain these points, and the last task loses some."""
    names, who = list(CONFIG.cures), (2, 3)
    plain = 0.7 + np.array([0.0, *gains, 9.0]) / 100
    shape = (2, len(names), *who, 3, len(CONFIG.times))
    accuracy = np.broadcast_to(plain[None, :, None, None, None, None], shape).copy()
    accuracy[..., 1:, :] = 0.5  # under compensations
    labels = {"device": list(CONFIG.devices), "cure": names}
    dims = ("device", "cure", "seed", "chip")
    aged = xr.Dataset(
        {
            "accuracy": ((*dims, "compensation", "time"), accuracy),
            "writes": ((*dims, "time"), np.ones((*shape[:4], shape[5]))),
            "digital": (dims, np.full(shape[:4], 0.8)),
        },
        labels,
    )
    drifting = np.full((2, 2, *who, 5), 0.9 - lost / 100)
    dims = ("device", "pause", "seed", "chip")
    tasks = xr.Dataset(
        {
            "accuracy": ((*dims, "task"), drifting),
            "writes": (dims, np.ones(drifting.shape[:4])),
        },
        {"device": labels["device"], "pause": [0.0, CONFIG.pause]},
    )
    digital = xr.Dataset(
        {"accuracy": (("seed", "chip", "task"), np.full((2, 1, 5), 0.9))}
    )
    return {"cures": aged, "continual": tasks, "continual_digital": digital}


def test_verdicts_follow_the_numbers_and_what_has_no_source_has_none():
    for lost, verdict in ((1.0, "trend reproduced"), (3.0, "not reproduced")):
        dataset = drift.derive(CONFIG, made_up(lost))
        on_par, data, retold, *_ = drift.claims(dataset)
        assert (on_par.ours, on_par.verdict) == (pytest.approx(lost), verdict)
        assert (data.verdict, data.published) == ("not attempted", 90.0)
        assert (retold.verdict, retold.published) == ("not attempted", 99.7)
        assert "NOT in the article" in retold.source
    for gains, verdict, least in (
        ((3.0, 2.0, 4.0), "trend reproduced", "redundancy"),
        ((3.0, 2.0, -1.0), "not reproduced", "calibration"),
    ):
        dataset = drift.derive(CONFIG, made_up(gains=gains))
        for claim in drift.claims(dataset)[3:]:
            assert claim.ours == pytest.approx(min(gains))
            assert claim.verdict == verdict
            assert f"least, {least}" in claim.claim
    few = dataset.sel(cure=["none", "all"], device=["filamentary"])
    assert [c.verdict for c in drift.claims(few)] == ["not attempted"] * 2


def test_the_figure_marks_what_is_published_and_what_is_only_told():
    dataset = drift.derive(CONFIG, made_up())
    assert all("units" in dataset[v].attrs for v in dataset.data_vars)
    figure = drift.plot(dataset)
    lawful(figure)
    speaks(drift_figure.says, dataset)
    assert len(figure.axes) == 4
    legends = [
        text for axes in figure.axes for text in axes.get_legend_handles_labels()[1]
    ]
    assert "99.7 %, retold: not in the source" in legends
    assert "published: 90 %, other task" in legends
    caption = figure.get_supxlabel().replace("\n", " ")
    assert "10.0 (one cell, nothing done), 7.0 (differential pair)" in caption
    assert "by 1.0 after the last task" in caption


@pytest.mark.slow
def test_a_tiny_run_is_labelled_drawn_and_judged():
    found = {
        k: chipsweep.run(s.spec, resources=chipsweep.Resources(chunk=s.chunk))
        for k, s in drift.sweeps(SMOKE).items()
    }
    dataset = drift.derive(SMOKE, found)
    assert dataset.sizes["chip"] == 2
    assert np.all(np.isfinite(dataset.accuracy))
    assert np.all(dataset.writes.isel(time=-1) > 1)
    assert drift.plot(dataset).axes
    assert len(drift.claims(dataset)) == 2


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        ({"tasks": 3}, "tasks = 3: a divisor of 10"),
        ({"tasks": 10}, "tasks = 10"),
        ({"probes": 1281}, "probes = 1281"),
        ({"batch_size": 300}, "batch_size = 300: at most"),
        ({"cures": ("hope",)}, r"cures\[0\]"),
        ({"devices": ()}, "devices"),
        ({"times": (10.0, 1.0)}, "times"),
        ({"copies": 1}, "copies"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused(bad, named):
    with pytest.raises(ValueError, match=named):
        drift.Config(**bad)


@pytest.mark.parametrize(
    ("bad", "named"),
    [({"rule": "eapu"}, "rule = 'eapu'"), ({"channels": (4,), "hidden": (8,)}, "chan")],
)
def test_a_chip_that_grows_old_is_written_with_a_network_of_dense_layers(bad, named):
    with pytest.raises(ValueError, match=named):
        replace(SMOKE.chip(), **bad)
