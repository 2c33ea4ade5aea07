"""Regression and last layers."""

from functools import cache

import jax.numpy as jnp

import thermo
from tests.fuzz import spoil
from tests.fuzz.spoil import INF, NAN, Subject
from tests.fuzz.thermo.values import (
    BOARD,
    COUNT,
    DEFINITE,
    DRIVE,
    DURATION,
    KEY,
    KEYS,
    LAGS,
    NOT_REAL,
    NUMBER,
    ONES,
    REAL,
    ROWS,
    STEP,
    THING,
    VECTOR,
    D,
    M,
    V,
    full,
    ones,
    zeros,
)
from thermo import inference

UNIT = jnp.array([[0.25, 0.75], [0.5, 0.5]])
LINE = (*LAGS[:-2], jnp.array([NAN]), jnp.array([INF]))
WANTED = inference.Information(D, ONES)
INFORMATION = (*THING, *(inference.Information(p, ONES) for p in DEFINITE),
               *(inference.Information(D, v) for v in VECTOR))  # fmt: skip
SCALES = {"length": DURATION, "variance": DURATION}
RAMP = jnp.array([0.0, 1.0])
REGRESSION = {"inputs": ROWS, "precision": DEFINITE, "mean": DRIVE[:-1]}
TABLE = (*NOT_REAL, None, NAN, 3.0, ONES, full((2, 2), NAN), ones((2, 2, 2)))


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
             "noise": (*NOT_REAL, *spoil.NEGATIVE, *spoil.ZERO, NAN, None, ones(3))}),
    Subject("linear_regression", inference.linear_regression,
            {"inputs": V, "values": ones(4), "noise": 1.0, "precision": D},
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
            {"inputs": V, "labels": zeros(4), "precision": D},
            REGRESSION | {"labels": (*VECTOR, 0.5 * ones(4))}),
    Subject("laplace", inference.laplace,
            {"board": inference.LogisticBoard(
                inputs=V, labels=zeros(4), precision=D, mean=ONES)},
            {"board": (*THING, BOARD)}),
    Subject("random_features", inference.random_features,
            {"key": KEY, "n_inputs": 2, "n_features": 3},
            {"key": KEYS, "n_inputs": (*COUNT, None), "n_features": (*COUNT, None),
             "length": DURATION}),
    Subject("last_layer_precision", inference.last_layer_precision,
            {"features": D, "probabilities": UNIT, "prior": 1.0},
            {"features": (*TABLE, ones((3, 2))), "prior": DURATION,
             "probabilities": (*TABLE, ones((3, 2)), -UNIT, 2 * UNIT)}),
    Subject("decorrelated", inference.decorrelated, {"features": V},
            {"features": TABLE}),
    Subject("predictive_variance", inference.predictive_variance,
            {"features": V, "covariance": D[None]},
            {"features": (*TABLE, ones((2, 3))),
             "covariance": (*NOT_REAL, None, 3.0, D, full((1, 2, 2), NAN),
                            ones((1, 2, 3)))}),
    Subject("mean_field", inference.mean_field, {"logits": ONES, "variance": ONES},
            {"logits": (*REAL, None, ones(3)), "variance": (*REAL, None, ones(3))}),
]  # fmt: skip
