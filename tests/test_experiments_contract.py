"""What the twelve experiments share: their points, and how their figures are drawn."""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from experiments.contract import base_of, listed
from experiments.figures import style


@dataclass(frozen=True)
class Base:
    size: int = 8
    noise: float = 0.0


@dataclass(frozen=True)
class Config:
    noise: float = 0.5
    n_chips: int = 2


def test_a_base_has_the_fields_of_its_config_unless_others_are_given():
    assert base_of(Base, Config()) == Base(8, 0.5)
    assert base_of(Base, Config(), noise=1.0, size=4) == Base(4, 1.0)


def test_listed_points_differ_from_the_base_by_their_changes_alone():
    made = listed(Base(noise=0.1), [{"size": 4}, {"noise": 0.2}, {"size": 4}])
    assert made["axes"] == {"size": [4, 8], "noise": [0.1, 0.2]}
    points = [(p["size"], p["noise"]) for p in made["design"].points]
    assert points == [(4, 0.1), (8, 0.2), (4, 0.1)]


VALUES = xr.DataArray(
    np.arange(24.0).reshape(2, 3, 4), dims=("seed", "x", "chip"), name="y"
)


def test_the_middle_half_is_that_of_all_that_is_not_kept():
    middle, error = style.middle_half(VALUES, "x")
    low, expected, high = np.quantile(VALUES, [0.25, 0.5, 0.75], axis=(0, 2))
    np.testing.assert_allclose(middle, expected)
    np.testing.assert_allclose(error, [expected - low, high - expected])


def test_a_band_is_drawn_over_seeds_and_chips_around_the_median():
    def draw(axes, dataset):
        line = style.band(axes, dataset.x, dataset.y, label="a")
        np.testing.assert_allclose(line.get_ydata(), VALUES.median(("seed", "chip")))
        (area,) = axes.collections
        heights = area.get_paths()[0].vertices[:, 1]
        assert (heights.min(), heights.max()) == (1.75, 21.25)

    dataset = VALUES.assign_coords(x=[1.0, 2.0, 3.0]).to_dataset()
    figure = style.panels((4, 3), [[draw]], "a note")(dataset)
    assert len(figure.axes) == 1
    assert "2 seeds x 4 chips" in figure.get_supxlabel()
    assert figure.get_supxlabel().startswith("A note. Scale: reduced; ")


def test_a_panel_named_twice_spans_both_places():
    def wide(axes, dataset):
        axes.set_title("wide")

    def left(axes, dataset):
        axes.set_title("left")

    def right(axes, dataset):
        axes.set_title("right")

    rows = [[left, right], [wide, wide]]
    drawn = style.panels((4, 3), rows)(xr.Dataset())
    drawn.draw_without_rendering()
    widths = {a.get_title(): a.get_position().width for a in drawn.axes}
    assert widths["wide"] > 1.8 * widths["left"]
    assert set(widths) == {"wide", "left", "right"}
