"""The figure of a sweep shows its numbers: medians, halves of the chips, gaps."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.collections import PolyCollection

from chipsweep import Listed, Quantiles, sweep
from experiments.commands.field_units import units as units_of
from experiments.commands.field_units import with_units
from experiments.figures import sweep_words
from experiments.figures.outcomes import outcomes
from experiments.figures.style import said
from experiments.figures.sweep_figure import plot
from experiments.memristor import threshold
from tests.figure_laws import lawful
from tests.toy_sweeps import brittle, ruled

PLAIN = {"chips": 9, "outputs": {"x": float, "curve": (float, (3,)), "n": float}}


def run(point, chip, rng):
    x = getattr(point, "mean", 0.0) + chip * getattr(point, "noise", 1.0)
    return {"x": x, "curve": np.array([0.0, 1.0, 2.0]) + point.mean, "n": chip}


def panels(dataset):
    figure = plot(dataset)
    lawful(figure)
    return [axes for axes in figure.axes if axes.get_visible()]


@pytest.fixture(scope="module")
def one():
    return sweep(run, {"mean": [0.0, 10.0, 30.0], "noise": [1.0]}, **PLAIN)


def test_a_line_is_the_median_and_the_band_the_middle_half(one):
    x, n, curve = panels(one)
    assert x.lines[0].get_xydata().tolist() == [[0, 4], [10, 14], [30, 34]]
    band = x.findobj(PolyCollection)[0].get_paths()[0].vertices
    assert set(band[band[:, 0] == 10, 1]) == {12, 16}
    assert (curve.get_ylabel(), curve.get_title()) == ("curve", "last step")
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


def units(dataset):
    """The same with words and units, as a store may have them."""
    named = dataset.assign_coords(mean=dataset["mean"].assign_attrs(units="µS"))
    attrs = {"units": "V", "long_name": "read_out"}
    return named.assign(x=named.x.assign_attrs(attrs))


def test_words_and_units_are_those_of_the_attributes(one):
    x = panels(units(one))[0]
    assert (x.get_xlabel(), x.get_ylabel()) == ("mean [µS]", "read out [V]")
    told = said(x.figure)
    assert "lowest, 4 V, at mean 0 µS, and highest, 34 V, at mean 30 µS" in told


def test_a_map_says_what_its_colours_are(one):
    axes = {"mean": list(range(9)), "noise": list(range(1, 9))}
    shown = panels(units(sweep(run, axes, **PLAIN)))
    assert "read out [V]" in [axes.get_ylabel() for axes in shown]
    assert "mean by 8 V" in said(shown[0].figure)  # 4 noise + mean: 8 along the mean


def test_a_caption_concludes_from_the_numbers(one):
    assert "7.5 times the middle half of the chips" in said(plot(one))  # 30 of 4
    assert "rises with mean in 2 of 2 steps" in said(plot(one))


@pytest.mark.parametrize(("values", "words"), [
    ((1, 3, 2), "rises with mean in 1 of 2 steps and falls in 1"),
    ((3, 2, 1), "falls with mean in 2 of 2 steps"),
    ((1, 1, 1), ""),
    ((1, np.nan, 2), ""),
])  # fmt: skip
def test_a_course_is_told_where_there_is_one(values, words):
    middle = xr.DataArray(np.array(values, float), {"mean": [1.0, 2.0, 3.0]}, "mean")
    found = sweep_words._course(middle, "mean")
    assert found == (f"It {words}" if words else "")
    alone = said(plot(sweep(run, {"mean": [1.0]}, **PLAIN)))
    assert "median 5, middle half of the chips 3 to 7, all of them 1 to 9" in alone
    points = tuple({"mean": m, "noise": 1.0} for m in (3.0, 1.0, 2.0))
    axes = {"mean": [1.0, 2.0, 3.0], "noise": [1.0]}
    drawn = said(plot(sweep(run, axes, design=Listed(points), **PLAIN)))
    assert "Rank correlation 1.00 with mean" in drawn


def test_what_is_missing_is_counted_in_chips():
    found = sweep(brittle, {"rule": ["sound", "broken"]}, chips=4)
    assert "5 of 8 values missing, in 4 of 4 chips" in said(plot(found))


def test_a_swept_field_has_the_unit_that_its_docstring_names():
    base = type(threshold.defaults(threshold.Config()))
    assert units_of(base)["write_noise"] == "µS"
    swept = sweep(run, {"write_noise": [1.0, 2.0], "mean": [0.0]}, **PLAIN)
    found = with_units(swept, base, {"x": "V", "none": "s"})
    assert found["x"].attrs["units"] == "V"
    assert found.write_noise.attrs["units"] == "µS"
    assert "units" not in found["mean"].attrs
    assert panels(found)[0].get_xlabel() == "write noise [µS]"
