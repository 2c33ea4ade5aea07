"""Places on a wafer: from the columns of a file to where a device is drawn."""

import numpy as np
import pytest

from eapu_jax.fitting import Places, PulseTrains, Traces
from experiments.data.formats import DataError
from experiments.data.traces import read_traces
from experiments.own.figures import Figure
from experiments.own.wafer import wafer_map

HEAD = "device,x,y,pulse,g (µS)\n"


def read(tmp_path, text):
    path = tmp_path / "x.csv"
    path.write_text(text, encoding="utf-8")
    return read_traces([path])


def test_places_are_those_of_the_devices_in_their_order(tmp_path):
    text = HEAD + "b,3,-1,1,2\nb,,,2,3\na,,,1,2\na,-2,0,2,3\n"  # once is enough
    traces, told = read(tmp_path, text)
    assert traces.places is not None
    assert traces.places.x.tolist() == [3, -2]
    assert traces.places.y.tolist() == [-1, 0]
    assert traces.places.unit == ""
    assert "places on the wafer in numbers of dies" in told[0]
    assert traces.measured == ("pulses",)


def test_places_with_a_unit_are_in_millimetres(tmp_path):
    traces, _ = read(tmp_path, "id;x_um;y (cm);puls;g\n1;1500;2,5;1;2\n1;;;2;3\n")
    places = traces.places
    assert places is not None
    assert (places.x.tolist(), places.y.tolist(), places.unit) == ([1.5], [25], "mm")


def test_where_no_column_names_the_devices_each_place_is_one(tmp_path):
    text = "die x,die y,pulse,g\n1,1,1,5\n1,1,2,6\n2,1,1,7\n2,1,2,9\n"
    traces, told = read(tmp_path, text)
    assert traces.pulses is not None
    assert traces.pulses.g[:, 0, 1:].tolist() == [[5, 6], [7, 9]]
    assert traces.places is not None
    assert traces.places.x.tolist() == [1, 2]
    assert "each taken for a device" in told[0]


def test_without_places_there_are_none(tmp_path):
    for text in ("pulse,g\n1,2\n2,3\n", HEAD + "a,,,1,2\na,,,2,3\n"):
        assert read(tmp_path, text)[0].places is None


BAD = {
    "two places": ("a,1,1,1,2\na,1,2,2,3\n", r"line 3: device 'a' stands at \(1, 2\), "
                   r"and at \(1, 1\) in line 2"),
    "two devices": ("a,1,1,1,2\na,1,1,2,3\nb,1,1,1,2\n", r"line 4: device 'b' stands "
                    r"at \(1, 1\), where device 'a' stands in line 2"),
    "none": ("a,1,1,1,2\nb,,,1,3\n", "line 3: device 'b' has no place in any line"),
    "half": ("a,1,,1,2\na,1,2,2,3\n", "line 2: has one of 'x' and 'y'"),
    "a word": ("a,left,1,1,2\na,left,2,2,3\n", "line 2, column 'x': expected a number"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "words"), BAD.values(), ids=BAD)
def test_a_place_that_cannot_be_is_refused_by_line(text, words, tmp_path):
    with pytest.raises(DataError, match=words):
        read(tmp_path, HEAD + text)


def test_places_in_other_tables_are_refused(tmp_path):
    with pytest.raises(DataError, match="'x' and 'y': are they places on a wafer"):
        read(tmp_path, "pulse,x,y\n1,2,3\n2,3,4\n")
    with pytest.raises(DataError, match="have the units mm and none"):
        read(tmp_path, "x (mm),y,pulse,g\n1,2,1,3\n1,2,2,3\n")
    with pytest.raises(DataError, match=r"a unit among mm.*'V'"):
        read(tmp_path, "x (V),y,pulse,g\n1,2,1,3\n1,2,2,3\n")


def test_places_are_held_against_the_devices():
    pulses = PulseTrains(g=np.ones((2, 1, 3)), up=np.ones((2, 1, 2), bool))
    with pytest.raises(ValueError, match="each of the 2 devices of pulses, got 1"):
        Traces(pulses=pulses, places=Places(x=[1], y=[1]))
    with pytest.raises(ValueError, match="two at one place"):
        Places(x=[1, 1], y=[2, 2])
    with pytest.raises(ValueError, match="y must have the shape"):
        Places(x=[1, 1], y=[2])
    with pytest.raises(ValueError, match="x must be a row of finite"):
        Places(x=[np.nan], y=[2])


def drawn(values, places=None):
    axes = Figure().add_subplot()
    wafer_map(axes, np.array(values), "step (µS)", places)
    (dies,) = axes.collections
    boxes = [path.get_extents() for path in dies.get_paths()]
    return axes, dies, [(b.x0, b.x1, b.y0, b.y1) for b in boxes]


def test_a_device_is_drawn_where_it_stands():
    x, y = np.array([0.0, 2.5, 7.5, 0.0]), np.array([0.0, 0.0, 1.5, 1.5])
    axes, dies, boxes = drawn([1.0, 2.0, np.nan, 4.0], Places(x=x, y=y, unit="mm"))
    for a, b, box in zip(x, y, boxes, strict=True):
        np.testing.assert_allclose(box, (a - 1.25, a + 1.25, b - 0.75, b + 0.75))
    assert dies.get_array().mask.tolist() == [False, False, True, False]
    assert axes.get_xlabel() == "x (mm)"
    assert axes.get_title() == "devices on the wafer; grey: no fit"


def test_without_places_the_map_says_that_it_is_in_order():
    axes, _, boxes = drawn([1.0, 2.0, 3.0])
    assert boxes == [(-0.5, 0.5, -0.5, 0.5), (0.5, 1.5, -0.5, 0.5),
                     (-0.5, 0.5, -1.5, -0.5)]  # fmt: skip
    assert axes.get_title() == "devices in the order of the file (no places told)"


def test_devices_in_one_line_are_squares():
    assert drawn([1.0, 2.0], Places(x=[0, 3], y=[5, 5]))[2][0] == (-1.5, 1.5, 3.5, 6.5)
    assert drawn([1.0], Places(x=[0], y=[5]))[2] == [(-0.5, 0.5, 4.5, 5.5)]
