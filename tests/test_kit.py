"""Devices of the analog hardware kit move here as they are published to move there."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import eapu_jax as ej
from eapu_jax.devices import response
from eapu_jax.fitting import from_kit

WINDOW = {"w_min": -0.8276, "w_max": 1.1724, "dw_min": 0.004, "up_down": 0.1}
QUIET = {"dw_min_std": 0.0}
SHAPES = {
    "ConstantStep": {},
    "LinearStep": {"gamma_up": 0.3, "gamma_down": 0.9},
    "SoftBounds": {},
    "ExpStep": {
        "A_up": -1.18445, "A_down": -0.081404, "gamma_up": 5.0, "gamma_down": 5.0,
        "a": -0.5, "b": -0.5,
    },
    "ExpStep with its defaults": {
        "A_up": 0.00081, "A_down": 0.36833, "gamma_up": 12.44625,
        "gamma_down": 12.78785, "a": 0.244, "b": 0.2425,
    },
}  # fmt: skip


def published(kind, p, w, up):
    """One pulse of the kit's documentation, in weights, without noise."""
    step = p["dw_min"] * (1 + p["up_down"] if up else 1 - p["up_down"])
    if kind == "ExpStep":
        z = 2 * p["a"] * w / (p["w_max"] - p["w_min"]) + p["b"]
        amplitude = p["A_up"] if up else p["A_down"]
        gamma = p["gamma_up"] if up else -p["gamma_down"]
        share = max(1 - amplitude * np.exp(gamma * z), 0)
    else:
        gamma = {"ConstantStep": 0.0, "SoftBounds": 1.0}.get(kind)
        if gamma is None:
            gamma = p["gamma_up"] if up else p["gamma_down"]
        share = 1 - gamma * w / (p["w_max"] if up else p["w_min"])
    moved = w + (step if up else -step) * share
    return float(np.clip(moved, p["w_min"], p["w_max"]))


@pytest.mark.parametrize("name", SHAPES)
def test_the_response_curve_is_the_published_one(name, x64):
    kind, p, n = name.split(" ")[0], WINDOW | SHAPES[name], 300
    drop = ["gamma_up_dtod", "gamma_down_dtod"] if kind == "LinearStep" else []
    crossbar, _ = from_kit(kind, p | QUIET, scale=50.0, dropping=drop)
    w, curve = -0.7, [-0.7]
    for up in (True,) * n + (False,) * n:
        w = published(kind, p, w, up)
        curve.append(w)
    device = crossbar.device
    cells = device.init(jax.random.key(0), jnp.full(1, -0.7 * 50.0))
    up, down = device.step(True), -device.step(False)

    def pulse(cells, dg):
        cells, _ = device.write(jax.random.key(0), cells, jnp.full(1, dg))
        return cells, cells.g[0]

    asked = jnp.where(jnp.arange(2 * n) < n, up, down)
    _, found = jax.lax.scan(pulse, cells, asked)
    # an exponential step follows its flow: first order in the step over half a window
    off = 3 * p["dw_min"] if kind == "ExpStep" else 1e-9
    np.testing.assert_allclose(found * crossbar.r_wg, curve[1:], atol=off)


def test_the_flow_comes_closer_to_the_pulses_as_steps_become_small():
    def worst(dw):
        p = WINDOW | SHAPES["ExpStep"] | {"dw_min": dw}
        device = from_kit("ExpStep", p | QUIET)[0].device
        n, w = round(0.5 / dw), -0.7
        for _ in range(n):
            w = published("ExpStep", p, w, True)
        return abs(float(device.after(jnp.float32(-56.0), n, True)) / 80 - w)

    assert worst(0.001) < worst(0.004) / 3


def test_the_presets_are_what_the_kit_says():
    lithium = {
        "dw_min": 0.002, "w_min": -0.8276, "w_max": 1.1724, "gamma_up": 0.1153,
        "gamma_down": 0.5085, "dw_min_std": 0.3,
    }  # fmt: skip
    device = from_kit("LinearStep", lithium)[0].device
    for name in ("g_min", "g_max", "pulse", "down_ratio", "slope_up", "slope_down"):
        stated = getattr(ej.presets.ELECTROCHEMICAL.device, name)
        np.testing.assert_allclose(getattr(device, name), stated, rtol=2e-4)
    assert device.write_noise == pytest.approx(0.048)


def test_spreads_are_relative_and_normal():
    _, spread = from_kit(
        "LinearStep",
        {"gamma_up": 0.2, "gamma_down": 0.4, "up_down": 0.5, "up_down_dtod": 0.03}
        | {"corrupt_devices_prob": 0.01, "w_min_dtod": 0.0},
    )
    assert spread.law == "normal"
    assert spread.cell_to_cell == pytest.approx(
        {"g_max": 0.3, "pulse": 0.3, "down_ratio": 0.08}
        | {"slope_up": 0.25, "slope_down": 0.125}
    )
    assert spread.stuck_rate == 0.01
    assert spread.stuck_levels[0] == -48.0
    assert len(spread.stuck_levels) == 11
    _, spread = from_kit("SoftBounds", {"dw_min_dtod_log_normal": True})
    assert spread.law == "lognormal"


def test_cells_differ_in_their_ratio_as_in_the_kit():
    """beta = up_down + up_down_dtod z: the spread of (1 - beta) / (1 + beta)."""
    _, spread = from_kit("SoftBounds", {"up_down": 0.2, "up_down_dtod": 0.01})
    beta = 0.2 + 0.01 * np.random.default_rng(0).normal(size=200_000)
    ratio = (1 - beta) / (1 + beta)
    assert spread.cell_to_cell["down_ratio"] == pytest.approx(
        np.std(ratio) / np.mean(ratio), rel=0.02
    )


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: from_kit("PowStep"), "kind must be one of 'ConstantStep'"),
        (lambda: from_kit("SoftBounds", {"dwmin": 1}), "got 'dwmin'"),
        (lambda: from_kit("SoftBounds", {"gamma_up": 0.1}), "got 'gamma_up'"),
        (lambda: from_kit("SoftBounds", {"dw_min": -1}), r"\['dw_min'\] must be > 0"),
        (lambda: from_kit("SoftBounds", {"w_min": 0.1}), r"\['w_min'\] must be < 0"),
        (
            lambda: from_kit("SoftBounds", {"up_down": 1.0}),
            r"\['up_down'\] must be < 1",
        ),
        (lambda: from_kit("SoftBounds", {"lifetime": 9.0}), "'lifetime'.* must be 0"),
        (lambda: from_kit("LinearStep"), "gamma_up_dtod'] must be 0 where gamma_up"),
        (lambda: from_kit("SoftBounds", scale=0.0), "scale must be > 0"),
        (
            lambda: from_kit("SoftBounds", dropping="lifetime"),
            "dropping must be a list",
        ),
        (lambda: from_kit("SoftBounds", 3), "parameters must map"),
    ],
)
def test_what_has_no_place_here_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_what_is_dropped_by_name_is_dropped():
    given = {"lifetime": 9.0, "write_noise_std": 1.0}
    crossbar, _ = from_kit(
        "SoftBounds", given, dropping=["lifetime", "write_noise_std"]
    )
    assert isinstance(crossbar.device, ej.SoftBounds)
    curve = response(
        jax.random.key(0),
        crossbar.device,
        crossbar.device.pulse,
        n=2,
        start=jnp.zeros(1),
    )
    assert curve.shape == (5, 1)
