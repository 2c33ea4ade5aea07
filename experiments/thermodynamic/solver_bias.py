"""How far a solver shifts the covariance of the voltages: linear algebra, no noise."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from experiments.thermodynamic.solvers import EXACT, SOLVERS, UNDERDAMPED, nominal
from experiments.thermodynamic.stationary_bias import linear_step, stationary
from thermo import propagate
from thermo.langevin import LangevinModes, langevin_modes

BIAS = 0.01
"""Of the covariance, relative: as much as is tolerated."""


def bias(point: Any, chip: Any, rng: Any) -> dict[str, float]:
    """Relative error of the stationary voltage covariance, `bias`.

    Plain Python, in double precision but for the exact map; the `steps` of the
    `spu_solvers.Simulation` need not be whole.
    """
    del chip, rng
    board, _ = nominal(point.batch, point.quality)
    with jax.enable_x64(point.solver != EXACT):
        dtype = jnp.float32 if point.solver == EXACT else jnp.float64
        board = jax.tree.map(lambda x: jnp.asarray(x, dtype), board)
        system = langevin_modes(board) if point.solver in UNDERDAMPED else board
        dt = jnp.asarray(point.interval / point.steps, dtype)
        step, noise = _law(point.solver)(system, dt)
        capacitance = np.asarray(board.capacitance(), float)
        read = _readout(system)
    states = stationary(np.asarray(step, float), np.asarray(noise, float))
    return {"bias": off(states, read, np.linalg.inv(capacitance))}


@cache
def _law(name: str) -> Any:
    """Of one step of a solver, or of the exact map: its matrices, compiled once."""

    def exact(board, dt):
        p = propagate.propagator(board, dt)
        return p.step, p.noise @ p.noise.T

    def solver(system, dt):
        return linear_step(system, SOLVERS[name](), _rest(system), dt)

    return jax.jit(exact if name == EXACT else solver)


def off(states: np.ndarray, read: np.ndarray, target: np.ndarray) -> float:
    """Relative error of the voltages' covariance; infinite if there is none."""
    if not np.all(np.isfinite(states)):
        return np.inf
    difference = read @ states @ read.T - target
    return float(np.linalg.norm(difference) / np.linalg.norm(target))


def _rest(system):
    if isinstance(system, LangevinModes):
        return system.rest()
    return jnp.zeros(system.linear().drift.shape[0], system.noise.dtype)


def _readout(system) -> np.ndarray:
    """From the flat state to the voltages."""
    if isinstance(system, LangevinModes):
        return np.asarray(jnp.concatenate([0 * system.basis, system.basis], axis=1))
    return np.asarray(system.linear().readout)


def needed(bias: xr.DataArray) -> xr.DataArray:
    """Fewest steps per sample from which on the bias stays below `BIAS`."""
    ordered = bias.transpose("solver", "quality", "steps").to_numpy()
    logs = np.log(np.clip(ordered, 1e-12, 1e6))
    steps = np.log(bias.steps.to_numpy())

    def first(row: np.ndarray) -> float:
        above = np.flatnonzero(row > np.log(BIAS))
        if not len(above):
            return float(np.exp(steps[0]))
        i = above[-1]
        if i + 1 == len(row):
            return np.nan
        share = (row[i] - np.log(BIAS)) / (row[i] - row[i + 1])
        return float(np.exp(steps[i] + share * (steps[i + 1] - steps[i])))

    found = np.apply_along_axis(first, -1, logs)
    found[list(bias.solver.to_numpy()).index(EXACT)] = 1.0
    return xr.DataArray(found, dims=("solver", "quality"))
