"""Two moons: where a board finds the last layer of a classifier unsure."""

from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from chipsweep import Keys
from experiments.thermodynamic import machine, one_board
from experiments.thermodynamic.posteriors import read_doubled
from experiments.validate import Count, NonNegative, Positive
from thermo import inference

MOONS = {"map": ("y", "x"), "exact_map": ("y", "x"), "points": ("n", "xy")}
MOONS |= {"labels": ("n",)}
SIDE = np.linspace(-2.5, 3.5, 41), np.linspace(-2.0, 2.5, 41)
N_FEATURES = machine.N_CELLS
"""INFERRED: the published demonstration has eight dimensions."""


class Moons(one_board.Board):
    """What one map of two moons depends on.

    Attributes:
        length: of the features' kernel, in units of the plane.
        n_points: of both moons (structural).
        spread: standard deviation of the points about their arcs.
        interval: between samples, µs.
    """

    length: Positive = 0.8
    n_points: Count = 200
    spread: NonNegative = 0.15
    interval: Positive = machine.SAMPLING_INTERVAL


def moons(point: Any, keys: Keys) -> tuple[jax.Array, jax.Array]:
    """Points of two interleaved half circles, and which is whose."""
    n = point.n_points
    of_angle, of_spread = jr.split(jr.fold_in(keys.seed, 1))
    angle = np.pi * jr.uniform(of_angle, (n,))
    second = (jnp.arange(n) % 2).astype(jnp.float32)
    sign = 1 - 2 * second
    x = jnp.where(second == 1, 1 - jnp.cos(angle), jnp.cos(angle))
    y = sign * jnp.sin(angle) + 0.5 * second
    points = jnp.stack([x, y], 1) + point.spread * jr.normal(of_spread, (n, 2))
    return points, second


def simulate(point: Any, chip: Any, keys: Keys) -> dict[str, Any]:
    """Let one board sample the last layer of a classifier of two moons.

    Returns:
        `map`: standard deviation of the logit over the plane, by the board, and
        `exact_map`; `off`: rms difference over the rms of the exact; `points` and
        `labels`; `accuracy` on them; `growth` and `own_growth` of the diagonal, in the
        turned and in the features' own basis.
    """
    del chip
    points, labels = moons(point, keys)
    drawn = inference.random_features(
        jr.fold_in(keys.seed, 2), 2, N_FEATURES, length=point.length
    )
    phi = drawn(points)
    basis = inference.decorrelated(phi)
    logistic: Any = {"labels": labels, "precision": jnp.eye(N_FEATURES)}
    own = inference.laplace(inference.logistic_board(phi, **logistic))
    turned = inference.laplace(inference.logistic_board(phi @ basis, **logistic))
    components, noise = jr.split(keys.chip)
    read = read_doubled(point, (components, noise), turned)
    law = inference.law(turned)
    plane = jnp.stack(jnp.meshgrid(*SIDE), -1).reshape(-1, 2)
    seen = drawn(plane) @ basis
    both = jnp.stack([read.covariance, law.covariance])
    deviation = jnp.sqrt(jnp.maximum(inference.predictive_variance(seen, both), 0))
    off = jnp.mean((deviation[:, 0] - deviation[:, 1]) ** 2)
    maps = deviation.T.reshape(2, len(SIDE[1]), len(SIDE[0]))
    return {
        "map": maps[0],
        "exact_map": maps[1],
        "off": jnp.sqrt(off / jnp.mean(deviation[:, 1] ** 2)),
        "mean_off": jnp.sqrt(jnp.mean((seen @ (read.mean - law.mean)) ** 2)),
        "points": points,
        "labels": labels,
        "accuracy": jnp.mean((phi @ basis @ law.mean > 0) == (labels > 0)),
        "growth": inference.least_growth(turned.precision),
        "own_growth": inference.least_growth(own.precision),
    }
