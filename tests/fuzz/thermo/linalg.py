"""Linear algebra by waiting."""

from dataclasses import replace

import thermo
from tests.fuzz.spoil import Subject
from tests.fuzz.thermo.values import (
    COUNT,
    DEFINITE,
    DIFFUSION,
    DURATION,
    KEY,
    KEYS,
    MATRIX,
    NOT_NEGATIVE,
    NUMBER,
    ONES,
    POSITIVE,
    REAL,
    STABLE,
    STATE,
    THING,
    VECTOR,
    D,
    M,
    ones,
    zeros,
)
from thermo import linalg
from thermo.linalg import primitives

WAIT = {"key": KEYS, "time": DURATION, "start": STATE}
WAIT |= {"burn_in": (*NOT_NEGATIVE, *NUMBER[1:])}
ASK = {"key": KEY, "matrix": D, "time": 9.0}
READS = {"reads": (*COUNT, None, 1), "matrix": DEFINITE}
COUNT_FROM_0 = tuple(v for v in COUNT if not (isinstance(v, int) and v == 0))
_WRONG = primitives.Chip(conductance=ones((3, 3)), capacitance=ONES, noise=ONES)
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
INVERTIBLE = (*MATRIX, ones((2, 2)), zeros((2, 2)))
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
            {"matrix": DEFINITE, "rhs": (*REAL, None, ones(3)), "beta": DURATION}),
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
