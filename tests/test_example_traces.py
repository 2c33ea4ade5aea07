"""The examples that ship are what their generator writes and what it drew."""

from pathlib import Path

import jax.random as jr
import numpy as np
import pytest

from experiments.data import example_traces
from experiments.data.traces import read_traces

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.parametrize(
    ("name", "key", "devices", "cycles"), [("long", 1, 6, 3), ("wide", 2, 4, 2)]
)
def test_an_example_is_what_was_drawn(name, key, devices, cycles):
    path = EXAMPLES / f"synthetic_pulses_{name}.csv"
    assert path.read_text(encoding="utf-8").startswith("# synthetic")
    pulses = read_traces([path])[0].pulses
    drawn = example_traces.measured(jr.key(key), devices, cycles, 60)
    assert pulses is not None
    np.testing.assert_allclose(pulses.g, drawn.g, atol=2e-3)  # other processors round
    np.testing.assert_array_equal(pulses.up, drawn.up)


def test_a_cycle_begins_where_the_one_before_has_ended():
    g = example_traces.measured(jr.key(0), 2, 3, 4).g
    np.testing.assert_array_equal(g[:, 1:, 0], g[:, :-1, -1])


def test_both_layouts_say_the_same(tmp_path):
    drawn = example_traces.measured(jr.key(5), 2, 2, 30)
    found = []
    for layout in (example_traces.long, example_traces.wide):
        path = tmp_path / "x.csv"
        path.write_text(layout(drawn), encoding="utf-8")
        found.append(read_traces([path])[0].pulses)
    np.testing.assert_array_equal(found[0].g, found[1].g)
    np.testing.assert_array_equal(found[0].up, found[1].up)
