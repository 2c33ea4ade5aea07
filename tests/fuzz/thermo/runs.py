"""Runs, what is seen of them, and walks on a lattice."""

from functools import cache

import numpy as np

import thermo
from tests.fuzz.spoil import NAN, Subject
from tests.fuzz.thermo.values import (
    BOARD,
    COUNT,
    DURATION,
    INSTANTS,
    KEY,
    KEYS,
    ONES,
    POSITIVE,
    REAL,
    SAMPLES,
    STATE,
    STEP,
    THING,
    TS,
    V,
    ones,
    zeros,
)
from thermo import (
    lattice_walk,
    observers,
    simulate,
)

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


FLIPS = {"sigma": 1.0, "dt": 0.1, "steps": 2}
WALK = {"key": KEYS, "sigma": POSITIVE, "dt": DURATION, "h": POSITIVE}
WALK |= {"steps": (*COUNT, None, 2**31, 10**30), "x0": (*REAL, None)}
WALK |= {"drift": (*REAL, None, ones(3), lambda: 1.0, lambda x: 1j * x)}

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
             "v": (*SAMPLES, 3.0, ONES, ones((2, 2, 2)), ones((0, 2)))}),
    Subject("observers.effective_samples", observers.effective_samples,
            {"autocovariance": V[:, None, :1], "n_samples": 10},
            {"n_samples": (*COUNT, None),
             "autocovariance": (*SAMPLES, V, 3.0, zeros((4, 1, 1)),
                                np.zeros((0, 2, 2)), ones((3, 1, 2)))}),
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
