"""The figure of a sweep shows its numbers: medians, halves of the chips, gaps."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.collections import PolyCollection

from chipsweep import Listed, Quantiles, sweep
from experiments.figures.outcomes import outcomes
from experiments.figures.sweep_figure import plot
from tests.toy_sweeps import brittle, ruled

PLAIN = {"chips": 9, "outputs": {"x": float, "curve": (float, (3,)), "n": float}}


def run(point, chip, rng):
    x = getattr(point, "mean", 0.0) + chip * getattr(point, "noise", 1.0)
    return {"x": x, "curve": np.array([0.0, 1.0, 2.0]) + point.mean, "n": chip}


def panels(dataset):
    figure = plot(dataset)
    figure.canvas.draw()
    return [axes for axes in figure.axes if axes.get_visible()]


@pytest.fixture(scope="module")
def one():
    return sweep(run, {"mean": [0.0, 10.0, 30.0], "noise": [1.0]}, **PLAIN)


def test_a_line_is_the_median_and_the_band_the_middle_half(one):
    x, n, curve = panels(one)
    assert x.lines[0].get_xydata().tolist() == [[0, 4], [10, 14], [30, 34]]
    band = x.findobj(PolyCollection)[0].get_paths()[0].vertices
    assert set(band[band[:, 0] == 10, 1]) == {12, 16}
    assert curve.get_title() == "curve\nlast step"
    assert curve.lines[0].get_ydata().tolist() == [2, 12, 32]
    assert n.lines[0].get_ydata().tolist() == [4, 4, 4]


def test_kept_quantiles_draw_what_kept_values_draw(one):
    axes = {"mean": [0.0, 10.0, 30.0], "noise": [1.0]}
    kept = sweep(run, axes, **PLAIN, reduce={"x": Quantiles()}, keep=["n"])
    names = {o.name: o for o in outcomes(kept)}
    wanted = {o.name: o for o in outcomes(one)}["x"]
    for found, there in zip(names["x"][1:4], wanted[1:4], strict=True):
        np.testing.assert_allclose(found, there)


def test_a_second_axis_makes_lines_or_a_map():
    axes = {"mean": list(range(9)), "noise": [1.0, 2.0]}
    lines = panels(sweep(run, axes, **PLAIN))[0]
    assert [t.get_text() for t in lines.get_legend().get_texts()] == ["1", "2"]
    axes["noise"] = list(range(1, 9))
    shown = panels(sweep(run, axes, **PLAIN))[0]
    assert shown.images[0].get_array()[1].tolist() == [4 * 2 + m for m in range(9)]


def test_a_third_axis_is_held_and_named():
    axes = {"mean": [0.0, 1.0], "noise": [1.0, 2.0], "third": [5.0, 6.0]}
    found = sweep(run, axes, **PLAIN)
    assert "at third = 6" in panels(found)[0].get_title()


def test_a_single_point_shows_how_the_chips_are_distributed(one):
    alone = sweep(run, {"mean": [1.0]}, **PLAIN)
    x = panels(alone)[0]
    assert sum(bar.get_height() for bar in x.patches) == 9
    assert (x.get_xlabel(), x.get_ylabel()) == ("x", "chips")


def test_drawn_points_are_scattered_over_each_axis():
    points = tuple({"mean": m, "noise": n} for m, n in ((3.0, 1.0), (1.0, 2.0)))
    axes = {"mean": [1.0, 3.0], "noise": [1.0, 2.0]}
    found = panels(sweep(run, axes, design=Listed(points), **PLAIN))
    assert [axes.get_xlabel() for axes in found[:2]] == ["mean", "noise"]
    assert found[0].lines[0].get_xydata().tolist() == [[3, 7], [1, 9]]


def test_words_are_places_and_missing_chips_are_counted():
    found = sweep(brittle, {"rule": ["sound", "broken"]}, chips=4)
    x = panels(found)[0]
    assert [t.get_text() for t in x.get_xticklabels()] == ["sound", "broken"]
    assert "5 of 8 values missing" in x.figure.get_supxlabel()
    rules = sweep(ruled, {"rule": ["up", "down"], "size": [1.0, 2.0]}, chips=2)
    assert panels(rules)[0].get_xlabel() == "size"


def test_what_is_no_sweep_is_refused():
    with pytest.raises(ValueError, match="not the result of a sweep"):
        plot(xr.Dataset({"x": 1.0}))
