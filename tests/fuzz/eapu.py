"""Bad input of `eapu_jax` and `prng`: every public constructor and function."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
import jax.random as jr
import numpy as np

import eapu_jax as ej
import prng
from eapu_jax import array, laws
from eapu_jax.encodings.ranges import FixedRange
from eapu_jax.fitting import PulseTrains, Reads
from eapu_jax.matvec import matvec, matvec_transposed
from eapu_jax.periphery import Adc, Dac, Periphery, line_currents
from eapu_jax.product_counts import product_counts
from prng.chance import happens
from prng.elements import element_keys
from tests.fuzz import several
from tests.fuzz.spoil import INF, KINDS, NAN, Subject, fault, spoilt

KEY = jr.key(0)
W = jnp.linspace(-0.5, 0.5, 12, dtype=jnp.float32).reshape(4, 3)
X = jnp.ones(4)
PLAIN = ej.Crossbar()
STATE = ej.deploy(KEY, PLAIN, W)[1][""]
COMPLEX = W.astype(complex)
SPREAD = ej.Spread(chip_to_chip={"write_noise": 0.1})

WINDOW = {"g_min": "real", "g_max": "real"}
OPEN = {"g_min": "not NaN", "g_max": "not NaN"}
NOISE = {"write_noise": "not negative", "read_noise": "not negative"}
PULSED = WINDOW | {"pulse": "positive", "down_ratio": "positive"}
PULSED |= {"reckoned": ("a", 3, 1.5, (0.5, 0.5), object(), [])}
READ = {"read_noise": "not negative"}

FIELDS: dict[Any, dict[str, Any]] = {
    ej.AdditiveError: NOISE | OPEN,
    ej.StateDependentError: WINDOW | READ | {"noise_scale": "not negative"},
    ej.VerifyRelaxation: OPEN
    | READ
    | {"tolerance": "not negative", "relaxation": "not negative"}
    | {"relaxation_per_decade": "not negative", "onset": "positive"},
    ej.PulseSteps: {"up": "positive", "down": "positive"},
    ej.SoftBounds: PULSED | NOISE,
    ej.LinearStep: PULSED
    | NOISE
    | {"slope_up": "proportion"}
    | {"slope_down": "proportion"},
    ej.ExponentialStep: PULSED
    | NOISE
    | {"tilt": "real", "offset": "real"}
    | {"amplitude_up": "real", "amplitude_down": "real"}
    | {"decay_up": "positive", "decay_down": "positive"},
    ej.Ferroelectric: PULSED | READ | {"domains": "positive"},
    ej.PhaseChange: WINDOW
    | READ
    | {"noise_scale": "not negative", "drift_scale": "not negative"}
    | {"onset": "positive"},
    ej.StochasticSwitching: WINDOW
    | READ
    | {"levels": "plural", "probability": "proportion"},
    ej.FiniteLevels: {"device": "object", "levels": "plural"},
    ej.ExponentialRetention: {"device": "object", "level": "real"}
    | {"time_constant": "positive"},
    ej.PowerRetention: {"device": "object", "level": "real"}
    | {"exponent": "not negative", "onset": "positive"},
    ej.Jumping: {"device": "object", "rate": "not negative"}
    | {"lowest": "proportion", "onset": "positive"},
    ej.Wearing: {"device": "object", "endurance": "positive"}
    | {"spread": "not negative"},
    ej.SingleCell: {"reference": "real"},
    ej.DifferentialPair: {"rest": "real", "policy": "choice"},
    ej.OffsetColumn: {"rest": "real"},
    ej.Redundant: {"within": "object", "copies": "count"},
    ej.AbsmaxRange: {"window": "positive", "per": "choice"},
    ej.WidthAwareRange: {"window": "positive", "omega": "positive", "gain": "positive"},
    FixedRange: {"r_wg": "positive"},
    ej.Crossbar: {"device": "object", "encoding": "object", "r_wg": "positive"}
    | {"periphery": "object", "stuck_at": ("a", INF, 1j, True, object(), [[1.0], []])}
    | {"stuck": ("a", 1, 0.5, 1j, object(), np.ones(2), [[True], []])},
    Dac: {
        "bits": "bits",
        "full_scale": tuple(v for v in KINDS["positive"]() if v is not None),
    },
    Adc: {"bits": "bits", "rail": "positive"},
    Periphery: {
        "dac": (3, "dac", object(), Adc(), Dac),
        "adc": (3, "adc", object(), Dac(), Adc),
        "backward_dac": (3, "dac", object(), Adc(), Dac),
        "backward_adc": (3, "adc", object(), Dac(), Adc),
        "line_resistance": (-1.0, NAN, INF, "a", 1j, True, object(), np.zeros(0)),
        "tile": (3, (3,), (3, 3, 3), [3, 3], (0, 3), (-1, 2), (2.5, 3), ("a", 2)),
    },
}
"""What every field must be; `tests/test_fuzz.py` holds that none is left out."""

HELD = {"stuck_at": 1.0, "stuck": W > 0}  # stuck cells of W, as good ones
MISFITS = [np.ones(n, bool) for n in (3, (3, 4), (4, 1), (1, 4, 3), (2, 2, 3), 0)]
STUCK = {"stuck": tuple(MISFITS), "stuck_at": tuple(1.0 * m for m in MISFITS)}
"""Right by themselves, and no cells of W: refused where the weights come."""

WITHIN = {"device": ej.AdditiveError(g_min=0.0, g_max=80.0)}


def constructors() -> Iterator[Subject]:
    """Every set of constants, with all its fields."""
    for kind, kinds in FIELDS.items():
        names = {f.name for f in dataclasses.fields(kind)}
        good = WITHIN if "device" in names and kind is not ej.Crossbar else {}
        yield Subject(kind.__name__, kind, good, kinds)


def _with_stuck(call):
    """`call` of a crossbar, some cells of which are stuck."""
    return lambda **stuck: call(ej.Crossbar(**stuck))


def _step(transform):
    """One update of a transform: here it must refuse at the latest."""
    return transform.update(W * 0.01, transform.init(W), W)


AT_REST = Reads(g=np.ones((1, 4)))
TRAINS = PulseTrains(g=np.ones((1, 1, 4)), up=np.ones((1, 1, 3), bool))
NO_TRACES = (3, None, "traces", {}, [], object(), ej.Traces, AT_REST, TRAINS)
UNTYPED = (0, None, "key", 1.5, [], {}, object(), np.zeros(2, np.uint32))
THRESHOLD = {"threshold": "positive"}
NO_ANSWER = (lambda path, shape: None, lambda path, shape: "somewhere")
PLACE = {"place": ("array", 3, object(), *NO_ANSWER)}

ON_CROSSBARS = {
    "program": lambda c: _step(ej.program(c, key=KEY)),
    "deploy": lambda c: ej.deploy(KEY, c, W),
    "array.read": lambda c: array.read(KEY, c, STATE),
    "array.write": lambda c: array.write(KEY, c, STATE, W),
    "array.weights": lambda c: array.weights(c, STATE),
    "array.deploy_one": lambda c: array.deploy_one(KEY, c, W),
    "matvec": lambda c: matvec(KEY, c, STATE, W, X),
    "matvec_transposed": lambda c: matvec_transposed(KEY, c, STATE, W, jnp.ones(3)),
}

FUNCTIONS = [
    *[Subject(f"{name} on stuck cells", _with_stuck(call), HELD, STUCK)
      for name, call in ON_CROSSBARS.items()],
    Subject("eapu", lambda **a: _step(ej.eapu(**a)), {"threshold": 0.1, "key": KEY},
            THRESHOLD | PLACE | {"key": "key"}),
    Subject("drop_below", lambda **a: _step(ej.drop_below(**a)), {"threshold": 0.1},
            THRESHOLD | PLACE),
    Subject("lift_above", lambda **a: _step(ej.lift_above(**a)), {"threshold": 0.1},
            THRESHOLD | PLACE | {"floor": "not negative"}),
    Subject("manhattan", lambda **a: _step(ej.manhattan(**a)), {"step": 0.1},
            {"step": "positive"} | PLACE),
    Subject("sign_threshold", lambda **a: _step(ej.sign_threshold(**a)),
            {"threshold": 0.1, "step": 0.1}, THRESHOLD | PLACE),
    Subject("stochastic_rounding", lambda **a: _step(ej.stochastic_rounding(**a)),
            {"step": 0.1, "key": KEY}, {"step": "positive", "key": "key"} | PLACE),
    Subject("stochastic_sparse", lambda **a: _step(ej.stochastic_sparse(**a)),
            {"step": 0.1, "key": KEY},
            {"step": "positive", "key": "key", "momentum": "proportion"} | PLACE),
    Subject("pulse_train", lambda **a: _step(ej.pulse_train(**a)),
            {"step": 0.1, "length": 4, "key": KEY},
            {"step": "positive", "key": "key", "length": "count"} | PLACE),
    Subject("mixed_precision", lambda **a: _step(ej.mixed_precision(**a)),
            {"step": 0.1}, {"step": "positive"} | PLACE),
    Subject("eapu_residual", lambda **a: _step(ej.eapu_residual(**a)),
            {"threshold": 0.1, "bits": 4, "key": KEY},
            THRESHOLD | {"key": "key", "bits": "number of"} | PLACE),
    Subject("hidden_integer", lambda **a: _step(ej.hidden_integer(**a)),
            {"step": 0.1, "states": 64, "every": 2},
            {"step": "positive", "states": "plural", "every": "count",
             "per_level": "count"} | PLACE),
    Subject("digital_words", ej.digital_words, {"state": (), "params": W}, PLACE),
    Subject("program", lambda **a: _step(ej.program(**a)),
            {"crossbar": PLAIN, "key": KEY},
            PLACE | {"crossbar": "object", "key": "key", "foreign": "choice",
                     "step_time": "not negative"}),
    Subject("deploy", ej.deploy, {"key": KEY, "crossbar": PLAIN, "params": W},
            PLACE | {"key": "key", "crossbar": "object"}),
    Subject("deploy of weights", lambda weights: ej.deploy(KEY, PLAIN, weights),
            {"weights": W}, {"weights": "weights"}),
    Subject("sample_chip", ej.sample_chip,
            {"key": KEY, "index": 0, "crossbar": PLAIN, "params": W, "spread": SPREAD},
            PLACE | {"key": "key", "index": "number of", "crossbar": "object",
                     "spread": "object"}),
    Subject("sample_chips", ej.sample_chips,
            {"key": KEY, "n": 2, "crossbar": PLAIN, "params": W, "spread": SPREAD},
            PLACE | {"key": "key", "n": "count", "crossbar": "object",
                     "spread": "object"}),
    Subject("Spread", ej.Spread, {},
            {"chip_to_chip": (0.1, "a", None, [], object(), {"write_noise": -1.0}),
             "cell_to_cell": (0.1, "a", None, [], object(), {"write_noise": NAN}),
             "law": "choice", "stuck_rate": "proportion",
             "stuck_levels": ((), 3.0, "ab", None, (0.0, NAN), (None,), ("a",))}
            ),
    Subject("save_device", ej.save_device,
            {"path": "nowhere/mine.toml", "crossbar": PLAIN},
            {"path": (None, 3, 1.5, [], object(), "mine.json", "nowhere/mine.toml"),
             "crossbar": "object", "spread": (3, "a", [], object())}),
    Subject("load_device", ej.load_device, {},
            {"path": (None, 3, 1.5, [], object(), "nowhere.toml", ".")}),
    Subject("write_error", ej.write_error,
            {"key": KEY, "device": ej.AdditiveError(), "dg": 1.0},
            {"key": "key", "device": "object", "dg": "real", "g": "real",
             "cells": "plural"}),
    Subject("matched_threshold", ej.matched_threshold,
            {"key": KEY, "crossbar": PLAIN},
            {"key": "key", "crossbar": "object", "g": "real", "rounds": "count"}),
    Subject("lifetime_factor", ej.lifetime_factor,
            {"writes": jnp.ones((2, 2), jnp.uint32), "steps": 10},
            {"steps": "number of",
             "writes": ((), {}, "a", None, object(), 1.5, np.ones((2, 2)),
                        np.ones((2, 2)) * 1j, -np.ones((2, 2), int))}),
    *[Subject(f.__name__, f, {"state": None},
              {"state": ((), {}, None, "a", 3, object(), W, STATE)})
      for f in (ej.update_ratio, ej.layer_update_ratio, ej.writes_per_cell,
                ej.pulses_per_cell, ej.totals, ej.view)],
    Subject("placements", ej.placements, {"params": W}, PLACE),
    Subject("table", ej.table, {"params": W}, PLACE),
    Subject("array.read", array.read, {"key": KEY, "crossbar": PLAIN, "state": STATE},
            {"key": "key", "crossbar": "object", "state": "object"}),
    Subject("array.write", array.write,
            {"key": KEY, "crossbar": PLAIN, "state": STATE, "dw": W},
            {"key": "key", "crossbar": "object", "state": "object",
             "dw": ("a", None, 3, object(), jnp.ones((2, 2)), W > 0, COMPLEX,
                    jnp.ones((4, 3), int), np.zeros((0, 3)), jnp.ones((2, 4, 3)))}),
    Subject("array.advance", array.advance,
            {"key": KEY, "crossbar": PLAIN, "state": STATE, "dt": 1.0},
            {"key": "key", "crossbar": "object", "state": "object",
             "dt": "not negative"}),
    Subject("array.weights", array.weights, {"crossbar": PLAIN, "state": STATE},
            {"crossbar": "object", "state": "object"}),
    Subject("array.deploy_one", array.deploy_one,
            {"key": KEY, "crossbar": PLAIN, "w": W},
            {"key": "key", "crossbar": "object",
             "w": ("a", None, 3, object(), W > 0, COMPLEX, jnp.ones((4, 3), int))}),
    *[Subject(f.__name__, f,
              {"key": KEY, "crossbar": PLAIN, "state": STATE, "w": W, "x": x},
              {"key": "key", "crossbar": "object", "state": "object",
               "noise": "choice", "inputs": ("1", 0, 2, -1, 1.5, None, 10**30, NAN),
               "w": ("a", None, 3, object(), jnp.ones((x.size, x.size)), X, COMPLEX),
               "x": ("a", None, 3, object(), jnp.ones(7), jnp.ones(()), 1j * np.ones(4),
                     jnp.ones((3, 7)))})
      for f, x in ((matvec, X), (matvec_transposed, jnp.ones(3)))],
    Subject("matvec's gradient", matvec,
            {"key": KEY, "crossbar": PLAIN, "state": STATE, "w": W, "x": X},
            {"gradient": "choice"}),
    Subject("wrap", ej.wrap,
            {"params": W, "arrays": {"": STATE}, "key": KEY, "crossbar": PLAIN},
            {"key": "key", "crossbar": "object", "gradient": "choice",
             "noise": "choice", "arrays": ({}, None, 3, [], "a", {"other": STATE}),
             "stacked": (("nowhere",), 3, None, ("a/b",))}),
    Subject("line_currents", line_currents,
            {"g": jnp.ones((4, 3)), "v": X, "resistance": 1.0},
            {"resistance": "not negative",
             "g": ("a", None, 3, object(), jnp.ones(4), jnp.ones((3, 3)), COMPLEX),
             "v": ("a", None, 3, object(), jnp.ones(7), jnp.ones((4, 2)),
                   1j * np.ones(4))}),
    Subject("product_counts", product_counts,
            {"crossbar": PLAIN, "shapes": {"w": (4, 3)}, "vectors": 2},
            {"crossbar": "object", "vectors": "number of",
             "shapes": (3, None, "a", {"w": 3}, {"w": ()}, {"w": (-1, 3)},
                        {"w": ("a", 3)}, {"w": (2.5, 3)})}),
    Subject("write_probability", laws.write_probability, {"dw": W, "threshold": 0.1},
            THRESHOLD | {"dw": "real"}),
    Subject("step_variance", laws.step_variance, {"dw": W, "threshold": 0.1},
            THRESHOLD | {"dw": "real"}),
    Subject("total_variance", laws.total_variance,
            {"dw": W, "threshold": 0.1, "write_noise": 0.1},
            THRESHOLD | {"dw": "real", "write_noise": "not negative"}),
    Subject("adam_update_ratio", laws.adam_update_ratio,
            {"learning_rate": 0.1, "threshold": 0.1},
            THRESHOLD | {"learning_rate": "not negative",
                         "b1": ("a", None, 1.0, 1.5, -0.1, NAN, 1j, True)}),
    Subject("stationary_variance_eapu", laws.stationary_variance_eapu,
            {"mean_abs": 0.1, "threshold": 0.1, "write_noise": 0.1},
            THRESHOLD | {"mean_abs": "not negative", "write_noise": "not negative"}),
    Subject("stationary_variance_backprop", laws.stationary_variance_backprop,
            {"write_noise": 0.1, "learning_rate": 0.1},
            {"write_noise": "not negative", "learning_rate": "positive",
             "curvature": "positive"}),
    Subject("Traces", ej.Traces, {"reads": AT_REST},
            {name: (3, "a", object(), {}, [], int, WINDOW)
             for name in ("pulses", "writes", "reads", "retention", "endurance")}),
    Subject("fit_device", ej.fit_device, {"traces": ej.Traces(pulses=TRAINS)},
            {"traces": (*NO_TRACES, ej.Traces(reads=AT_REST)),
             "models": (3, "SoftBounds", [], ["Soft"], [3], {}, object(), [[]]),
             "compared": "count",
             "outliers": "proportion"}),
    Subject("unrolled", prng.unrolled, {"key": KEY},
            {"key": UNTYPED}),
    Subject("counts_its_draws", prng.counts_its_draws, {"key": KEY},
            {"key": UNTYPED}),
    Subject("bits_at", prng.bits_at, {"key": KEY, "index": jnp.uint32(1)},
            {"key": "key", "index": ("1", None, 1.5, -1, 2**32, True, 1j, object(),
                                     jnp.float32(1), NAN)}),
    Subject("blocks_at", prng.blocks_at,
            {"key": KEY, "high": jnp.uint32(0), "low": jnp.uint32(1)},
            {"key": "key", "low": ("1", None, 1.5, -1, 2**32, True, 1j, object()),
             "high": ("1", None, 1.5, -1, 2**32, True, 1j, object())}),
    Subject("happens", happens, {"key": KEY, "p": jnp.array([0.5])},
            {"key": UNTYPED, "p": ("a", None, object(), 1j, jnp.ones(2, int),
                                 jnp.ones(2, bool))}),
    Subject("element_keys", element_keys,
            {"key": KEY, "index": jnp.zeros(2, jnp.uint32)},
            {"key": UNTYPED, "index": ("a", None, object(), 1.5, jnp.ones(2), 1j)}),
]  # fmt: skip


def subjects() -> list[Subject]:
    """Everything public that takes an argument."""
    return [*constructors(), *FUNCTIONS, *several.SUBJECTS]


def faults(seed: int, count: int) -> Iterator[str]:
    """A line for every one of `count` bad inputs that was not refused by name."""
    for subject, argument, value in spoilt(subjects(), seed, count):
        wrong = fault(subject, argument, value)
        if wrong:
            yield wrong
