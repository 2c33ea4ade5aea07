"""Bad input of `thermo`: every public constructor, law and run."""

import random
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

import thermo
from tests.fuzz import spoil
from tests.fuzz.spoil import INF, NAN, Subject, fault, spoilt
from thermo import (
    circuits,
    denoising,
    exact,
    generative,
    identify,
    inference,
    lattice_walk,
    linalg,
    natural_gradient,
    observers,
    scaling,
    simulate,
)
from thermo.identify.components import components
from thermo.langevin import langevin_modes
from thermo.linalg import primitives
from thermo.reals import real_array


def _array(make):
    """Made by NumPy: what JAX makes is compiled, when this is imported."""
    return lambda *a: jnp.asarray(make(*a).astype(np.float32))


_ones, _zeros, _full, _eye = map(_array, (np.ones, np.zeros, np.full, np.eye))

KEY = jr.key(0)
M = jnp.array([[2.0, -1.0], [-1.0, 2.0]])
D = jnp.array([[2.0, 0.5], [0.5, 1.0]])
V = jnp.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.5]])
ONES = _ones(2)
APART = jnp.array([[0.0, 0.5], [0.5, 0.0]])
TS = jnp.array([0.0, 0.25, 0.5, 0.75, 1.0])
LAW = exact.Gaussian(_zeros(2), D)

RLC = {"ground_capacitance": ONES, "coupling": APART, "inductance": ONES}
RLC |= {"resistance": ONES, "noise": ONES}
RC = {"ground_capacitance": ONES, "coupling": APART, "resistance": ONES, "noise": ONES}
RC |= {"coupling_conductance": APART}
OP_AMP = {"conductance": D, "ground_capacitance": ONES, "noise": ONES}
OP_AMP |= {"input_voltage": ONES, "input_resistance": ONES}
ELEMENTS = {"cubic_conductance": 0.0, "saturation_current": 0.0}
ELEMENTS |= {"saturation_voltage": 1.0, "noise_correlation_time": 1.0}
ELEMENTS |= {"bias_current": 0.0}
FORM = {"drift": M, "noise": M, "readout": _eye(2), "bias": ONES}
BOARD = thermo.RCBoard(**RC)  # type: ignore[arg-type]
STEP = object()
"""Stands for the propagator of the board, made when it is first needed."""

# Truth values are promoted here, and a list of zeros or none is a matter of shape.
NOT_REAL = ("2", "", b"1", [], {}, (), object(), 1 + 2j, "nan", np.zeros(0), int)
NOT_REAL += (np.array(["a"]), np.array([1 + 1j]), [[1.0], [1.0, 2.0]], {"a": 1.0})
NOT_REAL += (np.datetime64("2020-01-01"), np.array([1, "a"], object), KEY)
REAL = NOT_REAL + spoil.UNBOUNDED
NOT_NEGATIVE = REAL + spoil.NEGATIVE
POSITIVE = NOT_NEGATIVE + spoil.ZERO
NUMBER = (None, np.ones(3), [1.0, 2.0, 3.0], _ones((2, 2, 2)))
COUNT = (*(v for v in spoil.NOT_WHOLE if v is not None), 0, -1, -(2**31))
KEYS = (0, None, "key", 1.5, [], {}, object(), np.zeros(2, np.uint32), b"0")
THING = (3, "thing", None, object(), {}, 1.5, NAN, int)
CHOICE = ("nope", "", None, 3, b"rlc", [], {}, 1.5, "RLC", ("rlc",))
BROKEN = (
    _full((2, 2), NAN),
    _full((2, 2), INF),
    np.array(M, complex),
    np.array(M, object),
)
MATRIX = (*NOT_REAL, *BROKEN, None, 3.0, ONES, _ones((2, 3)), _ones((2, 2, 3)))
MATRIX += (np.zeros((0, 0)), np.full((2, 2), 1e300), np.full((2, 2), "a"))
OTHER_SIZE = (*MATRIX, _eye(3))
SYMMETRIC = (*MATRIX, jnp.array([[2.0, 1.0], [-1.0, 2.0]]))
COVARIANCE = (*SYMMETRIC, -M, jnp.array([[1.0, 2.0], [2.0, 1.0]]))
COVARIANCE += (jnp.array([[1.0, 2e-3], [2e-3, 1e-6]]),)
DEFINITE = (*COVARIANCE, _ones((2, 2)), _zeros((2, 2)))
PASSIVE = (*DEFINITE, D, jnp.array([[1.0, -1e-3], [-1e-3, 1e-7]]))
STABLE = (*MATRIX, -M, _zeros((2, 2)), jnp.array([[0.0, 1.0], [-1.0, 0.0]]))
DIFFUSION = (*COVARIANCE, _eye(3))
CELLS = (*POSITIVE, None, _ones(3), 3.0, jnp.array([1.0, NAN]), _ones((2, 2)))
COUPLERS = (*SYMMETRIC, -APART, APART + _eye(2), _eye(3))
LAGS = (*NOT_REAL, None, 1.0, NAN, _ones((2, 2)), jnp.array([NAN]), jnp.array([INF]))
OMEGA = (*NOT_REAL, None, NAN, INF, _ones((2, 2)), jnp.array([1.0, NAN]))
SAMPLES = (
    *NOT_REAL,
    None,
    _full((4, 2), NAN),
    _full((4, 2), INF),
    V.astype(complex),
)
INSTANTS = (*NOT_REAL, None, 1.0, TS[::-1], TS[:1], TS * NAN, _ones(3), TS[None])
STATE = (
    *NOT_REAL,
    3.0,
    _ones(7),
    _full(2, NAN),
    _ones((2, 2)),
    ONES.astype(complex),
)
READOUT = (*NOT_REAL, *BROKEN, 3.0, ONES, _ones((2, 3)), np.zeros((0, 2)))
RANGE = (3, "ab", None, (), (0.0,), (1.0, 0.0), (0.0, NAN), (0.0, INF), (-1.0, 1.0))
RANGE += (("a", "b"), (0.0, 0.0), (0.0, 1j), (0.0, 1.0, 2.0), {"low": 0.0})
SHAPE = (3, None, "ab", (-1,), (1.5,), ("a",), [2])
SYSTEM = {"drift": STABLE, "diffusion": DIFFUSION}
GOOD = {"drift": M, "diffusion": D}
DURATION = POSITIVE + NUMBER
WITH_READOUT = SYSTEM | {"readout": READOUT}

CELL_FIELDS = {
    "ground_capacitance": (*NOT_NEGATIVE, None, _ones(3), _ones((2, 2))),
    "noise": (*NOT_NEGATIVE, None, _ones(3), 3.0, _ones((2, 2))),
    "cubic_conductance": (*REAL, None, _ones(3), 2.0),
    "saturation_current": (*REAL, None, _ones(3), 2.0),
    "saturation_voltage": (*POSITIVE, None, _ones(3)),
    "noise_correlation_time": (*POSITIVE, _ones(3)),
    "bias_current": (*REAL, None, _ones(3), lambda: 0.0, lambda t: 1j * t),
}
PROGRAM = {
    "circuit": CHOICE,
    "temperature": DURATION,
    "resistance": (*POSITIVE, _ones(3)),
    "inductance": (*POSITIVE, _ones(3)),
    "capacitance": (1.0, 2.0, "a", NAN),
    "component_range": RANGE,
    "scale": (*POSITIVE, _ones(3), 1e6),
}
RUN = {"key": KEYS, "n_samples": (*COUNT, None, 10**30), "z0": STATE}
RUN |= {"burn_in": (*COUNT[:-3], None, -1, 10, 11)}
SIMULATE = {"key": KEYS, "board": THING, "ts": INSTANTS, "steps": COUNT}
SIMULATE |= {"z0": STATE, "args": (1.0, "a", (2.0,)), "solver": (3, "Heun", NAN)}


@cache
def _step():
    return thermo.propagator(BOARD, 0.5)


def _stepped(run):
    """A run whose stepper may be `STEP`."""
    return lambda stepper=None, **a: run(
        stepper=_step() if stepper is STEP else stepper, **a
    )


def _impedance(board):
    return lambda omega: board.impedance(omega)


BOARDS = [
    Subject("RLCBoard", lambda **a: thermo.RLCBoard(**a).linear(), RLC | ELEMENTS,
            CELL_FIELDS | {"coupling": COUPLERS, "inductance": CELLS,
                           "resistance": CELLS, "coil_resistance": (
                               *NOT_NEGATIVE, None, _ones(3))}),
    Subject("RCBoard", lambda **a: thermo.RCBoard(**a).linear(), RC | ELEMENTS,
            CELL_FIELDS | {"coupling": COUPLERS, "coupling_conductance": COUPLERS,
                           "resistance": CELLS}),
    Subject("OpAmpBoard", lambda **a: thermo.OpAmpBoard(**a).linear(),
            OP_AMP | ELEMENTS,
            CELL_FIELDS | {"conductance": OTHER_SIZE, "ground_capacitance": CELLS,
                           "input_voltage": (*REAL, None, _ones(3)),
                           "input_resistance": (*POSITIVE, None, _ones(3))}),
    *[Subject(f"{type(b).__name__}.impedance", _impedance(b), {"omega": 1.0},
              {"omega": REAL + NUMBER})
      for b in (BOARD, thermo.RLCBoard(**RLC), thermo.OpAmpBoard(**OP_AMP))],
    *[Subject(f"LinearForm, {f.__name__}",
              lambda f=f, **a: f(thermo.LinearForm(**a), 0.5), FORM,
              {"drift": STABLE, "noise": (*NOT_REAL, *BROKEN, 3.0, ONES),
               "readout": READOUT, "bias": (*REAL, None, _ones(3))})
      for f in (thermo.propagator, thermo.modes)],
    Subject("two_node_board", circuits.two_node_board, {"temperature": 300.0},
            {"temperature": NOT_NEGATIVE + NUMBER}),
    Subject("johnson_noise", thermo.johnson_noise,
            {"resistance": 1.0, "temperature": 300.0},
            {"resistance": (*POSITIVE, None), "temperature": (*NOT_NEGATIVE, None)}),
    Subject("Tolerances", lambda **a: thermo.draw_board(
                KEY, BOARD, thermo.Tolerances(**a)), {},
            dict.fromkeys(("capacitance", "resistance", "inductance", "noise"),
                          NOT_NEGATIVE + NUMBER)),
    Subject("draw_board", thermo.draw_board,
            {"key": KEY, "board": BOARD, "tolerances": thermo.Tolerances()},
            {"key": KEYS, "board": THING, "tolerances": THING}),
    Subject("draw_boards", thermo.draw_boards,
            {"key": KEY, "board": BOARD, "tolerances": thermo.Tolerances(),
             "n_boards": 2}, {"key": KEYS, "board": THING, "n_boards": (*COUNT, None)}),
    Subject("quantise", thermo.quantise,
            {"board": BOARD, "coupling": (0.0, 0.5), "ground": (1.0, 2.0)},
            {"board": THING,
             "coupling": ("a", 1.0, 1j, object(), (1.0, 2.0), (0.0, -1.0), (0.0, NAN),
                          ()),
             "ground": ((1.0, -1.0), (1.0, NAN), (), "a", 1j, (INF,))}),
    Subject("uniform_levels", circuits.uniform_levels,
            {"low": 0.0, "high": 1.0, "bits": 3},
            {"low": (*REAL, 1.0, 2.0, None), "high": (*REAL, 0.0, -1.0, None),
             "bits": (*COUNT, None, 25, 40, 200, 10**9)}),
    Subject("bank_levels", circuits.bank_levels, {"capacitors": (1.0, 2.0)},
            {"capacitors": ((1.0, 0.0), (1.0, -1.0), (NAN,), (), "a", None, 3.0,
                            (INF,), (1j,), tuple(range(1, 41)))}),
    Subject("Converter", lambda v=V, **a: thermo.Converter(**a).convert(KEY, v),
            {"bits": 8, "full_scale": 1.0},
            {"bits": (*POSITIVE, 200, 25, 2.5, _ones(3)),
             "full_scale": (*POSITIVE, None), "sampling_interval": DURATION,
             "amplifier_noise": NOT_NEGATIVE + NUMBER, "v": SAMPLES}),
    Subject("Converter.instants", lambda n_samples: thermo.Converter().instants(
                n_samples), {"n_samples": 3}, {"n_samples": (*COUNT, None)}),
    Subject("double", thermo.double, {"matrix": D}, {"matrix": SYMMETRIC}),
    Subject("undouble", thermo.undouble, {"samples": V},
            {"samples": (*SAMPLES, 3.0, _ones(3))}),
    Subject("undouble_covariance", circuits.undouble_covariance, {"covariance": D},
            {"covariance": (*MATRIX, _eye(3))}),
    Subject("passive_components", circuits.passive_components, {"matrix": M},
            {"matrix": PASSIVE, "component_range": RANGE, "scale": PROGRAM["scale"]}),
    Subject("check_representable", circuits.check_representable, {"matrix": M},
            {"matrix": PASSIVE}),
    Subject("program_precision", thermo.program_precision, {"precision": M},
            PROGRAM | {"precision": PASSIVE}),
    Subject("program_matrix", thermo.program_matrix, {"matrix": M},
            PROGRAM | {"matrix": PASSIVE}),
    Subject("program_covariance", thermo.program_covariance, {"covariance": D},
            {"covariance": DEFINITE}),
    *[Subject(f"program_precision, {c}", thermo.program_precision,
              {"precision": M, "circuit": c},
              {n: k for n, k in PROGRAM.items() if n in ("scale", "component_range")}
              | {n: (1.0,) for n in ("inductance", "resistance", "capacitance")
                 if n not in used} | {"precision": DEFINITE})
      for c, used in (("op-amp", ("capacitance",)), ("resistive", ("capacitance",)),
                      ("capacitive", ("resistance",)))],
    Subject("Programmed.inverse", lambda second_moment: thermo.program_matrix(
                M).inverse(second_moment), {"second_moment": D},
            {"second_moment": OTHER_SIZE}),
    Subject("to_spice", thermo.to_spice,
            {"board": BOARD, "t_stop": 10.0, "dt": 0.1, "seed": 1},
            {"board": THING, "t_stop": (*DURATION, 0.05), "dt": (*DURATION, 20.0),
             "seed": (*COUNT, None), "noise_step": POSITIVE,
             "output": ("", "a b", "a\nb", 3, None)}),
    Subject("CapacitorBoard",
            lambda **a: circuits.CapacitorBoard(**a).sample(KEY, 3),
            {"ground_capacitance": ONES, "coupling": APART, "temperature": 1.0},
            {"ground_capacitance": (*NOT_NEGATIVE, None, _ones(3), _ones((2, 2))),
             "coupling": COUPLERS, "temperature": DURATION}),
    Subject("program_capacitors", circuits.program_capacitors, {"matrix": M},
            {"matrix": PASSIVE, "component_range": RANGE, "scale": PROGRAM["scale"],
             "temperature": DURATION}),
    Subject("digital_factor", circuits.digital_factor,
            {"board": circuits.CapacitorBoard(ground_capacitance=ONES, coupling=APART),
             "covariance": D}, {"board": THING, "covariance": (*DEFINITE, _eye(3))}),
    Subject("langevin_modes", langevin_modes, {"board": thermo.RLCBoard(**RLC)},
            {"board": (*THING, BOARD)}),
]  # fmt: skip

LAWS = [
    Subject("stationary_covariance", exact.stationary_covariance, GOOD, SYSTEM),
    Subject("lyapunov", exact.lyapunov, {"drift": M, "rhs": D},
            {"drift": MATRIX, "rhs": OTHER_SIZE}),
    Subject("transition", exact.transition, GOOD | {"dt": 0.5},
            {"drift": MATRIX, "diffusion": DIFFUSION, "dt": DURATION}),
    Subject("exact.propagator", exact.propagator, {"drift": M, "dt": 0.5},
            {"drift": MATRIX, "dt": (*NOT_NEGATIVE, None, _ones((2, 2)))}),
    Subject("autocorrelation", exact.autocorrelation, GOOD | {"lags": ONES},
            SYSTEM | {"lags": LAGS}),
    Subject("spectrum", exact.spectrum, GOOD | {"omega": ONES},
            SYSTEM | {"omega": OMEGA}),
    Subject("thermal_spectrum", exact.thermal_spectrum,
            {"impedance": M.astype(complex), "temperature": 1.0},
            {"impedance": ("a", None, 3.0, object(), ONES, _ones((2, 3)),
                           _full((2, 2), NAN), np.zeros((0, 0))),
             "temperature": NOT_NEGATIVE + NUMBER}),
    Subject("band_covariance", exact.band_covariance,
            GOOD | {"low": 0.1, "high": 2.0, "points": 9},
            SYSTEM | {"low": (*NOT_NEGATIVE, *NUMBER, 3.0),
                      "high": (*NOT_NEGATIVE, *NUMBER, 0.05),
                      "points": (*COUNT, None, 10**6)}),
    Subject("irreversibility", exact.irreversibility, GOOD | {"parity": ONES},
            SYSTEM | {"parity": (*NOT_REAL, None, _ones(3), 2 * ONES, ONES * NAN)}),
    Subject("sampled_variance", exact.sampled_variance,
            GOOD | {"dt": 0.5, "n_samples": 9},
            WITH_READOUT | {"dt": DURATION, "n_samples": (*COUNT, None)}),
    Subject("recorded_variance", exact.recorded_variance, GOOD | {"duration": 9.0},
            WITH_READOUT | {"duration": DURATION}),
    Subject("covariance_error", exact.covariance_error,
            {"variance": jnp.abs(M), "covariance": D},
            {"variance": (*OTHER_SIZE, -D), "covariance": OTHER_SIZE,
             "target": (*(v for v in OTHER_SIZE if v is not None), 0 * D)}),
    Subject("effective_samples", exact.effective_samples,
            {"variance": jnp.abs(M), "covariance": D},
            {"variance": (*OTHER_SIZE, -D, 0 * D), "covariance": OTHER_SIZE}),
    Subject("time_average_law", exact.time_average_law, GOOD | {"duration": 9.0},
            SYSTEM | {"duration": DURATION, "bias": (*REAL, None, _ones(3))}),
    Subject("sample_gaussian", exact.sample_gaussian, {"key": KEY, "law": LAW},
            {"key": KEYS, "shape": SHAPE,
             "law": (*THING, *(exact.Gaussian(_zeros(2), c) for c in COVARIANCE),
                     *(exact.Gaussian(m, D) for m in (*STATE, None)))}),
    Subject("sample_second_moment", exact.sample_second_moment,
            {"key": KEY, "covariance": D, "n_samples": 5},
            {"key": KEYS, "covariance": COVARIANCE, "n_samples": (*COUNT, None, 1),
             "shape": SHAPE}),
    Subject("root", exact.root, {"covariance": D}, {"covariance": COVARIANCE}),
    Subject("burn_in_time", exact.burn_in_time, GOOD | {"error": 0.1},
            WITH_READOUT | {"error": (*DURATION, 1.0, 2.0)}),
    Subject("driven_mean", exact.driven_mean,
            {"drift": M, "drive": ONES, "ts": TS},
            {"drift": STABLE, "drive": (*REAL, None, _ones(3), lambda t: "a"),
             "ts": (*NOT_REAL, None, 1.0, TS[::-1], TS * NAN, TS[None]),
             "start": (*REAL, 3.0, _ones(3))}),
    Subject("mixing_time", exact.mixing_time, {"drift": M}, {"drift": STABLE}),
]  # fmt: skip

WAIT = {"key": KEYS, "time": DURATION, "start": STATE}
WAIT |= {"burn_in": (*NOT_NEGATIVE, *NUMBER[1:])}
ASK = {"key": KEY, "matrix": D, "time": 9.0}
READS = {"reads": (*COUNT, None, 1), "matrix": DEFINITE}
COUNT_FROM_0 = tuple(v for v in COUNT if not (isinstance(v, int) and v == 0))
_WRONG = primitives.Chip(conductance=_ones((3, 3)), capacitance=ONES, noise=ONES)
ON = {
    "chip": (
        3,
        "chip",
        object(),
        {},
        1.5,
        _WRONG,
        replace(_WRONG, conductance=-D),
        replace(_WRONG, conductance=D, bits=1),
    )
}
ON |= {"read": ("by_law", None, 3, [], {})}
VECTOR = (*REAL, None, 3.0, _ones(3), _ones((2, 2)))
INVERTIBLE = (*MATRIX, _ones((2, 2)), _zeros((2, 2)))
PROGRAM = {n: (3, "thing", object(), {}, 1.5) for n in ("tolerances", "preparation")}
PROGRAM |= {"key": KEYS, "bits": (*COUNT, 1, 25)}
BITS = {"key": KEY, "bits": 4}
LINALG = [
    Subject("sample", lambda **a: linalg.sample(**a).value,
            BITS | {"covariance": D, "count": 5, "interval": 1.0},
            PROGRAM | {"covariance": DEFINITE, "count": (*COUNT, None),
                       "interval": (*POSITIVE, *NUMBER[1:])}),
    Subject("invert", lambda **a: linalg.invert(**a).value,
            BITS | {"matrix": D, "time": 9.0, "reads": 5},
            PROGRAM | {"matrix": INVERTIBLE, "time": DURATION, "reads": (*COUNT, 1)}),
    Subject("solve for", lambda **a: linalg.solve(**a).value,
            BITS | {"matrix": D, "rhs": ONES, "time": 9.0, "noise": 0.1},
            PROGRAM | {"matrix": INVERTIBLE, "rhs": VECTOR, "time": DURATION,
                       "noise": DURATION}),
    Subject("prepare_inversion", linalg.prepare_inversion, {"matrix": D},
            {"matrix": INVERTIBLE}),
    Subject("prepare_solution", linalg.prepare_solution, {"matrix": D},
            {"matrix": INVERTIBLE}),
    Subject("langevin_board", lambda **a: primitives.langevin_board(**a).diffusion,
            {"matrix": D, "rhs": ONES, "beta": 1.0},
            {"matrix": DEFINITE, "rhs": (*REAL, None, _ones(3)), "beta": DURATION}),
    Subject("solve", primitives.solve, ASK | {"rhs": ONES, "beta": 1.0},
            WAIT | ON | {"matrix": DEFINITE, "rhs": VECTOR, "beta": DURATION,
                         "reads": (*COUNT, None)}),
    Subject("inv", primitives.inv, ASK | {"reads": 9}, WAIT | ON | READS),
    Subject("linalg.lyapunov", primitives.lyapunov, ASK | {"rhs": D, "reads": 9},
            WAIT | ON | READS | {"matrix": STABLE, "rhs": DIFFUSION}),
    Subject("expm", primitives.expm, {"key": KEY, "matrix": D, "reads": 9},
            {n: v for n, v in (WAIT | ON).items() if n != "time"}
            | {"matrix": MATRIX, "reads": (*COUNT, None), "lag": DURATION,
               "shift": (*REAL, *NUMBER[1:], -1.0, 0.0)}),
    *[Subject(f.__name__, f, ASK | {"runs": 9, "steps": 3},
              {"key": KEYS, "time": DURATION, "matrix": DEFINITE, "chip": ON["chip"],
               "runs": (*COUNT, None), "steps": (*COUNT, None)})
      for f in (primitives.logdet, primitives.logdet_bennett)],
    Subject("draw_chip", primitives.draw_chip,
            {"key": KEY, "size": 2, "tolerances": thermo.Tolerances()},
            {"key": KEYS, "size": (*COUNT, None), "tolerances": THING,
             "bits": (*COUNT, 1, 25)}),
    Subject("slow_modes", primitives.slow_modes, {"matrix": D, "modes": 1},
            {"matrix": DEFINITE, "modes": (*COUNT_FROM_0, 3)}),
    Subject("covariance_burn_in", primitives.covariance_burn_in,
            {"matrix": D, "error": 0.1},
            {"matrix": DEFINITE, "error": (*DURATION, 1.0, 2.0),
             "modes": (*COUNT_FROM_0, 3)}),
    Subject("drive", primitives.drive,
            {"matrix": D, "hold": 1.0, "stiffness": 2.0, "push": 9.0},
            {"matrix": DEFINITE, "hold": DURATION, "stiffness": (*DURATION, 0.5),
             "push": DURATION}),
    Subject("burn_in", primitives.burn_in, {"matrix": M, "error": 0.1},
            {"matrix": STABLE, "error": (*DURATION, 1.0, 2.0)}),
]  # fmt: skip

FLIPS = {"sigma": 1.0, "dt": 0.1, "steps": 2}
WALK = {"key": KEYS, "sigma": POSITIVE, "dt": DURATION, "h": POSITIVE}
WALK |= {"steps": (*COUNT, None, 2**31, 10**30), "x0": (*REAL, None)}
WALK |= {"drift": (*REAL, None, _ones(3), lambda: 1.0, lambda x: 1j * x)}

RUNS = [
    *[Subject(f.__name__, f, {"board": BOARD, "dt": 0.5},
              {"board": THING, "dt": DURATION})
      for f in (thermo.propagator, thermo.modes)],
    *[Subject(f.__name__, _stepped(f), {"key": KEY, "stepper": STEP, "n_samples": 10},
              RUN | {"stepper": THING}) for f in (thermo.trajectory, thermo.moments)],
    Subject("observe", _stepped(thermo.observe),
            {"key": KEY, "stepper": STEP, "observers": thermo.Moments(),
             "n_samples": 10},
            RUN | {"stepper": THING, "observers": (*THING, (), thermo.Moments),
                   "convert": (3, "adc"), "chunk": COUNT}),
    Subject("Correlations", lambda lags: observers.measure(
                thermo.Correlations(lags), V), {"lags": 1},
            {"lags": (*COUNT[:-3], None, -1, -(2**31))}),
    Subject("Autocovariance", observers.Autocovariance, {"lags": 1},
            {"lags": (*COUNT[:-3], None, -1)}),
    Subject("Spectrum", thermo.Spectrum, {"segment": 4, "dt": 0.5},
            {"segment": (*COUNT, None, 2, 5), "dt": DURATION}),
    Subject("measure", observers.measure, {"observer": thermo.Moments(), "v": V},
            {"observer": (*THING, thermo.Moments),
             "v": (*SAMPLES, 3.0, ONES, _ones((2, 2, 2)), _ones((0, 2)))}),
    Subject("observers.effective_samples", observers.effective_samples,
            {"autocovariance": V[:, None, :1], "n_samples": 10},
            {"n_samples": (*COUNT, None),
             "autocovariance": (*SAMPLES, V, 3.0, _zeros((4, 1, 1)),
                                np.zeros((0, 2, 2)), _ones((3, 1, 2)))}),
    Subject("simulate", simulate.simulate,
            {"key": KEY, "board": BOARD, "ts": TS, "steps": 2},
            SIMULATE | {"max_steps": (*COUNT, None), "controller": (3, "PID")}),
    Subject("simulate_differentiable", simulate.simulate_differentiable,
            {"key": KEY, "board": BOARD, "ts": TS, "steps": 2}, SIMULATE),
    Subject("simulate.observe", simulate.observe,
            {"key": KEY, "board": BOARD, "observers": thermo.Moments(), "ts": TS,
             "steps": 2},
            SIMULATE | {"observers": (*THING, ()), "chunk": (*COUNT, None),
                        "burn_in": (*COUNT[:-3], None, -1, 5)}),
    Subject("substeps", simulate.substeps, {"board": BOARD, "ts": TS},
            {"board": THING, "ts": INSTANTS}),
    Subject("default_solver", simulate.default_solver, {"board": BOARD},
            {"board": THING}),
    *[Subject(f.__name__, f, good | {"key": KEY, "drift": 0.5, "x0": ONES},
              {n: k for n, k in WALK.items() if n != "h" or "h" in good})
      for f, good in ((lattice_walk.lattice_walk, FLIPS | {"h": 0.5}),
                      (lattice_walk.lattice_trajectory, FLIPS | {"h": 0.5}),
                      (lattice_walk.coin_walk, FLIPS))],
]  # fmt: skip


KNOWN = (None, 3, "noise", b"noise", {}, 1.5, ("nope",), ("noise", ""), (3,), object())
LONG = np.random.default_rng(0).normal(size=(1024, 2))
FOUND = identify.Identified(
    boards=(BOARD,),
    sought=components([BOARD]),
    nominal=np.ones(8),
    log_factors=np.zeros(8),
    information=1e4 * np.eye(8),
    log_likelihood=0.0,
    converged=True,
)
IDENTIFIED = [
    *[Subject(f.__name__, lambda f=f, **a: f(**a).log_factors,
              {"boards": BOARD, "traces": v, "dt": 0.5},
              {"boards": (*THING, [], [BOARD]), "dt": DURATION, "known": KNOWN,
               "traces": (*SAMPLES, 3.0, ONES, _ones((5, 3)), _ones((1, 2)),
                          _zeros((5, 2))),
               "nodes": (3, "ab", (), (2,), (-1,), (0, 0), (0.5,), 1.5),
               "readout_noise": (*(x for x in POSITIVE if x is not None),
                                 *NUMBER[1:])})
      for f, v in ((identify.identify, V), (identify.identify_spectra, LONG))],
    Subject("identify_covariances",
            lambda **a: identify.identify_covariances(**a).log_factors,
            {"boards": BOARD, "covariances": D, "n_samples": 5},
            {"boards": (*THING, [], [BOARD]), "known": KNOWN,
             "covariances": (*DEFINITE, _eye(3)), "n_samples": (*COUNT, None, 1)}),
    Subject("calibrated", lambda **a: identify.calibrated(**a).covariance,
            {"board": BOARD, "found": FOUND},
            {"board": THING, "found": (*THING, BOARD),
             "target": (*(v for v in DEFINITE if v is not None), _eye(3))}),
]  # fmt: skip


NETWORK = generative.QuarticNetwork(coupling=APART, bias=_ones(1))
ROWS = (*NOT_REAL, None, NAN, 3.0, ONES, _ones((3, 3)), _full((3, 2), NAN),
        _ones((2, 2, 2)))  # fmt: skip
PATHS = (*ROWS, _ones((1, 2)), _zeros((0, 2)))
ON_PATH = {"network": (*THING, BOARD), "path": PATHS, "dt": DURATION}
PATH = {"network": NETWORK, "path": V, "dt": 1e-3}
DRIVE = (*NOT_REAL, 3.0, _ones(3), _full(2, NAN), _ones((2, 2)))
TWO = {"n_visible": (*COUNT, None), "n_hidden": (*COUNT, None)}
GENERATIVE = [
    Subject("QuarticNetwork",
            lambda **a: generative.heat(generative.QuarticNetwork(**a), V, V),
            {"coupling": APART, "bias": _ones(1)},
            {"coupling": (*SYMMETRIC, D, _eye(3)), "bias": (*CELLS[-3:], ONES, "a"),
             "quadratic": (*REAL, None, _ones(3)),
             "quartic": DURATION, "temperature": DURATION, "mobility": DURATION}),
    Subject("untrained", generative.untrained, {"n_visible": 2, "n_hidden": 1}, TWO),
    Subject("projection", generative.projection,
            {"key": KEY, "n_visible": 2, "n_hidden": 1}, TWO | {"key": KEYS}),
    Subject("driving", generative.driving, {"image": jnp.array([0.0, 1.0]), "seen": D},
            {"image": (*NOT_REAL, NAN, 3.0, _ones(3), _full(2, NAN)),
             "seen": (*NOT_REAL, NAN, 3.0, ONES, _ones((3, 2)), BROKEN[0])}),
    Subject("noising", generative.noising,
            {"key": KEY, "network": NETWORK, "drive": ONES, "dt": 1e-3, "steps": 2},
            {"key": KEYS, "network": (*THING, BOARD), "drive": (*DRIVE, None),
             "dt": DURATION, "steps": (*COUNT, None)}),
    *[Subject(f.__name__, f, PATH, ON_PATH)
      for f in (generative.loss, generative.slope, generative.sums)],
    *[Subject(f.__name__, f, PATH | {"rate": 1e-3}, ON_PATH | {"rate": DURATION})
      for f in (generative.batch_update, generative.online_updates)],
    Subject("log_path_ratio", generative.log_path_ratio, PATH,
            ON_PATH | {"drive": DRIVE}),
    Subject("path_heat", generative.path_heat, {"network": NETWORK, "path": V},
            {"network": (*THING, BOARD), "path": PATHS}),
    Subject("heat", generative.heat, {"network": NETWORK, "start": V, "end": V},
            {"network": (*THING, BOARD), "start": ROWS, "end": ROWS}),
    Subject("optimum", generative.optimum,
            {"network": NETWORK, "of": generative.sums(NETWORK, V, 1e-3)},
            {"network": (*THING, BOARD), "of": THING, "error": DURATION,
             "most": (*COUNT, None)}),
    Subject("generate", generative.generate,
            {"key": KEY, "network": NETWORK, "n_samples": 2, "dt": 1e-3, "steps": 2},
            {"key": KEYS, "network": (*THING, BOARD), "n_samples": (*COUNT, None),
             "dt": DURATION, "steps": (*COUNT, None)}),
]  # fmt: skip


def _updated(kind):
    """The update of a gradient under the curvature 2."""

    def call(curvature=_doubled, **arguments):
        tx = kind(**arguments)
        return tx.update(ONES, tx.init(ONES), curvature=curvature)[0]

    return call


def _doubled(v):
    return 2 * v


AGAIN = {"damping": NOT_NEGATIVE + NUMBER[1:], "curvature": (3, None, "a", M)}
WAITED = AGAIN | {"key": KEYS, "time": NOT_NEGATIVE + NUMBER,
                  "noise": NOT_NEGATIVE + NUMBER, "relaxation": THING}  # fmt: skip
GRADIENTS = [
    Subject("relaxed", _updated(natural_gradient.relaxed), {"key": KEY, "time": 1.0},
            WAITED),
    Subject("running", _updated(natural_gradient.running), {"key": KEY, "time": 1.0},
            WAITED | {"delay": NOT_NEGATIVE + NUMBER}),
    Subject("solved", _updated(natural_gradient.solved), {},
            AGAIN | {"iterations": (*COUNT, None), "tolerance": DURATION}),
    Subject("longest_step", natural_gradient.longest_step,
            {"curvature": _doubled, "params": ONES, "key": KEY},
            {"curvature": (3, None, "a", M), "key": KEYS, "iterations": (*COUNT, None),
             "damping": NOT_NEGATIVE + NUMBER}),
    Subject("Euler", lambda step: _updated(natural_gradient.relaxed)(
                key=KEY, time=1.0, relaxation=natural_gradient.Euler(step=step)),
            {"step": 0.5}, {"step": DURATION}),
]  # fmt: skip


UNIT = jnp.array([[0.25, 0.75], [0.5, 0.5]])
LINE = (*LAGS[:-2], jnp.array([NAN]), jnp.array([INF]))
WANTED = inference.Information(D, ONES)
INFORMATION = (*THING, *(inference.Information(p, ONES) for p in DEFINITE),
               *(inference.Information(D, v) for v in VECTOR))  # fmt: skip
SCALES = {"length": DURATION, "variance": DURATION}
RAMP = jnp.array([0.0, 1.0])
REGRESSION = {"inputs": ROWS, "precision": DEFINITE, "mean": DRIVE[:-1]}
TABLE = (*NOT_REAL, None, NAN, 3.0, ONES, _full((2, 2), NAN), _ones((2, 2, 2)))


@cache
def _held():
    held = inference.hold_doubled(D)
    return held, thermo.program_precision(held.matrix)


def _posterior(held=STEP, made=STEP, **a):
    own = _held()
    held, made = (o if x is STEP else x for x, o in zip((held, made), own, strict=True))
    return inference.posterior(held=held, made=made, **a)


INFERENCE = [
    *[Subject(f.__name__, f, {"first": ONES, "second": RAMP},
              SCALES | {"first": LINE, "second": LINE})
      for f in (inference.exponential, inference.squared_exponential)],
    Subject("exponential_precision", inference.exponential_precision, {"points": RAMP},
            SCALES | {"points": (*LINE, ONES, RAMP[::-1])}),
    Subject("condition", inference.condition,
            {"precision": D, "values": ONES, "noise": ONES},
            {"precision": DEFINITE, "values": VECTOR,
             "noise": (*NOT_REAL, *spoil.NEGATIVE, *spoil.ZERO, NAN, None, _ones(3))}),
    Subject("linear_regression", inference.linear_regression,
            {"inputs": V, "values": _ones(4), "noise": 1.0, "precision": D},
            REGRESSION | {"values": VECTOR, "noise": DURATION}),
    Subject("law", inference.law, {"information": WANTED},
            {"information": INFORMATION}),
    Subject("hold", inference.hold, {"precision": M}, {"precision": (*DEFINITE, D)}),
    Subject("hold_doubled", inference.hold_doubled, {"precision": D, "growth": 1.0},
            {"precision": DEFINITE, "growth": (*DURATION, 0.5)}),
    Subject("least_growth", inference.least_growth, {"precision": D},
            {"precision": DEFINITE}),
    Subject("posterior", _posterior,
            {"key": KEY, "information": WANTED, "n_samples": 9, "interval": 0.5},
            {"key": KEYS, "information": INFORMATION, "held": THING, "made": THING,
             "n_samples": (*COUNT, None, 1),
             "interval": (*spoil.NEGATIVE, *spoil.ZERO, *NUMBER, NAN, INF),
             "board": (3, "board", 1.5, BOARD)}),
    Subject("inference.relaxed", inference.relaxed,
            {"key": KEY, "information": WANTED, "time": 9.0, "reads": 9},
            {"key": KEYS, "information": INFORMATION, "time": DURATION,
             "reads": (*COUNT, None, 1)}),
    Subject("logistic_board",
            lambda **a: inference.logistic_board(**a).log_posterior(ONES),
            {"inputs": V, "labels": _zeros(4), "precision": D},
            REGRESSION | {"labels": (*VECTOR, 0.5 * _ones(4))}),
    Subject("laplace", inference.laplace,
            {"board": inference.LogisticBoard(
                inputs=V, labels=_zeros(4), precision=D, mean=ONES)},
            {"board": (*THING, BOARD)}),
    Subject("random_features", inference.random_features,
            {"key": KEY, "n_inputs": 2, "n_features": 3},
            {"key": KEYS, "n_inputs": (*COUNT, None), "n_features": (*COUNT, None),
             "length": DURATION}),
    Subject("last_layer_precision", inference.last_layer_precision,
            {"features": D, "probabilities": UNIT, "prior": 1.0},
            {"features": (*TABLE, _ones((3, 2))), "prior": DURATION,
             "probabilities": (*TABLE, _ones((3, 2)), -UNIT, 2 * UNIT)}),
    Subject("decorrelated", inference.decorrelated, {"features": V},
            {"features": TABLE}),
    Subject("predictive_variance", inference.predictive_variance,
            {"features": V, "covariance": D[None]},
            {"features": (*TABLE, _ones((2, 3))),
             "covariance": (*NOT_REAL, None, 3.0, D, _full((1, 2, 2), NAN),
                            _ones((1, 2, 3)))}),
    Subject("mean_field", inference.mean_field, {"logits": ONES, "variance": ONES},
            {"logits": (*REAL, None, _ones(3)), "variance": (*REAL, None, _ones(3))}),
]  # fmt: skip

TASK = {"board": scaling.Board(), "machine": scaling.Machine(), "d": 10.0}
ON_TASK = {"board": (*THING, scaling.Machine()), "machine": (*THING, scaling.Board()),
           "d": POSITIVE}  # fmt: skip
SAMPLES_OF = {"n_samples": POSITIVE}
CONSTANT = POSITIVE + NUMBER
OR_NONE = NOT_NEGATIVE + NUMBER
OR_INFINITE = NOT_REAL + spoil.NEGATIVE + spoil.ZERO + NUMBER + (NAN, -INF)
SCALING = [
    Subject("Board", lambda **a: scaling.sampling(scaling.Board(**a), 10.0, 10.0), {},
            {**dict.fromkeys(("bits", "channel_rate", "interval", "power"), CONSTANT),
             **dict.fromkeys(("settling", "cell_power", "conversion_energy",
                              "accumulation_energy"), OR_NONE),
             "accumulation_rate": OR_INFINITE}),
    Subject("Machine", lambda **a: scaling.sampling(scaling.Machine(**a), 10.0, 10.0),
            {},
            {**dict.fromkeys(("factor_rate", "product_rate", "power"), CONSTANT),
             **dict.fromkeys(("overhead", "idle"), OR_NONE),
             "normal_rate": OR_INFINITE}),
    *[Subject(f.__name__, f, {"of": scaling.Board(), "d": 10.0, name: 0.5},
              {"of": (*THING, BOARD), "d": POSITIVE, name: POSITIVE})
      for f, name in ((scaling.sampling, "n_samples"), (scaling.inversion, "error"))],
    Subject("samples_for", scaling.samples_for, {"d": 10.0, "error": 0.5},
            {"d": POSITIVE, "error": POSITIVE}),
    *[Subject(f.__name__, f, TASK | {"n_samples": 10.0}, ON_TASK | SAMPLES_OF)
      for f in (scaling.speedup, scaling.break_even_power)],
    Subject("inversion_speedup", scaling.inversion_speedup, TASK | {"error": 0.5},
            ON_TASK | {"error": POSITIVE}),
    Subject("crossover", scaling.crossover,
            {k: TASK[k] for k in ("board", "machine")} | {"n_samples": 10.0},
            {k: ON_TASK[k] for k in ("board", "machine")}
            | {"n_samples": POSITIVE + NUMBER}),
    Subject("standby_budget", scaling.standby_budget,
            TASK | {"n_samples": 10.0, "rate": 1.0},
            ON_TASK | SAMPLES_OF | {"rate": POSITIVE}),
]  # fmt: skip


BIPARTITE = denoising.two_colours([0, 1])
SPIN_PAIR = denoising.BoltzmannMachine(coupling=APART, bias=_ones(2))
CHAIN = denoising.Chain(coupling=APART[None], bias=_ones((1, 2)), retention=_zeros(1),
                        n_visible=1)  # fmt: skip
UP = _ones((3, 2))
SPINS = (*NOT_REAL, None, NAN, 3.0, ONES, _ones((3, 3)), 0.5 * UP, _zeros((3, 2)),
         _ones((2, 2, 2)))  # fmt: skip
NO_LAW = (*NOT_REAL, None, NAN, 1.0, ONES, _ones(3) / 3, -ONES / 2)
GRAPHS = (*THING, denoising.grid(4), denoising.Graph(D, np.array([0, 1])))
RETAINED = (*NOT_NEGATIVE, 1.5)
COUNTED = (*COUNT, None)
DENOISING = [
    Subject("BoltzmannMachine",
            lambda **a: denoising.probabilities(denoising.BoltzmannMachine(**a)),
            {"coupling": APART, "bias": _ones(2)},
            {"coupling": (*SYMMETRIC, D, _eye(3)),
             "bias": (*NOT_REAL, NAN, 3.0, _full(2, NAN), _ones((2, 2)))},
            {"bias": "coupling"}),
    Subject("Chain",
            lambda **a: denoising.losses(denoising.Chain(**a), ONES / 2),
            {"coupling": APART[None], "bias": _ones((1, 2)), "retention": _zeros(1),
             "n_visible": 1},
            {"coupling": (*NOT_REAL, APART, D[None], _ones((2, 2, 2))),
             "bias": (*NOT_REAL, ONES, _full((1, 2), NAN), _ones((1, 2, 2))),
             "retention": (*NOT_REAL, 0.0, _ones(1), -_ones(1), _zeros(2)),
             "n_visible": (*COUNTED, 3)}),
    *[Subject(f.__name__, f, {"retention": 0.5, "levels": 2},
              {"retention": RETAINED, "levels": (*COUNTED, 1)})
      for f in (denoising.keep_probability, denoising.jump_energy)],
    Subject("states", denoising.states, {"n": 2}, {"n": (*COUNTED, 15)}),
    Subject("probabilities", denoising.probabilities, {"machine": SPIN_PAIR},
            {"machine": (*THING, CHAIN), "field": (*REAL, None, _ones(3))}),
    Subject("kernel", denoising.kernel, {"machine": SPIN_PAIR, "graph": BIPARTITE},
            {"machine": (*THING, CHAIN), "graph": GRAPHS,
             "field": (*REAL, None, _ones(3))}),
    Subject("gibbs", denoising.gibbs,
            {"key": KEY, "machine": SPIN_PAIR, "graph": BIPARTITE, "spins": UP,
             "sweeps": 1},
            {"key": KEYS, "machine": (*THING, CHAIN), "graph": GRAPHS, "spins": SPINS,
             "sweeps": COUNTED, "field": (*REAL, None, _ones(3)),
             "n_held": (*spoil.NOT_WHOLE, -1, 2)}),
    Subject("slope", denoising.slope, {"graph": BIPARTITE, "held": UP, "free": UP},
            {"graph": (*THING, GRAPHS[-1]), "held": SPINS, "free": SPINS}),
    Subject("losses", denoising.losses, {"chain": CHAIN, "law": ONES / 2},
            {"chain": (*THING, SPIN_PAIR), "law": NO_LAW}),
    Subject("exact_slopes", denoising.exact_slopes,
            {"chain": CHAIN, "graph": BIPARTITE, "law": ONES / 2},
            {"chain": (*THING, SPIN_PAIR), "graph": GRAPHS, "law": NO_LAW}),
    Subject("generated_law", denoising.generated_law,
            {"chain": CHAIN, "graph": BIPARTITE, "sweeps": 1},
            {"chain": (*THING, SPIN_PAIR), "graph": GRAPHS, "sweeps": COUNTED}),
    Subject("denoising.generate", denoising.generate,
            {"key": KEY, "chain": CHAIN, "graph": BIPARTITE, "n_samples": 2,
             "sweeps": 1},
            {"key": KEYS, "chain": (*THING, SPIN_PAIR), "graph": GRAPHS,
             "n_samples": COUNTED, "sweeps": COUNTED}),
    Subject("noised", denoising.noised,
            {"key": KEY, "chain": CHAIN, "image": UP[:, :1]},
            {"key": KEYS, "chain": (*THING, SPIN_PAIR), "image": (*SPINS, UP)}),
    Subject("denoising.untrained", denoising.untrained,
            {"n_steps": 1, "n_spins": 2, "n_visible": 1},
            {"n_steps": COUNTED, "n_spins": COUNTED, "n_visible": (*COUNTED, 3)}),
    Subject("two_colours", denoising.two_colours, {"colour": [0, 1]},
            {"colour": (*NOT_REAL, None, NAN, 1.0, [0, 0], [0, 2], [[0, 1]])}),
    Subject("grid", denoising.grid, {"side": 4, "rules": [(0, 1)]},
            {"side": (*COUNTED, 3), "rules": (3, None, "ab", [(1, 1)], [(0.5, 0.5)])}),
    Subject("from_thrml",
            lambda **a: denoising.from_thrml(denoising.Thrml(**a)),
            {"biases": [0.0, 1.0], "edges": [[0, 1]], "weights": [1.0], "beta": 1.0},
            {"biases": (*NOT_REAL, None, NAN, [NAN, 1.0], [[1.0, 1.0]]),
             "edges": (*NOT_REAL[:6], None, [[0, 2]], [[-1, 0]], [[1, 1]],
                       [[0.0, 1.0]]),
             "weights": (*NOT_REAL, None, [NAN], [1.0, 1.0]), "beta": DURATION}),
    Subject("to_thrml", denoising.to_thrml, {"machine": SPIN_PAIR},
            {"machine": (*THING, CHAIN), "beta": DURATION}),
    Subject("sample_energy", denoising.sample_energy,
            {"prices": denoising.Prices(), "n_steps": 1, "n_spins": 2, "n_visible": 1,
             "sweeps": 3},
            {"prices": THING, "n_steps": COUNTED, "n_spins": COUNTED,
             "n_visible": COUNTED, "sweeps": COUNTED,
             "samples_per_write": OR_INFINITE}),
    Subject("Prices",
            lambda **a: denoising.sample_energy(
                denoising.Prices(**a), n_steps=1, n_spins=2, n_visible=1, sweeps=3),
            {}, dict.fromkeys(("update", "read", "write"), OR_NONE)),
]  # fmt: skip


def subjects() -> list[Subject]:
    """Everything public that takes an argument."""
    every = [*BOARDS, *LAWS, *LINALG, *RUNS, *IDENTIFIED, *GENERATIVE, *GRADIENTS]
    return [*every, *INFERENCE, *SCALING, *DENOISING]


def real_arguments() -> Iterator[tuple[Subject, str]]:
    """Every argument that is of real numbers and can be in another precision."""
    for subject in subjects():
        for argument, bad in subject.kinds.items():
            if argument in subject.good and any(v is NOT_REAL[6] for v in bad):
                real_array(argument, subject.good[argument])
                yield subject, argument


def extremes() -> Iterator[tuple[Subject, str, Any]]:
    """Numbers that are allowed, and so large or small that something may overflow."""
    for subject, argument in real_arguments():
        value = np.asarray(subject.good[argument], float)
        for size in (1e-35, 1e-20, 1e20, 1e35):
            yield subject, argument, jnp.asarray(value * size)


def overflow(subject: Subject, argument: str, value: Any) -> str | None:
    """What is wrong with how an extreme value was taken; None if right or refused."""
    where = f"{subject.name}({argument}={value.ravel()[:2]}...)"
    try:
        found = subject.call(**{**subject.good, argument: value})
    except (ValueError, TypeError) as error:
        words = " ".join(str(error).split())
        return None if "=" in words or ":" in words else f"{where} is refused: {words}"
    except Exception as error:
        return f"{where} ends in {type(error).__name__}: {error}"
    if not getattr(found, "healthy", True):
        return None  # said in so many words
    sums = [np.asarray(x).sum() for x in jax.tree.leaves(found) if hasattr(x, "dtype")]
    return None if np.isfinite(sums).all() else f"{where} is accepted: {found}"


def faults(seed: int, count: int) -> Iterator[str]:
    """A line for every one of `count` bad inputs that was not refused by name.

    Every tenth is no bad one but extreme: it may be refused, or have a finite answer.
    """
    draw = random.Random(seed)
    far = list(extremes())
    for i, one in enumerate(spoilt(subjects(), seed, count)):
        wrong = overflow(*draw.choice(far)) if i % 10 == 9 else fault(*one)
        if wrong:
            yield wrong
