"""A grid is every run at its place."""

from typing import Literal

import numpy as np
import pytest
import xarray as xr

from experiments import EXPERIMENTS
from experiments.sweep.grid import _parsed, grid, parse_axis
from experiments.work import Work
from tests import toy_experiment as toy

CONFIG = toy.Config(slopes=(1.0, 2.0))


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(toy, "CALLS", [])
    monkeypatch.setattr(toy, "FAIL_AT", {})
    monkeypatch.setitem(EXPERIMENTS, "toy", "tests.toy_experiment")


def test_every_point_holds_its_own_run():
    data = grid("toy", CONFIG, {"loud": [False, True], "n_chips": [2, 4]})
    assert data.y.dims == ("loud", "n_chips", "slope", "chip")
    for loud in (False, True):
        for n in (2, 4):
            one = toy.run(toy.Config(slopes=(1.0, 2.0), n_chips=n, loud=loud))
            mine = data.y.sel(loud=loud, n_chips=n).isel(chip=slice(n))
            np.testing.assert_array_equal(mine, one.y)
    assert np.isnan(data.y.sel(n_chips=2).isel(chip=slice(2, None))).all()


def test_runs_of_different_coordinates_are_aligned():
    data = grid(toy, CONFIG, {"slopes": [(1.0, 2.0), (2.0, 3.0)]})
    assert data.slopes.values.tolist() == ["(1.0, 2.0)", "(2.0, 3.0)"]
    assert data.slope.values.tolist() == [1.0, 2.0, 3.0]
    assert np.isnan(data.y.sel(slopes="(1.0, 2.0)", slope=3.0)).all()


def test_a_field_named_like_a_dimension_is_set_apart(monkeypatch):
    run = toy.run
    monkeypatch.setattr(toy, "run", lambda *a: run(*a).rename(chip="n_chips"))
    assert "config_n_chips" in grid(toy, CONFIG, {"n_chips": [2, 3]}).y.dims


def test_secondary_coordinates_survive(monkeypatch):
    run = toy.run
    monkeypatch.setattr(
        toy, "run", lambda *a: run(*a).assign_coords(area=("chip", [4, 9]))
    )
    data = grid(toy, toy.Config(n_chips=2), {"loud": [False, True]})
    assert data.area.sel(loud=True).values.tolist() == [4, 9]
    assert "area" in data.coords


def test_an_interrupted_grid_resumes_bit_for_bit(tmp_path):
    def sweep():
        work = Work(folder=tmp_path, config=CONFIG)
        return grid(toy, CONFIG, {"loud": [False, True]}, work)

    toy.FAIL_AT[2.0] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        sweep()
    toy.FAIL_AT.clear()
    resumed = sweep()
    assert toy.CALLS == [1.0, 2.0, 2.0, 1.0, 2.0]
    xr.testing.assert_identical(resumed, grid(toy, CONFIG, {"loud": [False, True]}))


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ({"n_chip": [1]}, "unknown field 'n_chip': did you mean n_chips"),
        ({"loud": [True], "n_chips": [2, 0]}, "grid point .* n_chips = 0: at least 1"),
        ({"n_chips": [2, 2]}, "distinct values are needed"),
        ({"n_chips": []}, "distinct values are needed"),
        ({}, "grid is empty"),
    ],
)
def test_a_senseless_grid_is_refused_before_anything_runs(axes, message):
    with pytest.raises(ValueError, match=message):
        grid(toy, CONFIG, axes)
    assert toy.CALLS == []


def test_an_unknown_experiment_is_refused():
    with pytest.raises(ValueError, match="unknown experiment 'toi': did you mean toy"):
        grid("toi", CONFIG, {"n_chips": [1]})


@pytest.mark.parametrize(
    ("hint", "text", "value"),
    [
        (int, "3", 3),
        (float, "1e-3", 0.001),
        (float | None, "None", None),
        (int | float, "2.5", 2.5),
        (Literal["mlp", "cnn"], "cnn", "cnn"),
        (tuple[str, ...], "ideal:eapu", ("ideal", "eapu")),
        (tuple[int, float], "1:2", (1, 2.0)),
    ],
)
def test_text_becomes_the_value_its_type_names(hint, text, value):
    parsed = _parsed(hint, text)
    assert (parsed, type(parsed)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n_chips", "expected FIELD=VALUE"),
        ("n_chips=", "expected FIELD=VALUE"),
        ("n_chips=a", "grid = 'n_chips=a': invalid literal"),
        ("loud=yes", "neither true nor false"),
        ("chips=2", "unknown field 'chips'"),
    ],
)
def test_senseless_text_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parse_axis(toy.Config, text)
