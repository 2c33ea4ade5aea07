"""Few states: public numbers where they belong, a device with so many states, orders.

Numbers stand here once more, as read in the publications; what the rules make of them
is compared with plain NumPy.
"""

from functools import cache
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest
import xarray as xr

import chipsweep
import eapu_jax as ej
from chipsweep import keys_of
from experiments.claims import VERDICTS
from experiments.learning.rules import Bench
from experiments.memristor import (
    limited_rules,
    limited_states,
    limited_states_figure,
    limited_toy,
    limited_training,
)
from experiments.memristor.limited_toy import uneven as uneven_device
from tests.figure_laws import lawful, speaks
from tests.statistics import SIGMAS

PUBLIC = limited_states.PRESETS["public"]
KEY = jr.key(0)
QUIET = ej.Crossbar(device=ej.AdditiveError(write_noise=0.0))
LENET = {"Dense_0": (25, 4608), "Dense_1": (400, 512), "Dense_2": (512, 8)}
LENET |= {"Dense_3": (128, 8)}
FCN = {"Dense_0": (784, 10), "Dense_1": (256, 10), "Dense_2": (128, 10)}


def test_the_public_preset_has_the_published_sizes():
    lenet, fcn = PUBLIC.trainings().values()
    common = (60_000, 10_000, "mnist", "plain_sgd")
    for one in (lenet, fcn):
        assert (one.n_train, one.n_test, one.data, one.optimizer) == common
    assert (lenet.channels, lenet.hidden, lenet.tiles) == ((16, 32), (128,), 7)
    assert (lenet.states, lenet.tau, lenet.batch_size) == (4, 1.0, 8)
    assert (lenet.learning_rate, lenet.schedule) == (0.05, "tenths")
    assert (lenet.epochs, lenet.step_epochs) == (200, 50)
    assert (fcn.channels, fcn.hidden, fcn.pool) == ((), (256, 128), 1)
    assert (fcn.states, fcn.tau, fcn.batch_size) == (1200, 0.6, 10)
    assert (fcn.learning_rate, fcn.schedule) == (0.05, "halves")
    assert (fcn.epochs, fcn.step_epochs) == (30, 15)
    assert PUBLIC.digital_rates() == {"lenet": 0.05, "fcn": 0.1}


@pytest.mark.parametrize(("setting", "expected"), [("lenet", LENET), ("fcn", FCN)])
def test_layers_are_those_of_the_published_networks(setting, expected):
    point = limited_states.Config(
        lenet_channels=(16, 32), lenet_hidden=128, fcn_hidden=(256, 128), fcn_pool=1
    ).trainings()[setting]
    assert limited_training.layers(point) == expected


@pytest.mark.parametrize(("setting", "step"), [("lenet", 0.5), ("fcn", 0.001)])
def test_a_pulse_from_the_middle_is_two_tau_over_the_states(setting, step):
    """dw_min of the publications; and the window ends at tau."""
    point = limited_states.Config(noise=0.0).trainings()[setting]
    crossbar = limited_training.crossbar(point)
    state = ej.array.deploy_one(KEY, crossbar, jnp.array([[0.0, 9.0, -9.0]]))
    tau = point.tau
    np.testing.assert_allclose(
        ej.array.weights(crossbar, state), [[0, tau, -tau]], rtol=1e-6
    )
    asked = jnp.full((1, 3), 2 * tau / point.states)
    state, pulses = ej.array.write(KEY, crossbar, state, asked)
    assert pulses.up.all()
    moved = ej.array.weights(crossbar, state)[0, 0]
    np.testing.assert_allclose(moved, step, rtol=1e-4)  # a unit of 80 uS over a pulse


def test_pulses_err_by_so_much_of_themselves():
    point = limited_states.Config(noise=0.3).trainings()["fcn"]
    crossbar, n = limited_training.crossbar(point), 20_000
    state = ej.array.deploy_one(KEY, crossbar, jnp.zeros((n, 1)))
    state, _ = ej.array.write(KEY, crossbar, state, jnp.full((n, 1), 0.001))
    sd = float(jnp.std(ej.array.weights(crossbar, state)))
    assert abs(sd / 0.0003 - 1) < SIGMAS / np.sqrt(2 * n)


NAMES = ("tiki_taka", "residual_learning", "tiki_taka_v2", "chopped_tiki_taka")
NAMES += ("agad", "residual_learning_v2", "multi_tile")


def made(monkeypatch, setting, layers):
    """The arguments with which every rule is made, at full size."""
    given = {}
    for name in NAMES:
        monkeypatch.setattr(
            ej, name,
            lambda *a, name=name, **k: given.update({name: k}) or optax.identity(),
        )  # fmt: skip
    point = PUBLIC.trainings()[setting]
    delta = 2 * point.tau / point.states
    on = Bench(KEY, KEY, QUIET, delta, 1.0, None)
    for make in limited_rules.published(point, layers).values():
        make(on)
    return given, delta


def test_rules_of_the_lenet_have_its_numbers(monkeypatch):
    given, delta = made(monkeypatch, "lenet", LENET)
    assert delta == 0.5
    assert given["tiki_taka"]["rate"] == 0.05  # transfer_lr 1, relative to lr
    assert given["tiki_taka_v2"]["threshold"] == given["tiki_taka_v2"]["step"] == 0.5
    for name in ("chopped_tiki_taka", "agad"):
        theta = given[name]["threshold"]
        np.testing.assert_allclose(theta["Dense_2"], 0.5 * 1000 / (512 * 8))
        np.testing.assert_allclose(theta["Dense_0"], 0.5 * 1000 / (25 * 4608))
    many = given["multi_tile"]
    assert many["every"] == [6250, 1250, 250, 50, 10, 2]  # the coarsest pair first
    np.testing.assert_allclose(many["rate"], [0.1 * 1.2**n for n in range(1, 7)])
    assert many["gamma"] == 0.5


def test_rules_of_the_mlp_have_its_numbers(monkeypatch):
    given, delta = made(monkeypatch, "fcn", FCN)
    np.testing.assert_allclose(delta, 0.001)
    assert given["residual_learning"]["gamma"] == 0.4
    for name in ("tiki_taka_v2", "chopped_tiki_taka", "agad"):
        theta = given[name]["threshold"]
        np.testing.assert_allclose(theta["Dense_0"], 0.001 * 1000 / (784 * 10))
    assert given["chopped_tiki_taka"]["flip"] == 0.1
    assert (given["agad"]["rate"], given["agad"]["gate"]) == (0.5, 0.0)
    v2 = given["residual_learning_v2"]
    np.testing.assert_allclose(v2["rate"], 0.11 + 1 / 1200)
    np.testing.assert_allclose(v2["gamma"], 0.4 + 1 / 1200)
    np.testing.assert_allclose(v2["threshold"]["Dense_2"], 0.001 * 100 / (128 * 10))
    assert (v2["momentum"], v2["flip"]) == (0.9, 0.0)


@pytest.mark.parametrize(("setting", "fast"), [("lenet", 0.1), ("fcn", 0.01)])
def test_the_fast_array_has_its_own_rate_and_biases_theirs(setting, fast):
    point = PUBLIC.trainings()[setting]
    on = Bench(KEY, KEY, QUIET, 0.001, 1.0, None)
    tx = limited_rules.published(point, {})["tiki_taka"](on)
    w = {"kernel": jnp.zeros((3, 2)), "bias": jnp.zeros(2)}
    slope = jax.tree.map(lambda x: x + 2.0, w)
    asked = jax.tree.map(lambda g: -point.learning_rate * g, slope)
    updates, state = tx.update(asked, tx.init(w), w)
    np.testing.assert_allclose(updates["bias"], -0.05 * 2.0, rtol=1e-6)
    tile = ej.array.weights(QUIET, ej.view(state)["kernel@fast"])
    np.testing.assert_allclose(tile, -fast * 2.0, rtol=1e-5)


def test_levelled_updates_have_the_largest_that_was_asked_for_in_the_mean():
    rng = np.random.default_rng(0)
    tx, mean = limited_rules.on_arrays(limited_rules.levelled(0.3)), 0.0
    state = tx.init({"w": jnp.zeros((4, 3)), "b": jnp.zeros(3)})
    for n in range(1, 6):
        asked = {"w": rng.normal(size=(4, 3)).astype("f4"), "b": np.ones(3, "f4")}
        sent, state = tx.update(jax.tree.map(jnp.asarray, asked), state)
        mean = 0.99 * mean + 0.01 * np.abs(asked["w"]).max()
        expected = asked["w"] * 0.3 / (mean / (1 - 0.99**n))
        np.testing.assert_allclose(sent["w"], expected, rtol=1e-4)
        np.testing.assert_array_equal(sent["b"], 1.0)
    nothing, _ = tx.update(jax.tree.map(jnp.zeros_like, asked), tx.init(asked))
    assert not np.isnan(nothing["w"]).any()


# The least squares


@pytest.mark.parametrize("uneven", [0.0, 0.3])
def test_pulses_of_an_uneven_device_one_by_one(uneven):
    """Counted in upward steps; a downward one is smaller. In plain NumPy."""
    pulse = 0.5
    device = uneven_device(uneven, pulse)
    cells = device.init(KEY, jnp.array([40.0, 40.0]))
    cells, pulses = device.write(KEY, cells, pulse * jnp.array([30.0, -30.0]))
    assert pulses.up.tolist() == [30, 0]
    assert pulses.down.tolist() == [0, 30]
    up = down = 40.0
    for _ in range(30):
        up += pulse * (80 - up) / 80
        down -= (1 - uneven) * pulse * (down + 80) / 80
    np.testing.assert_allclose(cells.g, [up, down], rtol=1e-5)


def test_both_directions_are_alike_at_the_symmetric_point():
    u, pulse = 0.3, 1.0
    device, at = uneven_device(u, pulse), jnp.array([80 * u / (2 - u)])
    steps = [
        device.write(KEY, device.init(KEY, at), jnp.array([sign * pulse]))[0].g - at
        for sign in (1, -1)
    ]
    np.testing.assert_allclose(steps[0], -steps[1], rtol=1e-4)
    assert float(steps[0][0]) > 0.5 * pulse


@cache
def ends(rule, reference, uneven=0.3, steps=600):
    def chip(number):
        point = SimpleNamespace(
            rule=rule, uneven=uneven, reference=reference, toy_steps=steps
        )
        return limited_toy.least_squares(point, 0, keys_of(KEY, 0, number))

    return jax.device_get(jax.jit(jax.vmap(chip))(jnp.arange(4)))


def test_the_loss_before_the_first_step_is_that_of_the_task():
    """Half the mean square error at weights of 1, over the features."""
    key = keys_of(KEY, 0, 0).seed
    x = np.array(jr.normal(jr.fold_in(key, 0), (100, 50)))
    best = 0.5 * np.array(jr.normal(jr.fold_in(key, 1), (50,)))
    expected = np.mean((x @ (1 - best)) ** 2) / 2 / 50
    loss = ends("tiki_taka", 1.0, steps=3)["loss"]
    np.testing.assert_allclose(loss[:, 0], expected, rtol=1e-5)
    assert len(np.unique(loss[:, -1])) == 4  # chips differ


@pytest.mark.slow
@pytest.mark.usefixtures("optimised")
def test_tiki_taka_stops_where_residual_learning_converges():
    """Where arrays read 0 at their symmetric point; elsewhere neither of them does."""
    two, residual = (ends(r, 1.0) for r in ("tiki_taka", "residual_learning"))
    assert (two["end"] > 10 * residual["end"]).all()
    assert (residual["end"] < 1e-3 * residual["loss"][:, 0]).all()
    for rule in ("tiki_taka", "residual_learning"):
        astray = ends(rule, 0.0)
        assert (astray["end"] > astray["loss"][:, 0]).all()


# What is judged and drawn


def made_up(many=0.9, two=0.5, mixed=0.91, residual=1e-5):
    """Sweeps of which nothing is known but their ends."""
    config = limited_states.PRESETS["smoke"]
    final = {"multi_tile": many, "mixed_precision": mixed, "tiki_taka": 0.2}
    values = [final.get(rule, two) for rule in config.rules]
    found = {}
    for name in ("lenet", "fcn"):
        grid = np.multiply.outer(np.array(values), np.ones((2, 1)))
        names = ("rule", "chip", "seed")
        one = {n: (names, grid) for n in ("final", "pulses", "words")}
        one["accuracy"] = ((*names, "epoch"), grid[..., None])
        rules = {"rule": [*config.rules]}
        found[name] = xr.Dataset(one, rules).assign_coords(epoch=[0], chip=[0, 1])
        digital = (("rule", "learning_rate", "chip", "seed"), np.full((1,) * 4, 0.95))
        found[f"{name}_digital"] = xr.Dataset({"final": digital})
    end = np.ones((3, 2, 2, 2, 1)) * 1e-2
    end[2] = residual
    names = ("rule", "uneven", "reference", "chip", "seed")
    axes = {"rule": [*limited_toy.RULES], "uneven": [*config.uneven]}
    found["toy"] = xr.Dataset({"end": (names, end)}, axes | {"reference": [0.0, 1.0]})
    return config, found


def verdicts(**ends):
    claims = limited_states.claims(limited_states.derive(*made_up(**ends)))
    assert {c.verdict for c in claims} <= set(VERDICTS)
    return [c.verdict for c in claims if c.verdict != "not attempted"]


def test_orders_are_judged_and_tables_are_not():
    good, bad = "trend reproduced", "not reproduced"
    assert verdicts() == [good, good, good]
    assert verdicts(two=0.95) == [bad, good, good]
    assert verdicts(mixed=0.96) == [good, bad, good]
    assert verdicts(mixed=0.2) == [good, good]  # a rival that has not learnt
    assert verdicts(residual=2e-3) == [good, good, bad]


def test_the_figure_is_drawn_of_what_was_derived():
    dataset = limited_states.derive(*made_up())
    assert all("units" in dataset[v].attrs for v in dataset.data_vars)
    figure = limited_states.plot(dataset)
    lawful(figure)
    speaks(limited_states_figure.says, dataset)
    assert len(figure.axes) == 4


def test_a_rule_that_never_wrote_is_told_apart():
    dataset = limited_states.derive(*made_up())
    dataset.pulses_lenet.loc[{"rule": "mixed_precision"}] = 0.0
    figure = limited_states.plot(dataset)
    for axes, told in zip(figure.axes, (["mixed_precision"], []), strict=False):
        named = [t.get_text() for t in axes.get_yticklabels()]
        found = [n for n in named if n.endswith("(wrote nothing)")]
        assert len(found) == len(told)
        assert all(n.startswith("mixed precision") for n in found)


@pytest.mark.slow
def test_a_tiny_run_is_labelled_drawn_and_judged():
    config = limited_states.PRESETS["smoke"]
    found = {
        name: chipsweep.run(one.spec, resources=chipsweep.Resources(chunk=one.chunk))
        for name, one in limited_states.sweeps(config).items()
    }
    dataset = limited_states.derive(config, found)
    assert "MNIST" in dataset.attrs["data"]
    assert np.isfinite(dataset.final_lenet).all()
    assert (dataset.words_fcn.sel(rule="mixed_precision") == 1).all()
    assert (dataset.words_fcn.sel(rule="multi_tile") == 0).all()
    assert {c.verdict for c in limited_states.claims(dataset)} <= set(VERDICTS)
    assert limited_states.plot(dataset).axes


@pytest.mark.parametrize(
    "bad",
    [
        {"rules": ("ideal",)}, {"tiles": 1}, {"lenet_states": 1}, {"uneven": (1.5,)},
        {"lenet_batch": 5000}, {"n_train": 4001}, {"fcn_pool": 0}, {"lenet_rate": 0.0},
    ],
)  # fmt: skip
def test_a_config_that_makes_no_sense_is_refused(bad):
    with pytest.raises(ValueError, match=next(iter(bad)).removeprefix("lenet_")):
        limited_states.Config(**bad)
