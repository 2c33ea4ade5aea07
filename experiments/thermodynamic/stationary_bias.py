"""What a solver makes of a linear board's stationary law: exactly, without sampling.

On a linear board with additive noise one step of any diffrax solver is a linear map,

    z' = M z + W w + H h + K k,

of the state and of the Brownian increment w and Levy areas h, k, whose variances are
dt, dt/12 and dt/720. Its matrices are what it makes of unit vectors; the stationary
covariance solves S = M S M^T + Q.
"""

from typing import Any

import diffrax as dfx
import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jax.flatten_util import ravel_pytree

VARIANCES = (1.0, 1 / 12, 1 / 720)
"""Of the increment and the two Levy areas, in units of the step."""


class OneStep(dfx.AbstractBrownianPath):
    """A path over a single step, with prescribed increment and areas."""

    w: jax.Array
    h: jax.Array
    k: jax.Array
    levy_area: type = dfx.SpaceTimeTimeLevyArea
    t0: Any = -jnp.inf
    t1: Any = jnp.inf

    def evaluate(self, t0, t1=None, left=True, use_levy=False):
        """The increment, with its areas if they are asked for."""
        del left
        if t1 is None or not use_levy:
            return self.w
        return dfx.SpaceTimeTimeLevyArea(dt=t1 - t0, W=self.w, H=self.h, K=self.k)


def linear_step(
    board: Any, solver: dfx.AbstractSolver, z0: Any, dt
) -> tuple[jax.Array, jax.Array]:
    """One step of a solver on a linear board, by feeding it unit vectors.

    Args:
        board: a linear board or its `LangevinModes`.
        solver: of diffrax.
        z0: a state, for its structure.
        dt: of the step, µs.

    Returns:
        M and Q, each `(n, n)`.
    """
    rest, unravel = ravel_pytree(jax.tree.map(jnp.zeros_like, z0))
    d, start = board.n_cells, jnp.zeros((), rest.dtype)

    def step(z, w, h, k):
        terms = board.terms(OneStep(w=w, h=h, k=k))
        z = unravel(z)
        state = solver.init(terms, start, dt, z, None)
        z, *_ = solver.step(terms, start, dt, z, None, state, made_jump=False)
        return ravel_pytree(z)[0]

    inputs = jnp.eye(len(rest) + 3 * d, dtype=rest.dtype)
    parts = jnp.split(inputs, [len(rest), len(rest) + d, len(rest) + 2 * d], axis=1)
    columns = jax.vmap(step)(*parts).T
    variances = jnp.repeat(jnp.array(VARIANCES, rest.dtype), d) * dt
    gains = columns[:, len(rest) :]
    return columns[:, : len(rest)], (gains * variances[None, :]) @ gains.T


def stationary(step: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Covariance that x' = M x + noise settles to; infinite if it does not.

    Example:
        >>> float(stationary(np.array([[0.5]]), np.array([[3.0]]))[0, 0])
        4.0
    """
    if not np.abs(np.linalg.eigvals(step)).max() < 1:
        return np.full_like(noise, np.inf)
    return scipy.linalg.solve_discrete_lyapunov(step, noise, method="direct")
