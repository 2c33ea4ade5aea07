"""Presets carry the published numbers."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import eapu_jax as ej
from tests.statistics import assert_mean, assert_variance

PRESETS = {
    name: preset
    for name, preset in vars(ej.presets).items()
    if isinstance(preset, ej.Crossbar)
}


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_can_be_programmed(name):
    w = jnp.zeros((8, 8))
    tx = ej.program(PRESETS[name], key=jr.key(0))
    updates, _ = tx.update(w + 0.5, tx.init(w), w)
    assert np.all(np.isfinite(updates))
    assert np.all(updates != 0)


@pytest.mark.parametrize(
    ("name", "error"), [("PUBLIC_CODE", 0.025), ("FIGURE_5C", 0.03)]
)
def test_published_write_errors_in_weight_units(name, error):
    crossbar = PRESETS[name]
    assert crossbar.device.write_noise * crossbar.r_wg == pytest.approx(error)


@pytest.mark.parametrize("name", ["PUBLIC_CODE", "FIGURE_5C"])
def test_published_simulations_have_no_window_and_no_read_noise(name):
    device = PRESETS[name].device
    assert (device.g_min, device.g_max) == (-np.inf, np.inf)
    assert device.read_noise == 0


def test_the_relaxing_array_errs_by_two_microsiemens_after_a_second():
    device = PRESETS["RELAXING"].device
    cells = device.init(jr.key(2), jnp.zeros((256, 256)))
    cells, _ = device.write(jr.key(0), cells, jnp.full((256, 256), 5.0))
    g = np.ravel(device.advance(jr.key(1), cells, 1.0).g)
    assert_mean(g, 5.0)
    assert_variance(g, 2.0**2)


def test_the_pulsed_array_spans_weights_of_one():
    crossbar = PRESETS["SOFT_BOUNDS"]
    ends = jnp.array([crossbar.device.g_min, crossbar.device.g_max])
    spanned = crossbar.encoding.to_weights(ends, crossbar.r_wg)
    assert spanned.tolist() == [-1, 1]
