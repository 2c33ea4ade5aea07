r"""The one door to diffrax: boards that are not linear, and solvers to be judged.

A linear board is stepped exactly, and faster, by `thermo.propagate`. Everything else
goes through here: cells with a cubic or saturating element, and any solver whose bias
is the question. Every step ends on a multiple of the sampling interval, so nothing is
interpolated between steps.
"""

from typing import Any, NamedTuple

import diffrax as dfx
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Bool, Float, Key

from prng import unrolled
from thermo import checks
from thermo.circuits import RLCBoard
from thermo.langevin import LangevinModes

__all__ = ["Run", "default_solver", "simulate", "simulate_differentiable", "substeps"]

STEPS_PER_RADIAN = 8
"""Steps while the fastest mode turns by one radian. ASSUMED: Heun and ShARK then bias a
covariance by less than 1 % up to Q = 30; a step twice as long would at Q = 3."""


TREE_RESOLUTION = 1024
"""Leaves of the Brownian tree per sampling interval: the same for every step size, so
that the path is too. Four per step if the steps are finer than that."""


class Run(NamedTuple):
    """What came of a simulation.

    Attributes:
        v: node voltages at `ts`, `(time, d)`.
        z: states at `ts`, `(time, n)`.
        healthy: the solver finished and every number is finite. A board that diverged
            says so here and leaves its neighbours under `vmap` alone.
        result: diffrax's result code.
    """

    v: Float[Array, "time d"]
    z: Any
    healthy: Bool[Array, ""]
    result: dfx.RESULTS


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


def simulate(
    key: Key[Array, ""],
    board: Any,
    ts: Float[Array, " time"],
    *,
    solver: dfx.AbstractSolver | None = None,
    steps: int | None = None,
    controller: dfx.AbstractAdaptiveStepSizeController | None = None,
    z0: Any = None,
    args: Any = None,
    max_steps: int = 1_000_000,
) -> Run:
    r"""Solve the board's stochastic differential equation, as fast as diffrax goes.

    Noise is drawn step by step, so derivatives are forward-mode only (`jax.jvp`,
    `jax.jacfwd`); for `jax.grad` use `simulate_differentiable`.

    Args:
        key: random key.
        board: a board, or its `LangevinModes`.
        ts: sampling instants, µs, increasing; the first is the start.
        solver: any diffrax solver; None is `default_solver(board)`.
        steps: fixed steps per sampling interval; None takes `substeps(board, ts)`.
        controller: adaptive steps instead, such as `dfx.PIDController`; its noise then
            comes from a Brownian tree, resolved to 1/1024 of a sampling interval.
        z0: state at `ts[0]`; None is at rest.
        args: passed on to the board's drift and diffusion.
        max_steps: bound on the steps that an adaptive controller may take.

    Returns:
        The run; look at `healthy` before believing it.

    Raises:
        ValueError: if `ts` does not increase, or `steps` is below 1.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from thermo import RCBoard
        >>> cell = RCBoard(
        ...     ground_capacitance=jnp.ones(1), resistance=jnp.ones(1),
        ...     noise=jnp.ones(1), cubic_conductance=1.0)
        >>> run = simulate(jax.random.key(0), cell, jnp.linspace(0.0, 5.0, 11))
        >>> run.v.shape, bool(run.healthy)
        ((11, 1), True)
    """
    steps = _check(board, ts, steps)
    path = "path" if controller is None else "tree"
    solver = solver or default_solver(board)
    forward = dfx.ForwardMode()
    return _solve(
        key, board, ts, z0, args, controller, solver, steps, path, forward, max_steps
    )


def simulate_differentiable(
    key: Key[Array, ""],
    board: Any,
    ts: Float[Array, " time"],
    *,
    solver: dfx.AbstractSolver | None = None,
    steps: int | None = None,
    controller: dfx.AbstractAdaptiveStepSizeController | None = None,
    z0: Any = None,
    args: Any = None,
    max_steps: int = 16_384,
) -> Run:
    """Solve as `simulate` does, on a noise path that `jax.grad` can walk back along.

    The path is a Brownian tree, a function of time alone, and the adjoint diffrax's
    recursive checkpointing: about ten times the cost. One key and one `ts` give one
    path, whatever the steps and component values, to all solvers that ask for the same
    Lévy area.

    Args:
        key: random key.
        board: a board, or its `LangevinModes`.
        ts: sampling instants, µs, increasing; the first is the start.
        solver: any diffrax solver; None is `default_solver(board)`.
        steps: fixed steps per sampling interval; None takes `substeps(board, ts)`.
        controller: adaptive steps instead, such as `dfx.PIDController`.
        z0: state at `ts[0]`; None is at rest.
        args: passed on to the board's drift and diffusion.
        max_steps: bound on the steps that an adaptive controller may take.

    Returns:
        The run; look at `healthy` before believing it.

    Raises:
        ValueError: if `ts` does not increase, or `steps` is below 1.
    """
    steps = _check(board, ts, steps)
    solver = solver or default_solver(board)
    adjoint = dfx.RecursiveCheckpointAdjoint()
    return _solve(
        key, board, ts, z0, args, controller, solver, steps, "tree", adjoint, max_steps
    )


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


def _slope(board):
    """Jacobian of the drift at rest, `(n, n)` (modes: `(d, 2, 2)`)."""
    if isinstance(board, LangevinModes):
        zero = np.zeros(board.n_cells)
        rows = [[zero, zero - 1], [board.stiffness, board.friction]]
        return np.moveaxis(np.array(rows, float), -1, 0)
    with jax.ensure_compile_time_eval():
        slope = jax.jit(jax.jacfwd(lambda z: board.drift(0.0, z)))(_rest(board))
    return np.asarray(slope, float)


def _rest(board):
    if isinstance(board, LangevinModes):
        return board.rest()
    state = board.diffusion(0.0, None).out_structure()
    return jnp.zeros(state.shape, state.dtype)


def _read(board, z):
    if isinstance(board, LangevinModes):
        return board.read(z)
    readout = board.circuit().readout
    return z[:, : readout.shape[1]] @ readout.T


def _check(board, ts, steps):
    instants = checks.concrete(ts)
    if instants is not None and not (
        instants.ndim == 1 and len(instants) > 1 and np.all(np.diff(instants) > 0)
    ):
        raise ValueError(f"ts must be two or more increasing instants, got {instants}")
    steps = substeps(board, ts) if steps is None else steps
    if steps < 1:
        raise ValueError(f"steps must be at least 1 per sampling interval, got {steps}")
    return steps


@eqx.filter_jit
def _solve(
    key, board, ts, z0, args, controller, solver, steps, path, adjoint, max_steps
):
    rest = _rest(board)
    dtype = jnp.result_type(*jax.tree.leaves(rest))
    z0 = rest if z0 is None else jax.tree.map(lambda z: jnp.asarray(z, dtype), z0)
    ts = jnp.asarray(ts, dtype)
    gap = jnp.diff(ts)
    resolution = jnp.min(gap) / max(TREE_RESOLUTION, 4 * steps)
    noise = _noise(key, board, solver, path, ts, resolution, dtype)
    if controller is None:
        part = jnp.arange(steps, dtype=dtype) / steps
        grid = ts[:-1, None] + gap[:, None] * part[None, :]
        controller = dfx.StepTo(ts=jnp.append(grid.ravel(), ts[-1]))
        first, max_steps = None, steps * (len(ts) - 1)
    else:
        controller = dfx.ClipStepSizeController(controller, step_ts=ts)
        first = gap[0] / steps
    solution = dfx.diffeqsolve(
        board.terms(noise),
        solver,
        t0=ts[0],
        t1=ts[-1],
        dt0=first,
        y0=z0,
        args=args,
        saveat=dfx.SaveAt(ts=ts),
        stepsize_controller=controller,
        adjoint=adjoint,
        max_steps=max_steps,
        throw=False,
    )
    z = solution.ys
    finite = [jnp.all(jnp.isfinite(x)) for x in jax.tree.leaves(z)]
    finished = solution.result == dfx.RESULTS.successful
    return Run(
        _read(board, z), z, finished & jnp.all(jnp.stack(finite)), solution.result
    )


def _noise(key, board, solver, path, ts, resolution, dtype):
    """The kind of path, and as much Lévy area, as the solver asks for."""
    wanted = getattr(solver, "minimal_levy_area", dfx.BrownianIncrement)
    kinds = (dfx.SpaceTimeTimeLevyArea, dfx.SpaceTimeLevyArea, dfx.BrownianIncrement)
    area = next(
        (kind for kind in reversed(kinds) if issubclass(kind, wanted)), kinds[0]
    )
    shape = jax.ShapeDtypeStruct((board.n_cells,), dtype)
    key = unrolled(key)
    if path == "path":
        return dfx.UnsafeBrownianPath(shape, key, levy_area=area)
    return dfx.VirtualBrownianTree(
        ts[0], ts[-1], tol=resolution, shape=shape, key=key, levy_area=area
    )
