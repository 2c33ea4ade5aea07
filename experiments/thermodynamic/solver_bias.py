"""How far a solver shifts the covariance of the voltages: linear algebra, no noise."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.flatten_util import ravel_pytree

from experiments.thermodynamic.solvers import EXACT, SOLVERS, nominal, system
from experiments.thermodynamic.stationary_bias import linear_step, stationary
from thermo import propagate

BIAS = 0.01
"""Of the covariance, relative: as much as is tolerated."""


def bias(point: Any, chip: Any, rng: Any) -> dict[str, float]:
    """Relative error of the stationary voltage covariance, `bias`.

    Plain Python, in double precision but for the exact map; the `steps` of the
    `spu_solvers.Simulation` need not be whole.
    """
    del chip, rng
    (board, _), exact = nominal(point.batch, point.quality), point.solver == EXACT
    with jax.enable_x64(not exact):
        dtype = jnp.float32 if exact else jnp.float64
        board = jax.tree.map(lambda x: jnp.asarray(x, dtype), board)
        dt = jnp.asarray(point.interval / point.steps, dtype)
        made = board if exact else system(point.solver, board, dt)
        law = _law(point.solver)(made, dt)
        capacitance = np.asarray(board.capacitance(), float)
    step, noise, seen = (np.asarray(x, float) for x in law)
    return {"bias": off(stationary(step, noise), seen, np.linalg.inv(capacitance))}


@cache
def _law(name: str) -> Any:
    """One step of a solver, or of the exact map, and the voltages: their matrices."""

    def law(board, dt):
        start, unravel = ravel_pytree(board.rest())
        states = jax.vmap(unravel)(jnp.eye(len(start), dtype=start.dtype))
        seen = board.readout(states).T
        if name != EXACT:
            return *linear_step(board, SOLVERS[name](), board.rest(), dt), seen
        made = propagate.propagator(board, dt)
        return made.step, made.noise @ made.noise.T, seen

    return jax.jit(law)


def off(states: np.ndarray, read: np.ndarray, target: np.ndarray) -> float:
    """Relative error of the voltages' covariance; infinite if there is none."""
    if not np.all(np.isfinite(states)):
        return np.inf
    difference = read @ states @ read.T - target
    return float(np.linalg.norm(difference) / np.linalg.norm(target))


def needed(bias: xr.DataArray) -> xr.DataArray:
    """Fewest steps per sample from which on the bias stays below `BIAS`."""
    level, steps = np.log(BIAS), np.log(bias.steps.to_numpy())

    def first(row: np.ndarray) -> float:
        above = np.flatnonzero(row > level)
        if not len(above):
            return np.exp(steps[0])
        if above[-1] + 1 == len(row):
            return np.nan
        ends = [above[-1] + 1, above[-1]]
        return np.exp(np.interp(level, row[ends], steps[ends]))

    logs, core = np.log(bias.clip(1e-12, 1e6)), [["steps"]]
    found = xr.apply_ufunc(first, logs, input_core_dims=core, vectorize=True)
    return found.where(found.solver != EXACT, 1.0)
