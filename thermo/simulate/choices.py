"""What a system asks of a solver: which one, and how many steps."""

from typing import Any

import diffrax as dfx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from thermo import checks
from thermo.counts import check_count
from thermo.reals import is_traced
from thermo.simulate.system import System, check_system

STEPS_PER_RADIAN = 8
"""Steps while the fastest mode turns by one radian. ASSUMED: Heun and ShARK then bias a
covariance by less than 1 % up to Q = 30; a step twice as long would at Q = 3."""


MOST_STEPS = 2**31
"""Steps of a run, at most: their numbers are 32-bit."""


FINEST_STEP = 8
"""Roundings of the time axis in the smallest step, at least."""


def default_solver(board: System) -> dfx.AbstractSolver:
    """A solver that fits the circuit; never Euler, which heats a resonator.

    Cells with coils get ShARK (strong order 1.5 for additive noise), those without get
    Heun, which costs less per step; Langevin modes get ShOULD.

    Args:
        board: what is to be simulated; a `System` of yours brings its own.

    Raises:
        ValueError: if it is no system.
    """
    check_system(board)
    return board.default_solver()


def substeps(board: System, ts: Float[Array, " time"]) -> int:
    """Fixed steps per sampling interval that resolve the board's fastest mode.

    Args:
        board: a `System` with concrete values (not under `vmap` or `grad`).
        ts: sampling instants, µs.

    Raises:
        ValueError: if the board or `ts` is being traced: pass `steps` yourself; or if
            `ts` does not increase.
    """
    check_choices(board, None)
    instants = check_instants(ts)
    if instants is None or is_traced(board):
        raise ValueError(
            "steps must be given when the board or ts is traced (under vmap, grad, "
            "jit): for instance steps=substeps(nominal_board, ts)"
        )
    with jax.ensure_compile_time_eval():
        slope = np.asarray(board.jacobian(), float)
    fastest = np.abs(np.linalg.eigvals(slope)).max()
    turn = float(np.diff(instants).max() * fastest)
    if not turn < MOST_STEPS:
        raise ValueError(
            f"ts: the fastest mode turns by {turn:.3g} radians in an interval, at most "
            f"{MOST_STEPS} can be resolved. Take shorter intervals."
        )
    return max(1, int(np.ceil(STEPS_PER_RADIAN * turn)))


def checked_steps(board: Any, ts: Any, steps: int | None) -> int:
    """`steps`, or what `substeps` finds; refuse instants that do not increase."""
    instants = check_instants(ts)
    if steps is not None:
        check_count("steps per sampling interval", steps)
    steps = substeps(board, ts) if steps is None else steps
    if steps * (np.size(ts) - 1) >= MOST_STEPS:
        raise ValueError(
            f"ts, steps: {steps} steps in each of {np.size(ts) - 1} intervals are more "
            f"than {MOST_STEPS}. Run in pieces."
        )
    _check_resolution(board, instants, steps)
    return steps


def check_instants(ts: Any) -> np.ndarray | None:
    """The instants in doubles; refuse those that do not increase."""
    instants = checks.values("ts", ts)
    if instants is not None and not (
        instants.ndim == 1
        and len(instants) > 1
        and np.all(np.isfinite(instants))
        and np.all(np.diff(instants) > 0)
    ):
        raise ValueError(f"ts must be two or more increasing instants, got {instants}")
    return instants


def check_choices(board: Any, solver: Any, controller: Any = None) -> None:
    """Refuse what is no system, no solver or no controller."""
    check_system(board)
    kinds = {
        "solver": (solver, dfx.AbstractSolver),
        "controller": (controller, dfx.AbstractAdaptiveStepSizeController),
    }
    for name, (value, kind) in kinds.items():
        if value is not None and not isinstance(value, kind):
            raise ValueError(f"{name} = {value!r:.60}: must be a {kind.__name__}.")


def check_args(board: Any, args: Any) -> None:
    """Refuse what the board would ignore."""
    if args is not None and not getattr(board, "reads_args", True):
        raise ValueError(
            f"args = {args!r}: {type(board).__name__} does not read it. A drive that "
            "varies is a field of the board: bias_current (or input_voltage) may be a "
            "function of the time t in us. Or pass a System of your own; where it "
            "inherits from a board, with reads_args = True."
        )


def check_start(board: Any, z0: Any) -> None:
    """Refuse a first state that is none of the board's."""
    if z0 is None:
        return
    still = board.rest()
    shapes = [jax.tree.map(jnp.shape, z) for z in (z0, still)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"z0 has shape {shapes[0]}: a state of this board has {shapes[1]}"
        )
    for z in jax.tree.leaves(z0):
        checks.finite("z0", z)


def _check_resolution(board, instants, steps):
    """Steps that the time axis itself rounds away are no steps."""
    if instants is None:
        return
    dtype = jnp.result_type(*jax.tree.leaves(board.rest()))
    grain = float(np.spacing(np.abs(instants).max().astype(dtype)))
    step = float(np.diff(instants.astype(float)).min()) / steps
    if step < FINEST_STEP * grain:
        raise ValueError(
            f"ts ends at {instants[-1]:.9g} us: a step of {step:.3g} us is less than "
            f"{FINEST_STEP} roundings of it ({grain:.3g} us) in {dtype}. "
            "Count time from 0, run in pieces, or use jax.enable_x64."
        )
