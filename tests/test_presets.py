"""Presets carry the published numbers."""

import pathlib

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
    updates, _ = tx.update(w + 0.8, tx.init(w), w)
    assert np.all(np.isfinite(updates))
    assert np.mean(np.asarray(updates) > 0) > 0.5


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


def cells_after(device, g, dg, n=65_536):
    """Cells that stood at `g` and were asked to move by `dg`, µS."""
    cells = device.init(jr.key(0), jnp.full(n, g))
    return device.write(jr.key(1), cells, jnp.full(n, dg))[0]


def test_the_relaxing_array_errs_by_two_microsiemens_after_a_second():
    device = PRESETS["RELAXING"].device
    g = device.advance(jr.key(2), cells_after(device, 0.0, 5.0), 1.0).g
    assert_mean(g, 5.0)
    assert_variance(g, 2.0**2)


SPANS = {
    "SOFT_BOUNDS": (-1, 1),
    "RERAM_EXPONENTIAL": (-1, 1),
    "FERROELECTRIC": (-1, 1),
    "MAGNETIC": (-1, 1),
    "BULK_RRAM": (-1, 1),
    "ELECTROCHEMICAL": (-0.8276, 1.1724),
    "CMO_HFOX": (-1, 1),
    "INT4": (-1, 7 / 8),
    "INT2": (-1, 1 / 2),
}


@pytest.mark.parametrize("name", SPANS)
def test_a_window_spans_the_stated_weights(name):
    crossbar = PRESETS[name]
    ends = jnp.array([crossbar.device.g_min, crossbar.device.g_max])
    spanned = crossbar.encoding.to_weights(ends, crossbar.r_wg)
    np.testing.assert_allclose(spanned, SPANS[name], atol=1e-6)


@pytest.mark.parametrize("name", ["RERAM_MEASURED", "PHASE_CHANGE"])
def test_a_pair_spans_weights_of_minus_one_to_one(name):
    crossbar = PRESETS[name]
    far = jnp.array([[crossbar.device.g_max, 0.0], [0.0, crossbar.device.g_max]])
    spanned = crossbar.encoding.to_weights(far, crossbar.r_wg)
    np.testing.assert_allclose(spanned, [1, -1], rtol=1e-6)


def step_in_weights(device, w, sign):
    """One noise-free pulse at the weight `w`, with 80 µS per weight."""
    g = jnp.array([80.0 * w])
    return sign * (device.after(g, jnp.ones(1), jnp.array([sign > 0])) - g) / 80


@pytest.mark.parametrize("w", [-0.8276, 0.0, 1.1724])
def test_the_electrochemical_step_is_the_published_one_in_weights(w):
    device = PRESETS["ELECTROCHEMICAL"].device
    for sign, slope, bound in ((1, -0.1153, 1.1724), (-1, 0.5085, 0.8276)):
        published = 0.002 * (1 + slope * w / bound)
        np.testing.assert_allclose(
            step_in_weights(device, w, sign), published, rtol=1e-3
        )


@pytest.mark.parametrize("w", [-0.9, 0.0, 0.9])
def test_the_exponential_step_is_the_published_one_in_weights(w):
    device = PRESETS["RERAM_EXPONENTIAL"].device
    z = -0.5 * w - 0.5
    up = 0.00135 * (1 + 1.18445 * np.exp(5 * z))
    down = 0.00135 * (1 - 0.259359) * (1 + 0.081404 * np.exp(-5 * z))
    for sign, published in ((1, up), (-1, down)):
        np.testing.assert_allclose(
            step_in_weights(device, w, sign), published, rtol=2e-2
        )


@pytest.mark.parametrize(("name", "levels"), [("INT4", 16), ("INT2", 4)])
def test_integer_weights_have_their_levels_and_no_error(name, levels):
    crossbar = PRESETS[name]
    w = jnp.linspace(-1.2, 1.2, 4096).reshape(64, 64)
    seen = ej.array.weights(crossbar, ej.array.deploy_one(jr.key(0), crossbar, w))
    held = np.unique(np.round(np.asarray(seen), 6))
    np.testing.assert_allclose(held, (np.arange(levels) - levels / 2) / (levels / 2))


def test_the_metal_oxide_array_errs_by_ten_nanosiemens():
    g = cells_after(PRESETS["CMO_HFOX"].device, 50.0, 2.0).g
    assert_variance(1e3 * (np.asarray(g, float) - 52.0), 10.0**2)  # nS


def test_bulk_cells_stand_in_megaohms_on_64_levels():
    device = PRESETS["BULK_RRAM"].device
    fresh = np.asarray(device.init(jr.key(0), jnp.linspace(0.0, 2.0, 10_000)).g)
    assert len(np.unique(np.round(fresh, 5))) == 64
    np.testing.assert_allclose(1 / fresh[[0, -1]], [10, 1], rtol=1e-6)  # Mohm


def test_the_pair_of_phase_change_is_written_upwards_only():
    crossbar, w = PRESETS["PHASE_CHANGE"], jnp.zeros((8, 8))
    state = ej.array.deploy_one(jr.key(0), crossbar, w)
    dw = jnp.where(jnp.arange(64).reshape(8, 8) % 2 == 0, 0.2, -0.2)
    state, pulses = ej.array.write(jr.key(1), crossbar, state, dw)
    assert not np.any(pulses.down)
    assert np.array_equal(pulses.up[0], dw > 0)
    moved = ej.array.weights(crossbar, state)
    assert np.mean(np.sign(moved) == np.sign(dw)) > 0.95


def test_every_preset_says_where_its_numbers_are_from():
    text = pathlib.Path(ej.presets.__file__).read_text()
    labels = "STATED", "DERIVED", "ASSUMED"
    for name in PRESETS:
        told = text.split(f"\n{name} = ", 1)[1].split('"""')[1]
        assert any(label in told for label in labels), name
