"""Which cells of a board are joined by couplers."""

from typing import Any

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Float, Key

from experiments.thermodynamic.best_network import best_network

WIRINGS = ("band", "grid", "random", "chosen")


def allowed(
    point: Any, covariance: Float[Array, "d d"], key: Key[Array, ""]
) -> Bool[Array, "d d"]:
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
    """From cell to cell: along the chain, or over the grid."""
    cells = np.arange(point.rows * point.columns)
    if point.wiring == "band":
        return np.abs(np.subtract.outer(cells, cells)).astype(np.float32)
    row, column = np.divmod(cells, point.columns)
    down, across = (np.subtract.outer(x, x) for x in (row, column))
    return np.hypot(down, across).astype(np.float32)
