"""Which cells of a board are joined by couplers."""

from typing import Any

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import scipy.spatial
from jaxtyping import Array, Bool, Float, Key

from experiments.thermodynamic.best_network import best_network
from experiments.thermodynamic.machine import Matrix

WIRINGS = ("band", "grid", "random", "chosen")


def allowed(point: Any, covariance: Matrix, key: Key[Array, ""]) -> Bool[Array, "d d"]:
    """Which cells may be joined.

    Args:
        point: `wiring`, and what it asks for: `reach`, `degree`, `rows`, `columns`,
            `steps`; numbers that decide no shape may be traced.
        covariance: of the Gaussian wanted.
        key: of a random wiring.
    """
    if point.wiring in ("band", "grid"):
        apart = _apart(point)
        return (apart <= point.reach) & (apart > 0)
    weights = jr.uniform(key, covariance.shape)
    if point.wiring == "chosen":
        whole = jnp.ones(covariance.shape, bool)
        weights = -best_network(covariance, whole, point.steps).precision
    d = len(weights)
    rows, columns = jnp.triu_indices(d, 1)
    rank = jnp.argsort(jnp.argsort(-weights[rows, columns]))
    best = rank.astype(jnp.float32) < jnp.floor(d * point.degree / 2)
    mask = jnp.zeros((d, d), bool).at[rows, columns].set(best)
    return mask | mask.T


def _apart(point: Any) -> Float[np.ndarray, "d d"]:
    """From cell to cell over the grid; of a band it is a single row."""
    cells = np.arange(point.rows * point.columns)
    columns = point.columns if point.wiring == "grid" else len(cells)
    nodes = np.stack(np.divmod(cells, columns), -1)
    return scipy.spatial.distance.cdist(nodes, nodes).astype(np.float32)
