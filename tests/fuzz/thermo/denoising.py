"""Chains of Boltzmann machines."""

import numpy as np

from tests.fuzz import spoil
from tests.fuzz.spoil import NAN, Subject
from tests.fuzz.thermo.values import (
    APART,
    COUNT,
    DURATION,
    KEY,
    KEYS,
    NOT_NEGATIVE,
    NOT_REAL,
    ONES,
    OR_INFINITE,
    OR_NONE,
    REAL,
    SYMMETRIC,
    THING,
    D,
    eye,
    full,
    ones,
    zeros,
)
from thermo import denoising

BIPARTITE = denoising.two_colours([0, 1])
SPIN_PAIR = denoising.BoltzmannMachine(coupling=APART, bias=ones(2))
CHAIN = denoising.Chain(coupling=APART[None], bias=ones((1, 2)), retention=zeros(1),
                        n_visible=1)  # fmt: skip
UP = ones((3, 2))
SPINS = (*NOT_REAL, None, NAN, 3.0, ONES, ones((3, 3)), 0.5 * UP, zeros((3, 2)),
         ones((2, 2, 2)))  # fmt: skip
NO_LAW = (*NOT_REAL, None, NAN, 1.0, ONES, ones(3) / 3, -ONES / 2)
GRAPHS = (*THING, denoising.grid(4), denoising.Graph(D, np.array([0, 1])))
RETAINED = (*NOT_NEGATIVE, 1.5)
COUNTED = (*COUNT, None)
DENOISING = [
    Subject("BoltzmannMachine",
            lambda **a: denoising.probabilities(denoising.BoltzmannMachine(**a)),
            {"coupling": APART, "bias": ones(2)},
            {"coupling": (*SYMMETRIC, D, eye(3)),
             "bias": (*NOT_REAL, NAN, 3.0, full(2, NAN), ones((2, 2)))},
            {"bias": "coupling"}),
    Subject("Chain",
            lambda **a: denoising.losses(denoising.Chain(**a), ONES / 2),
            {"coupling": APART[None], "bias": ones((1, 2)), "retention": zeros(1),
             "n_visible": 1},
            {"coupling": (*NOT_REAL, APART, D[None], ones((2, 2, 2))),
             "bias": (*NOT_REAL, ONES, full((1, 2), NAN), ones((1, 2, 2))),
             "retention": (*NOT_REAL, 0.0, ones(1), -ones(1), zeros(2)),
             "n_visible": (*COUNTED, 3)}),
    *[Subject(f.__name__, f, {"retention": 0.5, "levels": 2},
              {"retention": RETAINED, "levels": (*COUNTED, 1)})
      for f in (denoising.keep_probability, denoising.jump_energy)],
    Subject("states", denoising.states, {"n": 2}, {"n": (*COUNTED, 15)}),
    Subject("probabilities", denoising.probabilities, {"machine": SPIN_PAIR},
            {"machine": (*THING, CHAIN), "field": (*REAL, None, ones(3))}),
    Subject("kernel", denoising.kernel, {"machine": SPIN_PAIR, "graph": BIPARTITE},
            {"machine": (*THING, CHAIN), "graph": GRAPHS,
             "field": (*REAL, None, ones(3))}),
    Subject("gibbs", denoising.gibbs,
            {"key": KEY, "machine": SPIN_PAIR, "graph": BIPARTITE, "spins": UP,
             "sweeps": 1},
            {"key": KEYS, "machine": (*THING, CHAIN), "graph": GRAPHS, "spins": SPINS,
             "sweeps": COUNTED, "field": (*REAL, None, ones(3)),
             "n_held": (*spoil.NOT_WHOLE, -1, 2)}),
    Subject("slope", denoising.slope, {"graph": BIPARTITE, "held": UP, "free": UP},
            {"graph": (*THING, GRAPHS[-1]), "held": SPINS, "free": SPINS}),
    Subject("correlation_slope", denoising.correlation_slope,
            {"graph": BIPARTITE, "free": UP},
            {"graph": (*THING, GRAPHS[-1]), "free": (*SPINS, UP[:1])}),
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
