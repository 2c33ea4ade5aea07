"""From measurements to a page: what is drawn and said is what was fitted."""

import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

import eapu_jax as ej
from eapu_jax.fitting import Places, Retention, Traces, Writes
from experiments.catalogue import find
from experiments.commands import cli
from experiments.data import example_traces
from experiments.memristor.contest.advice import Advice
from experiments.own import chapters, figures
from experiments.own.page import page, table
from tests.statistics import assert_mean, assert_variance

NOMINAL = ej.SoftBounds(
    g_min=0.0, g_max=60.0, pulse=1.0, down_ratio=0.7, write_noise=0.3, read_noise=0.2
)


@pytest.fixture(scope="module")
def fitted():
    pulses = example_traces.measured(jax.random.key(3), 3, 2, 40, NOMINAL)
    told = []
    found = ej.fit_device(
        Traces(pulses=pulses), ["SoftBounds"], progress=lambda *step: told.append(step)
    )
    assert told == [("SoftBounds", 1, 1)]
    return pulses, found


@pytest.mark.slow
def test_the_course_of_a_fitted_device_is_pulse_by_pulse(fitted):
    _, found = fitted
    device = figures.device_of(found, 1)
    up = np.array([True] * 5 + [False] * 5)
    g, expected = 10.0, [10.0]
    for way in up:
        step = device.pulse if way else device.pulse * device.down_ratio
        limit = device.g_max if way else device.g_min
        g += 2 * step / (device.g_max - device.g_min) * (limit - g)
        expected.append(float(g))
    np.testing.assert_allclose(figures.course(found, 1, 10.0, up), expected, rtol=1e-5)


def test_what_is_left_has_the_expected_spread(fitted):
    """With constants that are right it is white, of variance 1."""
    pulses, found = fitted
    left = [figures.residuals(found, n, pulses.g[n], pulses.up[n])[1] for n in range(3)]
    every = np.concatenate(left, axis=None)
    assert_mean(every, 0.0)
    assert_variance(every, 1.0)


def forecast():
    rules = ["ideal", "eapu", "noisy"]
    coords = {"network": ["mlp"], "device": ["x.toml"], "rule": rules}
    shape = 1, 1, 3, 4
    rng = np.random.default_rng(0)
    names = ("accuracy", "update_ratio", "joules", "joules_low", "joules_high")
    names += ("bits", "lifetime", "lifetime_worst")
    dims = (*coords, "chip")
    data = {name: (dims, 0.1 + rng.random(shape)) for name in names}
    data["accuracy"][1][0, 0, 2] = np.nan
    for name in ("lifetime", "lifetime_worst"):  # of exact arithmetic there is none
        data[name][1][0, 0, 0] = np.nan
    data["joules_low"] = dims, data["joules"][1] / 2
    data["joules_high"] = dims, data["joules"][1] * 2
    return xr.Dataset(data, coords, {"trials": 4, "tuners": 2, "data": "digits"})


def test_the_page_says_all_and_fetches_nothing(fitted):
    pulses, found = fitted
    drawn = figures.trains_figure(pulses, found)
    told = chapters.document(
        "mine", ["<a> & b"], found, drawn, forecast(), Advice("eapu", "EaPU, because.")
    )
    assert "&lt;a&gt; &amp; b" in told
    assert "EaPU, because." in told
    assert told.count("<img ") == 2
    assert "the device cannot carry it" in told
    assert not re.search(r"(src|href)=\"(?!data:)", told)
    for words in ("SoftBounds", "write noise", "threshold of EaPU", "cycle"):
        assert words in told


def test_writes_retention_and_endurance_have_their_place_on_the_page():
    rng = np.random.default_rng(0)
    target = np.linspace(10, 50, 200)[None] + np.zeros((2, 1))
    times = np.array([1.0, 10, 100, 1000, 1e4])
    held = 40 * (1 + times) ** -0.05 + 0.05 * rng.normal(size=(3, 5))
    traces = Traces(
        writes=Writes(target=target, landed=target + rng.normal(size=target.shape)),
        retention=Retention(time=times, g=held),
    )
    found = ej.fit_device(traces)
    drawn = figures.fit_figure(traces, found)
    assert drawn.axes[0].get_xlabel() == "target (µS)"
    told = chapters.document("w", [], found, drawn, forecast(), Advice("eapu", "x."))
    assert "Where writes landed" in told
    assert "PowerRetention: exponent" in told


def test_figures_have_axes_in_words_and_units(fitted):
    pulses, found = fitted
    labels = [axes.get_xlabel() for axes in figures.trains_figure(pulses, found).axes]
    assert labels[0] == "pulses"
    assert "conductance before the pulse (µS)" in labels
    drawn = figures.forecast_figure(forecast(), "eapu")
    assert [axes.get_xlabel() for axes in drawn.axes] == [
        "test accuracy (%)", "energy of the training (J)", "steps between two writes",
    ]  # fmt: skip


def test_devices_with_places_are_a_map_on_the_page(fitted):
    pulses, found = fitted
    places = Places(x=[0, 1, 1], y=[0, 0, 2], unit="mm")
    drawn = figures.fit_figure(Traces(pulses=pulses, places=places), found)
    assert "x (mm)" in [axes.get_xlabel() for axes in drawn.axes]
    said = Advice("eapu", "x.")
    told = chapters.document("w", [], found, drawn, forecast(), said, places)
    assert "where it stands on the wafer" in told


def test_cells_of_a_table_are_words():
    assert "<td>&lt;1&gt;</td>" in table(["a"], [["<1>"]])
    assert page("t", "s & t", []).count("s &amp; t") == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "FILE"),
        (["none.csv"], "No such file"),
        (["examples/synthetic_pulses_long.csv", "--chips", "3"], "chips = 3"),
        (["examples/synthetic_pulses_long.csv", "--name", "a/b"], "name = 'a/b'"),
    ],
)
def test_a_command_that_cannot_be_meant_leaves_nothing(words, told, tmp_path, capsys):
    status = cli.main(["device", *words, "--results", str(tmp_path / "r")])
    assert status != 0
    assert told in capsys.readouterr().err
    assert not (tmp_path / "r").exists()


def test_a_device_of_your_own_serves_an_experiment(fitted, tmp_path):
    from experiments.memristor import training
    from experiments.memristor.training import Training, crossbar, thresholds

    _, found = fitted
    path = tmp_path / "mine.toml"
    ej.save_device(path, found)
    point = Training(crossbar=str(path))
    assert crossbar(point) == ej.load_device(path).crossbar
    threshold = float(thresholds(point)[0])
    assert threshold == pytest.approx(found.threshold * found.r_wg, rel=0.2)
    shapes = {"kernel": jax.ShapeDtypeStruct((4, 3), jnp.float32)}
    keys = training.Keys(jax.random.key(0), jax.random.key(1))
    nothing: Any = None
    drawn = training._drawn(point, keys, nothing, shapes)
    assert drawn["kernel"].device.pulse.shape == (4, 3)
    with pytest.raises(ValueError, match="No such file"):
        Training(crossbar=str(tmp_path / "none.toml"))
    with pytest.raises(ValueError, match="crossbar = 'mine': must be additive"):
        Training(crossbar="mine")


def test_a_device_is_taken_by_runs_and_sweeps_or_refused(tmp_path):
    path = tmp_path / "mine.toml"
    ej.save_device(path, ej.Crossbar(device=NOMINAL))
    for words in (["run", "threshold"], ["sweep", "threshold"]):
        assert callable(cli.command([*words, "--device", str(path)]))
        assert callable(cli.command([*words, f"--device={path}"]))
    for name in ("rivals", "drift", "levels", "robustness"):
        with pytest.raises(ValueError, match="arrays of its own"):
            find(name).Config(crossbar=str(path))


@pytest.mark.slow
def test_the_example_becomes_a_page(tmp_path):
    words = ["examples/synthetic_pulses_wide.csv", "--chips", "4"]
    assert cli.main(["device", *words, "--results", str(tmp_path)]) == 0
    names = {p.name for p in tmp_path.iterdir()}
    stem = "synthetic_pulses_wide"
    assert {f"{stem}.html", f"{stem}.toml", f"{stem}-fit.png"} <= names
    run = ["run", "threshold", "--preset", "smoke", "--results", str(tmp_path)]
    assert cli.main([*run, "--device", str(tmp_path / f"{stem}.toml")]) == 0
