"""How far a solver shifts the covariance of the voltages: linear algebra, no dice."""

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Float

from experiments.thermodynamic.solvers import EXACT, SOLVERS, UNDERDAMPED, nominal
from experiments.thermodynamic.stationary_bias import linear_step, stationary
from thermo import propagate
from thermo.langevin import LangevinModes, langevin_modes

BIAS = 0.01
"""Of the covariance, relative: as much as is tolerated."""


def bias(
    name: str,
    *,
    batch: int,
    qualities: Sequence[float],
    interval: float,
    steps: Float[np.ndarray, " steps"],
) -> xr.Dataset:
    """Relative error of the stationary voltage covariance.

    Args:
        name: of the solver, or "exact map".
        batch: root of the matrix.
        qualities: of a cell alone.
        interval: between samples, us.
        steps: of the solver, per sample.
    """
    law = jax.jit(_exact_law if name == EXACT else partial(_solver_law, name))
    rows = []
    for quality in qualities:
        board, _ = nominal(batch, quality)
        with jax.enable_x64(name != EXACT):
            dtype = jnp.float32 if name == EXACT else jnp.float64
            board = jax.tree.map(lambda x, t=dtype: jnp.asarray(x, t), board)
            system = langevin_modes(board) if name in UNDERDAMPED else board
            made = law(system, jnp.asarray(interval / steps, dtype))
            capacitance = np.asarray(board.capacitance(), float)
            read = _readout(system)
        made = [np.asarray(x, float) for x in made]
        found = [stationary(*m) for m in zip(*made, strict=True)]
        rows.append([off(s, read, np.linalg.inv(capacitance)) for s in found])
    coords = {"quality": list(qualities), "steps": steps}
    return xr.Dataset({"bias": (("quality", "steps"), np.array(rows))}, coords)


def _exact_law(board, dts):
    """Of the propagator in single precision, as it is used."""

    def one(dt):
        p = propagate.propagator(board, dt)
        return p.step, p.noise @ p.noise.T

    return jax.lax.map(one, dts)


def _solver_law(name: str, system, dts):
    """Of a solver, in double precision."""
    step = partial(linear_step, system, SOLVERS[name](), _rest(system))
    return jax.lax.map(step, dts)


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
