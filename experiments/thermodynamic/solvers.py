"""The ways to simulate a board: solvers of diffrax by name, and the exact map."""

from collections.abc import Callable
from typing import Any

import diffrax as dfx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from experiments.thermodynamic import machine
from thermo import propagate
from thermo.circuits import RLCBoard
from thermo.langevin import langevin_modes
from thermo.simulate import simulate

SOLVERS: dict[str, Callable[[], Any]] = {
    "Euler": dfx.Euler,
    "Heun": dfx.Heun,
    "SEA": dfx.SEA,
    "SRA1": dfx.SRA1,
    "ShARK": dfx.ShARK,
    "ALIGN": dfx.ALIGN,
    "ShOULD": dfx.ShOULD,
    "QUICSORT": dfx.QUICSORT,
}
UNDERDAMPED = ("ALIGN", "ShOULD", "QUICSORT")
"""Want one friction per particle: they run on the modes of a board of equal cells, and
not on boards whose R, L or noise differ from cell to cell."""
EXACT = "exact map"


def nominal(batch: int, quality: jax.Array | float) -> machine.Nominal:
    """The board, sqrt(LC) = 1 µs and so RC = Q µs, and its covariance, V^2."""
    return machine.nominal(jr.key(batch), machine.N_CELLS, quality, quality)


def system(name: str, board: RLCBoard, interval: jax.Array | float) -> Any:
    """What the solver, or the exact map, is given."""
    if name == EXACT:
        return propagate.propagator(board, interval)
    return langevin_modes(board) if name in UNDERDAMPED else board


def voltages(key: Key[Array, ""], made: Any, point: Any) -> Float[Array, "n d"]:
    """A run of a `spu_solvers.Simulation`, V; `made` is what `system` made of it."""
    n = point.n_samples
    if point.solver == EXACT:
        return propagate.trajectory(key, made, n)
    ts = point.interval * jnp.arange(n + 1, dtype=jnp.float32)
    how = {"solver": SOLVERS[point.solver](), "steps": point.steps}
    return simulate(key, board=made, ts=ts, **how).v[1:]
