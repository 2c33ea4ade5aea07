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

import eapu_jax as ej
from experiments.claims import VERDICTS
from experiments.memristor import (
    endurance,
    learning,
    scheme,
    threshold,
    update_ratio,
    update_ratio_figure,
    write_noise,
)
from experiments.memristor.setting import Setting, lay_out
from experiments.sweep import sweep
from experiments.training import Data
from experiments.work import Work
from tests.one_chip import assert_alone_as_among_others, compiled

NAMES = ("write_noise", "threshold", "update_ratio", "scheme", "endurance")


def module(name):
    return import_module(f"experiments.memristor.{name}")


@cache
def tiny(name):
    """The result of an experiment's smallest preset."""
    return module(name).run(module(name).PRESETS["smoke"])


@pytest.mark.parametrize("name", NAMES)
def test_a_tiny_run_is_labelled_drawn_and_judged(name):
    before = dict(mpl.rcParams)
    dataset = tiny(name)
    assert "UCI digits" in dataset.attrs["data"]
    assert dataset.sizes["chip"] == 2
    assert all("units" in dataset[v].attrs for v in dataset.data_vars)
    figure = module(name).plot(dataset)
    assert isinstance(figure, Figure)
    assert dict(mpl.rcParams) == before
    assert {c.verdict for c in module(name).claims(dataset)} <= set(VERDICTS)


def chips_of_the_run(name, smoke):
    """Fields of the point, key of the seed, and what `run` found of every chip."""
    found = tiny(name).isel(seed=0)
    if name == "write_noise":
        at = found.sel(rule="noisy", write_noise=2.0)
        return {"rule": "noisy"}, 0, {"accuracy": at.accuracy_mlp}
    if name == "threshold":
        at = found.sel(ratio=2.0)
        same = ("update_ratio", "measured", "law", "least", "written")
        return {"threshold": 4.0}, 0, {"final": at.accuracy, **at[[*same]]}
    if name == "update_ratio":
        at = found.sel(scenario="sgd")
        how = vars(smoke.scenario("sgd"))
        return how, 1, {"final": at.accuracy, "update_ratio": at.mean_ratio}
    if name == "scheme":
        at = found.sel(phase="early")
        return {}, 0, {"share": at.share, "zero": at.zero}
    at = found.sel(case="adam")
    of = endurance.lifetimes(at)
    names = {"lifetime": "mean", "lifetime_99": "99 %", "lifetime_worst": "max"}
    return {}, 0, {"final": at.accuracy, **{k: of[v] for k, v in names.items()}}


@pytest.mark.parametrize("name", NAMES)
def test_one_chip_is_that_of_the_run_alone_or_among_others(name):
    smoke = module(name).PRESETS["smoke"]
    swept, seed, expected = chips_of_the_run(name, smoke)
    chips = compiled(module(name).one_chip, smoke.base(), **swept)
    several, alone = (
        chips(c, jnp.stack([smoke.key(seed)] * 2)) for c in ([0, 1], [1, 1])
    )
    assert_alone_as_among_others(several, alone)
    for output, values in expected.items():
        np.testing.assert_allclose(several[output], values, 2e-5, 1e-6, err_msg=output)


@pytest.mark.parametrize("name", NAMES)
def test_every_experiment_says_what_it_reproduces_and_grows(name):
    assert module(name).REPRODUCES
    assert 0 < module(name).MINUTES < 10
    small, large = module(name).Config(), module(name).PRESETS["large"]
    assert large.n_chips > small.n_chips >= 16
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


def test_seeds_have_keys_of_their_own():
    keys = {str(Setting(seed=s).key(i)) for s in (0, 1) for i in range(3)}
    assert len(keys) == 6


def test_a_trace_ends_where_the_training_does():
    small = {"hidden": (8,), "epochs": 1, "optimizer": "sgd", "learning_rate": 0.02}
    base = replace(threshold.PRESETS["smoke"].base(), **small)
    run = jax.jit(partial(learning.learn, base, 1, trace=True))
    curves, seen = run(jr.key(5))
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
        sweep("write_noise", {k: [v] for k, v in bad.items()})


def test_parts_are_laid_out_on_their_axes():
    def part(a, b):
        return xr.Dataset({"x": ("chip", np.array([a, b]))})

    x = lay_out(Work(), {"a": [1, 2], "b": [10, 20, 30]}, part).x
    assert x.dims == ("a", "b", "chip")
    assert x.sel(a=2, b=30).values.tolist() == [2, 30]


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
    seen = scheme.see_sizes([jnp.array(d, jnp.float32)], [], 1.0, 1.0)
    expected, _ = np.histogram(np.log10(d[7:]), scheme.EDGES)
    assert np.abs(seen["counts"] - expected).sum() <= 2  # float32 at an edge
    assert (int(seen["zero"]), int(seen["total"])) == (7, 500)


def test_lifetimes_of_a_known_histogram():
    cells = np.zeros((1, 101))
    cells[0, [1, 50]] = [90, 10]  # of 100 steps: mean 5.9 writes
    dataset = xr.Dataset(
        {"cells": (("chip", "writes"), cells)}, {"writes": np.arange(101)}
    )
    found = endurance.lifetimes(dataset)
    assert np.isclose(found["mean"], 100 / 5.9)
    assert found["99 %"] == found["max"] == 2


def test_pretraining_never_sees_the_images_of_the_fine_tuning():
    data = Data(np.arange(10), np.arange(10), np.arange(3), np.arange(3))
    before, after = update_ratio.halves(data)
    assert not set(before.x_train) & set(after.x_train)
    assert len(before.x_train) == len(after.y_train) == 5


def test_update_ratios_are_weighted_by_cells():
    dataset = xr.Dataset(
        {"layer_ratio": (("step", "layer"), np.array([[1e-3, 0.0]]))},
        {"cells": ("layer", [3, 1])},
    )
    assert np.isclose(update_ratio_figure.ratio(dataset), 0.75)


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
    )


def test_verdicts_follow_the_numbers():
    good = made_up(eapu=[0.94, 0.93, 0.92], noisy=[0.8, 0.25, 0.2])
    poor = made_up(eapu=[0.94, 0.80, 0.30], noisy=[0.8, 0.3, 0.2])
    untried = ["not attempted"] * 2
    verdicts = [c.verdict for c in write_noise.claims(good)]
    assert verdicts == ["trend reproduced"] * 3 + untried
    verdicts = [c.verdict for c in write_noise.claims(poor)]
    assert verdicts == ["not reproduced"] * 3 + untried


def test_a_single_write_noise_says_nothing_about_flatness():
    whole = tiny("write_noise")
    told, left = (
        [c.claim for c in write_noise.claims(of)]
        for of in (whole, whole.isel(write_noise=[1]))
    )
    assert left == [claim for claim in told if "flat" not in claim]
    assert len(left) == len(told) - 1


def test_thrown_dice_obey_the_laws():
    sizes = jnp.array([0.0, 0.3, 1.0, 1.7])
    found = scheme.throw(jnp.int32(0), Setting().key(0), sizes, 20_000, 2.0)
    p = np.asarray(ej.laws.write_probability(sizes, 1.0))
    assert np.all(np.abs(found["rate"] - p) <= 5 * np.sqrt(p * (1 - p) / 20_000))
    variance = np.asarray(ej.laws.total_variance(sizes, 1.0, 1.0))
    error = 5 * np.sqrt(variance / 20_000) + 1e-6
    assert np.all(np.abs(found["mean"] - sizes) <= error)
    np.testing.assert_allclose(found["sd"], np.sqrt(variance), atol=0.03)
