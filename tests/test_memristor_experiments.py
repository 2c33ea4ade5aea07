"""The memristor experiments: tiny runs, figures that compute nothing, fair verdicts."""

from dataclasses import replace
from functools import cache, partial
from importlib import import_module

import jax
import jax.numpy as jnp
import jax.random as jr
import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

import chipsweep
import eapu_jax as ej
from experiments.claims import VERDICTS
from experiments.learning.inputs import Data
from experiments.memristor import (
    endurance,
    scheme,
    threshold,
    training,
    update_ratio,
    write_noise,
)
from experiments.memristor.setting import Setting
from tests.figure_laws import lawful, speaks

NAMES = ("write_noise", "threshold", "update_ratio", "scheme", "endurance", "energy")
BRIEF = ("write_noise", "endurance")
every_run = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in BRIEF else pytest.mark.slow)
        for name in NAMES
    ],
)


def module(name):
    return import_module(f"experiments.memristor.{name}")


def asked(name):
    """The sweeps of an experiment's smallest preset."""
    return module(name).sweeps(module(name).PRESETS["smoke"])


@cache
def found(name, label):
    """What one of them finds."""
    return swept(asked(name)[label])


def swept(one):
    return chipsweep.run(one.spec, resources=chipsweep.Resources(chunk=one.chunk))


@cache
def tiny(name):
    """What all of them show."""
    whole = {label: found(name, label) for label in asked(name)}
    return module(name).derive(module(name).PRESETS["smoke"], whole)


@every_run
def test_a_tiny_run_is_labelled_drawn_and_judged(name):
    before = dict(mpl.rcParams)
    dataset = tiny(name)
    kept = dataset.copy(deep=True)
    assert "UCI digits" in dataset.attrs["data"]
    assert dataset.sizes["chip"] == 2
    assert all("units" in dataset[v].attrs for v in dataset.data_vars)
    figure = module(name).plot(dataset)
    assert isinstance(figure, Figure)
    lawful(figure)
    speaks(import_module(f"experiments.memristor.{name}_figure").says, dataset)
    assert dict(mpl.rcParams) == before
    assert {c.verdict for c in module(name).claims(dataset)} <= set(VERDICTS)
    assert dataset.identical(kept)


LAST = {
    "write_noise": ("mlp", {"rule": ("eapu",), "write_noise": [2.0]}),
    "threshold": ("eapu", {"threshold": [4.0]}),
    "update_ratio": ("sgd", {"rule": ("noisy",)}),
    "scheme": ("training", {}),
    "endurance": ("adam", {}),
    "energy": ("noisy", {"write_noise": [0.25]}),
}
"""The sweep of each experiment in which one chip is looked at, and where."""


@every_run
def test_a_chip_is_that_of_the_run_whoever_its_neighbours_are(name):
    label, axes = LAST[name]
    one = asked(name)[label]
    axes = {k: axes.get(k, v) for k, v in one.axes.items()}
    assert one.chips == 2  # as many: it is the same program
    again = swept(replace(one, axes=axes, chips=[1, 7])).sel(chip=[1])
    among = found(name, label).sel(chip=[1], **{k: list(v) for k, v in axes.items()})
    first = found(name, label).sel(chip=0)
    names = set(again.data_vars) - {"computed", "reason"}
    for output in names:
        np.testing.assert_allclose(
            again[output], among[output], 2e-5, 1e-6, err_msg=output
        )
    assert any(np.any(among[output] != first[output]) for output in names)


def test_single_updates_of_a_chip_alone_are_those_of_the_run():
    one = asked("scheme")["updates"]
    alone, among = swept(replace(one, chips=[1])), found("scheme", "updates")
    np.testing.assert_allclose(alone["mean"], among["mean"].sel(chip=[1]), 1e-6)


def test_an_array_is_chosen_by_name():
    base = replace(threshold.defaults(threshold.PRESETS["smoke"]), epochs=1)
    at = {"n_train": 320, "hidden": (4,), "write_noise": 0.5}
    base = replace(base, crossbar="SOFT_BOUNDS", **at)
    final = chipsweep.sweep(training.simulate, {"rule": ["eapu"]}, base=base).final
    assert np.isfinite(final).all()
    assert training.crossbar(base) is ej.presets.SOFT_BOUNDS
    with pytest.raises(ValueError, match="crossbar = 'nonsense'"):
        Setting(crossbar="nonsense")
    with pytest.raises(ValueError, match="never reads the axis 'r_wg'"):
        chipsweep.sweep(training.simulate, {"r_wg": [0.01]}, base=base)


@pytest.mark.parametrize("name", NAMES)
def test_every_experiment_says_what_it_reproduces_and_grows(name):
    assert module(name).REPRODUCES
    small, large = module(name).Config(), module(name).PRESETS["large"]
    assert large.n_chips > small.n_chips >= 8
    assert large.n_seeds > small.n_seeds >= 2


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "bad", [{"batch_size": 4001}, {"n_train": 4001}, {"n_test": 1001}]
)
def test_a_config_asks_for_no_more_images_than_there_are(name, bad):
    with pytest.raises(ValueError, match=rf"Config\.{next(iter(bad))} = "):
        module(name).Config(**bad)


@pytest.mark.parametrize(
    ("config", "bad", "named"),
    [
        (update_ratio.Config, {"batch_size": 2001}, "Config.batch_size = 2001"),
        (update_ratio.Config, {"learning_rate": 1e38}, "learning_rate = 5e"),
        (endurance.Config, {"learning_rate": 1e38}, "learning_rate = 2e"),
    ],
)
def test_what_follows_from_a_config_is_checked_with_it(config, bad, named):
    with pytest.raises(ValueError, match=named):
        config(**bad)


def test_an_unknown_data_set_is_refused_before_anything_runs():
    with pytest.raises(ValueError, match="nonsense"):
        Setting(data="nonsense").images()


def test_a_trace_ends_where_the_training_does():
    small = {"hidden": (8,), "epochs": 1, "optimizer": "sgd", "learning_rate": 0.02}
    base = replace(threshold.defaults(threshold.PRESETS["smoke"]), **small)
    run = jax.jit(partial(training.learn, base, trace=True))
    curves, seen = run(chipsweep.keys_of(jr.key(5), 0, 1))
    kernels = [p["kernel"].ravel() for p in curves.params.values()]
    np.testing.assert_allclose(seen["weights"][-1], np.concatenate(kernels), atol=1e-6)
    writes = np.concatenate([n.ravel() for n in curves.writes])
    np.testing.assert_array_equal(seen["writes"][-1], writes)
    np.testing.assert_allclose(seen["conductances"], 80 * seen["weights"], rtol=1e-5)
    mean = seen["writes"][-1].mean() / len(curves.loss)
    np.testing.assert_allclose(seen["update_ratio"], mean, rtol=1e-5)


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        ({"threshold": 0.0}, "threshold"),
        ({"channels": (4,), "hidden": (8, 8)}, "hidden"),
        ({"batch_size": 5000}, "batch_size"),
    ],
)
def test_a_point_of_a_sweep_names_the_field_it_refuses(bad, named):
    with pytest.raises(ValueError, match=named):
        chipsweep.specify(
            training.simulate,
            {k: [v] for k, v in bad.items()},
            base=write_noise.defaults(write_noise.Config()),
        )


def test_observed_variances_are_those_of_the_laws():
    d, made = np.array([[0.01, -0.002]]), np.array([[0.025, 0.0]])
    seen = threshold.see_variance([jnp.array(d)], [jnp.array(made)], 0.05, 0.025)
    assert np.isclose(seen["measured"], np.mean((made - d) ** 2))
    assert np.isclose(seen["written"], np.mean(np.abs(d) / 0.05))
    for name, theta in {"law": 0.05, "least": 0.025}.items():
        p = np.abs(d) / theta
        expected = p * (theta - np.abs(d)) ** 2 + (1 - p) * d**2 + p * 0.025**2
        assert np.isclose(seen[name], expected.mean())


def test_sizes_are_counted_as_numpy_counts_them():
    d = 10.0 ** np.random.default_rng(0).uniform(-8, 0, 500)
    d[:7] = 0
    seen = scheme.see_sizes([jnp.array(d, jnp.float32)])
    expected, _ = np.histogram(np.log10(d[7:]), scheme.EDGES)
    assert np.abs(seen["counts"] - expected).sum() <= 2  # float32 at an edge
    assert (int(seen["zero"]), int(seen["total"])) == (7, 500)


def test_the_wear_of_known_cells():
    writes = jnp.array([1] * 90 + [50] * 10)  # of 100 steps: mean 5.9 writes
    found = endurance.wear(writes, 100)
    assert np.isclose(found["lifetime"], 100 / 5.9)
    assert found["lifetime_99"] == found["lifetime_worst"] == 2
    assert np.array_equal(found["cells"], np.bincount(writes, minlength=101))


def test_cells_wear_out_when_they_have_had_what_they_bear():
    """Cell by cell: written n times in 100 steps, 10 pulses a write."""
    writes = np.array([1] * 90 + [50] * 7 + [0] * 3)
    counts = np.bincount(writes, minlength=101).astype(float)
    cells = xr.Dataset({"cells": (("case", "writes"), counts[None])})
    cells = cells.assign_coords(writes=np.arange(101), case=["adam"])
    worn = endurance._worn(cells, 100).sel(case="adam")
    for bears, pulses in (("low", 1e4), ("value", 1e7)):
        for ahead in worn.ahead.values[::7]:
            by_hand = np.mean(writes * 10 * ahead / 100 > pulses)
            np.testing.assert_allclose(
                worn.sel(bears=bears, ahead=ahead), by_hand, atol=1e-12
            )


def test_a_chip_lasts_until_its_most_written_cell_has_had_what_it_bears():
    """By hand: 50 writes in 100 steps at most, 5 at the 99th percentile."""
    factors = {"lifetime_worst": 100 / 50, "lifetime_99": 100 / 5}
    at = ("case", "chip", "seed"), np.ones((1, 2, 1))
    made = xr.Dataset({n: (at[0], f * at[1]) for n, f in factors.items()})
    lasts = endurance._lasts(made)
    for end, (bears, loop) in {
        "low": (1e4, 100), "value": (1e7, 10), "high": (1e9, 1),
    }.items():  # fmt: skip
        for worn, writes in {"first": 50, "1 %": 5}.items():
            found = lasts.sel(end=end, worn_cells=worn)
            np.testing.assert_allclose(found, bears / loop / (writes / 100))


def test_all_rules_have_lives_and_a_place_in_the_figure():
    steps = np.arange(6.0)
    cells = np.stack([np.roll(steps[::-1], n) for n in range(7)])
    shape = (7, 2, 1)
    made = xr.Dataset(
        {
            "cells": (("case", "writes"), cells),
            **{
                n: (("case", "chip", "seed"), np.full(shape, f))
                for n, f in (("lifetime", 9.0), ("lifetime_99", 3.0))
            },
            "lifetime_worst": (("case", "chip", "seed"), np.ones(shape)),
            "by_pixel": (("case", "seed", "row", "column"), np.ones((7, 1, 4, 4))),
        },
        {"case": list(endurance.TITLES), "writes": steps.astype(int)},
    )
    made["cells"] = made.cells.expand_dims(chip=2, seed=1)
    made["worn"], made["lasts"] = endurance._worn(made, 5), endurance._lasts(made)
    figure = endurance.plot(made)
    lawful(figure)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    assert labels == list(endurance.TITLES.values())
    assert len({h.get_color() for h in handles}) == 7


def test_the_lifetime_is_told_alike_by_cells_and_by_step():
    at = tiny("endurance").sel(case="adam")
    steps = int(at.writes[-1])
    mean = (at.cells * at.writes).sum("writes") / at.cells.sum("writes")
    np.testing.assert_allclose(steps / mean, at.lifetime, rtol=1e-5)


@pytest.mark.slow
def test_ratios_are_told_alike_by_step_and_by_layer():
    at = tiny("update_ratio").sel(scenario="sgd")
    np.testing.assert_allclose(at.step_ratio.mean("step"), at.mean_ratio, rtol=1e-4)
    share = np.array([16 * 16, 16 * 10]) / (16 * 26)  # of 16 pixels, 16 hidden
    layers = at.layer_ratio.dot(xr.DataArray(share, dims="layer"))
    np.testing.assert_allclose(layers, at.step_ratio, rtol=1e-4)


def test_pretraining_never_sees_the_images_of_the_fine_tuning():
    data = Data(np.arange(10), np.arange(10), np.arange(3), np.arange(3))
    before, after = update_ratio.halves(data)
    assert not set(before.x_train) & set(after.x_train)
    assert len(before.x_train) == len(after.y_train) == 5


def made_up(eapu, noisy, ideal=0.94):
    """A made-up result of write_noise: final accuracies by SD."""
    noises, shape = [0.5, 2.0, 4.0], (1, 16, 1)
    grid = np.stack([np.multiply.outer(a, np.ones(shape)) for a in (noisy, eapu)])
    names = ("rule", "write_noise", "seed", "chip", "epoch_mlp")
    return xr.Dataset(
        {
            "accuracy_mlp": (names, grid),
            "ideal_mlp": (("seed", "epoch_mlp"), np.full((1, 1), ideal)),
        },
        {"rule": ["noisy", "eapu"], "write_noise": noises},
        {"chance": 0.1},
    )


def test_verdicts_follow_the_numbers():
    good = made_up(eapu=[0.94, 0.93, 0.92], noisy=[0.8, 0.25, 0.2])
    poor = made_up(eapu=[0.94, 0.80, 0.30], noisy=[0.8, 0.3, 0.2])
    verdicts = [c.verdict for c in write_noise.claims(good)]
    assert verdicts == ["trend reproduced"] * 3
    verdicts = [c.verdict for c in write_noise.claims(poor)]
    assert verdicts == ["not reproduced"] * 3


def test_a_network_at_chance_has_nothing_to_lose():
    for ideal, verdict in ((0.12, "not"), (0.29, "not"), (0.31, "trend")):
        found = made_up([ideal, ideal - 0.01, 0.1], [0.1, 0.1, 0.1], ideal)
        assert write_noise.claims(found)[1].verdict == f"{verdict} reproduced"


def test_a_single_write_noise_says_nothing_about_flatness():
    whole = tiny("write_noise")
    told, left = (
        [c.claim for c in write_noise.claims(of)]
        for of in (whole, whole.isel(write_noise=[1]))
    )
    assert left == [claim for claim in told if "flat" not in claim]
    assert len(left) == len(told) - 1


def test_single_updates_obey_the_laws():
    sizes = np.array([0.0, 0.3, 1.0, 1.7], np.float32)
    base = scheme.Update(n_cells=20_000)
    axes = {"asked": sizes.tolist()}
    found = chipsweep.sweep(scheme.update, axes, base=base).squeeze(drop=True)
    p = np.asarray(ej.laws.write_probability(jnp.asarray(sizes), 1.0))
    assert np.all(np.abs(found["rate"] - p) <= 5 * np.sqrt(p * (1 - p) / 20_000))
    variance = np.asarray(ej.laws.total_variance(jnp.asarray(sizes), 1.0, 1.0))
    error = 5 * np.sqrt(variance / 20_000) + 1e-6
    assert np.all(np.abs(found["mean"] - sizes) <= error)
    np.testing.assert_allclose(found["sd"], np.sqrt(variance), atol=0.03)
