"""Kinds of Gaussians (ASSUMED) that a network of couplers is asked for."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from experiments.thermodynamic import machine


def _dense(key, grid: Any):
    """Random couplers between all cells."""
    return jnp.linalg.inv(machine.random_matrix(key, grid.rows * grid.columns))


def _chain(key, grid: Any):
    """Ornstein-Uhlenbeck process at irregular times: exactly a chain."""
    times = jnp.cumsum(jr.uniform(key, (grid.rows * grid.columns,), minval=0.2))
    return jnp.exp(-jnp.abs(times[:, None] - times[None, :]))


def _distances(key, grid: Any):
    """Between points near the nodes of the grid, row by row."""
    nodes = jnp.divmod(jnp.arange(grid.rows * grid.columns), grid.columns)
    nodes = jnp.stack(nodes, -1).astype(jnp.float32)
    points = nodes + 0.3 * jr.uniform(key, nodes.shape)
    apart = points[:, None, :] - points[None, :, :]
    return jnp.sqrt(jnp.sum(apart**2, -1) + 1e-12)


def _plane(key, grid: Any):
    """Exponential kernel between points of a plane."""
    return jnp.exp(-_distances(key, grid) / 2)


def _smooth(key, grid: Any):
    """Squared-exponential kernel of a plane, and 10 % of noise."""
    distance = _distances(key, grid)
    return jnp.exp(-(distance**2) / 4) + 0.1 * jnp.eye(len(distance))


def _signs(key, grid: Any):
    """A Wishart matrix: correlations of both signs."""
    d = grid.rows * grid.columns
    factor = jr.normal(key, (d, 3 * d))
    return factor @ factor.T / (3 * d)


KINDS: dict[str, Callable[[Key[Array, ""], Any], machine.Matrix]] = {
    "random couplers": _dense,
    "Ornstein-Uhlenbeck chain": _chain,
    "exponential kernel, plane": _plane,
    "squared-exponential kernel": _smooth,
    "Wishart, both signs": _signs,
}


def one_of_each(key: Key[Array, ""], grid: Any) -> Float[Array, "kinds d d"]:
    """Covariances of all kinds, drawn on a grid of `rows` and `columns`."""
    keys = jr.split(key, len(KINDS))
    return jnp.stack([f(k, grid) for f, k in zip(KINDS.values(), keys, strict=True)])
