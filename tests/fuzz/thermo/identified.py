"""Boards found from their traces."""

import numpy as np

from tests.fuzz.spoil import Subject
from tests.fuzz.thermo.values import (
    BOARD,
    COUNT,
    DEFINITE,
    DURATION,
    NUMBER,
    ONES,
    POSITIVE,
    SAMPLES,
    THING,
    D,
    V,
    eye,
    ones,
    zeros,
)
from thermo import identify
from thermo.identify.components import components

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
               "traces": (*SAMPLES, 3.0, ONES, ones((5, 3)), ones((1, 2)),
                          zeros((5, 2))),
               "nodes": (3, "ab", (), (2,), (-1,), (0, 0), (0.5,), 1.5),
               "readout_noise": (*(x for x in POSITIVE if x is not None),
                                 *NUMBER[1:])})
      for f, v in ((identify.identify, V), (identify.identify_spectra, LONG))],
    Subject("identify_covariances",
            lambda **a: identify.identify_covariances(**a).log_factors,
            {"boards": BOARD, "covariances": D, "n_samples": 5},
            {"boards": (*THING, [], [BOARD]), "known": KNOWN,
             "covariances": (*DEFINITE, eye(3)), "n_samples": (*COUNT, None, 1)}),
    Subject("calibrated", lambda **a: identify.calibrated(**a).covariance,
            {"board": BOARD, "found": FOUND},
            {"board": THING, "found": (*THING, BOARD),
             "target": (*(v for v in DEFINITE if v is not None), eye(3))}),
]  # fmt: skip
