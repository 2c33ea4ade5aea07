"""Laws that mutants of the core once survived: each is the test that one asked for."""

import dataclasses

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import eapu_jax as ej


def test_one_stuck_level_without_a_mask_holds_every_cell():
    dead = ej.Crossbar(stuck_at=7.0, r_wg=0.01)
    _, arrays = ej.deploy(jr.key(0), dead, jnp.full((3, 2), 7.0 * 0.01))
    asked = jnp.full((3, 2), 0.5)
    written, _ = ej.array.write(jr.key(1), dead, arrays[""], asked)
    np.testing.assert_allclose(ej.array.weights(dead, written), 0.07, rtol=1e-6)


@pytest.mark.parametrize("theta", [0.5, 2.0])
def test_the_floor_of_lift_above_is_a_part_of_the_threshold(theta):
    dw = theta * jnp.array([[0.1, -0.19, 0.21, -0.9, 1.5]])
    step, _ = ej.lift_above(theta).update(dw, ej.lift_above(theta).init(dw))
    np.testing.assert_allclose(step, theta * jnp.array([[0, 0, 1, -1, 1.5]]))


# As the docstrings and the sources named there state them, written down once more:
# a default is a number that people compute with.
STATED = [
    (ej.AdditiveError, {"write_noise": 2.0, "read_noise": 0.0}),
    (ej.Crossbar, {"r_wg": 1 / 80, "stuck_at": None}),
    (ej.SoftBounds, {"g_min": -80.0, "g_max": 80.0, "pulse": 0.5, "down_ratio": 1.0,
                     "write_noise": 0.5, "read_noise": 0.0}),
    (ej.LinearStep, {"g_min": -80.0, "g_max": 80.0, "pulse": 0.5, "down_ratio": 1.0,
                     "slope_up": 0.2, "slope_down": 0.2, "read_noise": 0.0}),
    (ej.ExponentialStep, {"g_min": -80.0, "g_max": 80.0, "pulse": 0.5,
                          "down_ratio": 1.0, "tilt": -0.5, "offset": -0.5,
                          "amplitude_up": -1.18445, "amplitude_down": -0.081404,
                          "decay_up": 5.0, "decay_down": 5.0, "write_noise": 0.5,
                          "read_noise": 0.0}),
    (ej.Ferroelectric, {"g_min": 0.0, "g_max": 40.0, "pulse": 0.5, "down_ratio": 1.0,
                        "domains": 1000.0, "read_noise": 0.0}),
    (ej.PhaseChange, {"g_min": 0.0, "g_max": 25.0, "noise_scale": 1.0,
                      "drift_scale": 1.0, "onset": 20.0, "read_noise": 0.0}),
    (ej.StateDependentError, {"g_min": 0.0, "g_max": 40.0, "noise_scale": 1.0,
                              "read_noise": 0.0}),
    (ej.StochasticSwitching, {"g_min": 160.0, "g_max": 320.0, "levels": 2,
                              "probability": 0.9, "read_noise": 0.0}),
    (ej.VerifyRelaxation, {"tolerance": 2.0, "relaxation": 1.0,
                           "relaxation_per_decade": 0.2, "onset": 1e-3,
                           "read_noise": 0.0}),
    (ej.AbsmaxRange, {"window": 80.0, "per": "array"}),
    (ej.WidthAwareRange, {"window": 80.0, "omega": 4.0, "gain": 1.0}),
    (ej.SingleCell, {"reference": 0.0}),
    (ej.DifferentialPair, {"rest": 0.0, "policy": "plus"}),
    (ej.OffsetColumn, {"rest": 50.0}),
    (ej.Redundant, {"copies": 2}),
    (ej.Adc, {"bits": 9, "rail": 480.0}),
    (ej.Dac, {"bits": 8, "full_scale": None}),
    (ej.Spread, {"law": "lognormal", "stuck_rate": 0.0, "stuck_levels": (0.0,)}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "stated"), STATED, ids=lambda p: str(p)[:40])
def test_defaults_are_those_stated(kind, stated):
    made = kind()
    assert {name: getattr(made, name) for name in stated} == stated


def test_defaults_of_what_is_built_around_a_device_are_those_stated():
    inner = ej.AdditiveError(g_min=0.0, g_max=80.0)
    made = [
        ej.FiniteLevels(device=inner),
        ej.ExponentialRetention(device=inner),
        ej.PowerRetention(device=inner),
        ej.Jumping(device=inner),
        ej.Wearing(device=inner),
    ]
    stated = [
        {"levels": 16},
        {"level": 0.0, "time_constant": 1e7},
        {"level": 0.0, "exponent": 0.01, "onset": 1.0},
        {"rate": 0.1, "lowest": 2 / 3, "onset": 1.0},
        {"endurance": 1e6, "spread": 0.5},
    ]
    for one, constants in zip(made, stated, strict=True):
        names = {f.name for f in dataclasses.fields(one)} - {"device"}
        assert {name: getattr(one, name) for name in names} == constants
