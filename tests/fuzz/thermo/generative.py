"""Langevin computers that generate."""

import jax.numpy as jnp

from tests.fuzz.spoil import NAN, Subject
from tests.fuzz.thermo.values import (
    APART,
    BOARD,
    BROKEN,
    CELLS,
    COUNT,
    DRIVE,
    DURATION,
    KEY,
    KEYS,
    NOT_REAL,
    ONES,
    REAL,
    ROWS,
    SYMMETRIC,
    THING,
    D,
    V,
    eye,
    full,
    ones,
    zeros,
)
from thermo import generative

NETWORK = generative.QuarticNetwork(coupling=APART, bias=ones(1))
PATHS = (*ROWS, ones((1, 2)), zeros((0, 2)))
ON_PATH = {"network": (*THING, BOARD), "path": PATHS, "dt": DURATION}
PATH = {"network": NETWORK, "path": V, "dt": 1e-3}
TWO = {"n_visible": (*COUNT, None), "n_hidden": (*COUNT, None)}
GENERATIVE = [
    Subject("QuarticNetwork",
            lambda **a: generative.heat(generative.QuarticNetwork(**a), V, V),
            {"coupling": APART, "bias": ones(1)},
            {"coupling": (*SYMMETRIC, D, eye(3)), "bias": (*CELLS[-3:], ONES, "a"),
             "quadratic": (*REAL, None, ones(3)),
             "quartic": DURATION, "temperature": DURATION, "mobility": DURATION}),
    Subject("untrained", generative.untrained, {"n_visible": 2, "n_hidden": 1}, TWO),
    Subject("projection", generative.projection,
            {"key": KEY, "n_visible": 2, "n_hidden": 1}, TWO | {"key": KEYS}),
    Subject("driving", generative.driving, {"image": jnp.array([0.0, 1.0]), "seen": D},
            {"image": (*NOT_REAL, NAN, 3.0, ones(3), full(2, NAN)),
             "seen": (*NOT_REAL, NAN, 3.0, ONES, ones((3, 2)), BROKEN[0])}),
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
