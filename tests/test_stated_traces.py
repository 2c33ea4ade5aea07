"""Constants of published devices are found again in points of their curves."""

import numpy as np
import pytest

import eapu_jax as ej
from experiments.data import stated_traces
from experiments.data.traces import read_traces
from tests.shown_commands import ROOT
from tests.statistics import assert_within

FILES = {
    name: ROOT / "examples" / f"synthetic_{name}_as_stated.csv"
    for name in stated_traces.DEVICES
}


@pytest.mark.parametrize("name", FILES)
def test_the_file_is_what_the_stated_constants_say(name):
    text = FILES[name].read_text(encoding="utf-8")
    assert text.startswith("# synthetic: no measured point")
    seed = list(FILES).index(name)
    pulses = read_traces([FILES[name]])[0].pulses
    drawn = stated_traces.points(stated_traces.DEVICES[name], seed)
    read = pulses.g[np.isfinite(pulses.g)]
    np.testing.assert_allclose(read, [g for *_, g in drawn], atol=6e-3)


@pytest.mark.parametrize(
    ("name", "preset"),
    [("li_ecram", "ELECTROCHEMICAL"), ("hfo2_rram", "RERAM_EXPONENTIAL")],
)
def test_the_stated_step_is_that_of_the_preset(name, preset):
    device, stated = getattr(ej.presets, preset).device, stated_traces.DEVICES[name]
    for w in (-0.6, 0.0, 0.7):
        for up in (True, False):
            g = np.float32(w * stated_traces.SCALE)
            moved = float(device.after(g, 1.0, np.bool_(up)) - g)
            expected = stated.step(w, up) * stated_traces.SCALE
            assert moved == pytest.approx(expected, rel=0.02)


@pytest.mark.slow
def test_the_constants_of_the_li_ecram_are_found_again():
    traces, _ = read_traces([FILES["li_ecram"]])
    fitted = ej.fit_device(traces, ["SoftBounds", "LinearStep"])
    assert fitted.family == "LinearStep"
    assert fitted.adequate
    device = ej.presets.ELECTROCHEMICAL.device
    for name in ("g_min", "g_max", "pulse", "down_ratio", "slope_up", "slope_down"):
        error = fitted.errors[name][0]
        assert_within(fitted.values[name][0], getattr(device, name), error)


@pytest.mark.slow
def test_the_shape_of_the_hfo2_rram_is_told():
    """A straight step is a bad fit; window and family are those that are stated."""
    traces, _ = read_traces([FILES["hfo2_rram"]])
    fitted = ej.fit_device(traces, ["LinearStep", "ExponentialStep"])
    assert fitted.family == "ExponentialStep"
    assert fitted.adequate
    assert not fitted.families["LinearStep"].adequate
    device = ej.presets.RERAM_EXPONENTIAL.device
    for name in ("g_min", "g_max"):
        error = fitted.errors[name][0]
        assert_within(fitted.values[name][0], getattr(device, name), error)
