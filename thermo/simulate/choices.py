"""What a board asks of a solver: which one, and how many steps."""

from typing import Any

import diffrax as dfx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float

from thermo import checks
from thermo.circuits import RLCBoard
from thermo.langevin import LangevinModes

STEPS_PER_RADIAN = 8
"""Steps while the fastest mode turns by one radian. ASSUMED: Heun and ShARK then bias a
covariance by less than 1 % up to Q = 30; a step twice as long would at Q = 3."""


def default_solver(board: Any) -> dfx.AbstractSolver:
    """A solver that fits the circuit; never Euler, which heats a resonator.

    Cells with coils get ShARK (strong order 1.5 for additive noise), those without get
    Heun, which costs less per step; Langevin modes get ShOULD.

    Args:
        board: what is to be simulated.
    """
    if isinstance(board, LangevinModes):
        return dfx.ShOULD()
    return dfx.ShARK() if isinstance(board, RLCBoard) else dfx.Heun()


def substeps(board: Any, ts: Float[Array, " time"]) -> int:
    """Fixed steps per sampling interval that resolve the board's fastest mode.

    Args:
        board: a board with concrete values (not under `vmap` or `grad`).
        ts: sampling instants, µs.

    Raises:
        ValueError: if the board or `ts` is being traced: pass `steps` yourself.
    """
    leaves = jax.tree.leaves((board, ts))
    if any(isinstance(leaf, Tracer) for leaf in leaves):
        raise ValueError(
            "steps must be given when the board or ts is traced (under vmap, grad, "
            "jit): for instance steps=substeps(nominal_board, ts)"
        )
    fastest = np.abs(np.linalg.eigvals(_slope(board))).max()
    turn = float(np.diff(np.asarray(ts, float)).max() * fastest)
    return max(1, int(np.ceil(STEPS_PER_RADIAN * turn)))


def checked_steps(board: Any, ts: Any, steps: int | None) -> int:
    """`steps`, or what `substeps` finds; refuse instants that do not increase."""
    instants = checks.concrete(ts)
    if instants is not None and not (
        instants.ndim == 1 and len(instants) > 1 and np.all(np.diff(instants) > 0)
    ):
        raise ValueError(f"ts must be two or more increasing instants, got {instants}")
    steps = substeps(board, ts) if steps is None else steps
    if steps < 1:
        raise ValueError(f"steps must be at least 1 per sampling interval, got {steps}")
    return steps


def rest(board: Any) -> Any:
    """No voltage, no current: the state of a board that is switched off."""
    if isinstance(board, LangevinModes):
        return board.rest()
    state = board.diffusion(0.0, None).out_structure()
    return jnp.zeros(state.shape, state.dtype)


def _slope(board):
    """Jacobian of the drift at rest, `(n, n)` (modes: `(d, 2, 2)`)."""
    if isinstance(board, LangevinModes):
        zero = np.zeros(board.n_cells)
        rows = [[zero, zero - 1], [board.stiffness, board.friction]]
        return np.moveaxis(np.array(rows, float), -1, 0)
    with jax.ensure_compile_time_eval():
        slope = jax.jit(jax.jacfwd(lambda z: board.drift(0.0, z)))(rest(board))
    return np.asarray(slope, float)
