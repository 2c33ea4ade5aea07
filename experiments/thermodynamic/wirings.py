"""Which cells of a board are joined by couplers."""

from typing import Any

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Float, Key

from experiments.thermodynamic.best_network import best_network

WIRINGS = ("all-to-all", "band", "grid4", "grid8", "random", "chosen")


def allowed(
    point: Any, covariance: Float[Array, "d d"], key: Key[Array, ""]
) -> Bool[Array, "d d"]:
    """Which cells may be joined.

    Args:
        point: `wiring`, and what it asks for: `neighbours`, `degree`, `rows`,
            `columns`, `steps`; numbers that decide no shape may be traced.
        covariance: of the Gaussian wanted.
        key: of a random wiring.
    """
    if point.wiring in ("random", "chosen"):
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
    apart, down, across = (jnp.asarray(x, jnp.float32) for x in _steps(point))
    near = {
        "all-to-all": apart >= 0,
        "band": apart <= point.neighbours,
        "grid4": down + across <= 1,
        "grid8": jnp.maximum(down, across) <= 1,
    }[point.wiring]
    return near & (apart > 0)


def regular(config: Any) -> dict[str, np.ndarray]:
    """Regular patterns on a grid of `rows` and `columns`, with bands of `bands`."""
    apart, down, across = _steps(config)
    names = [f"band, {k} to each side" for k in config.bands]
    wirings = {n: apart <= k for n, k in zip(names, config.bands, strict=True)}
    wirings["grid, 4 neighbours"] = down + across <= 1
    wirings["grid, 8 neighbours"] = np.maximum(down, across) <= 1
    wirings["all-to-all"] = apart >= 0
    return {name: mask & (apart > 0) for name, mask in wirings.items()}


def strongest(weights: np.ndarray, degree: int) -> np.ndarray:
    """The couplers of largest weight, `degree` per cell on average."""
    d = len(weights)
    rows, columns = np.triu_indices(d, 1)
    best = np.argsort(-weights[rows, columns])[: d * degree // 2]
    mask = np.zeros((d, d), bool)
    mask[rows[best], columns[best]] = True
    return mask | mask.T


def _steps(of: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """From cell to cell: along the chain, down and across the grid."""
    row, column = np.divmod(np.arange(of.rows * of.columns), of.columns)
    down = np.abs(row[:, None] - row[None, :])
    across = np.abs(column[:, None] - column[None, :])
    apart = np.abs(np.subtract.outer(np.arange(len(row)), np.arange(len(row))))
    return apart, down, across
