"""A simulation that is kept: voltages and states at every sampling instant."""

from typing import Any, NamedTuple

import diffrax as dfx
import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from thermo.counts import check_count
from thermo.precision import full_precision
from thermo.reals import alike
from thermo.simulate import choices
from thermo.simulate.solve import begin, healthy, noise_path, solve
from thermo.simulate.system import System


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


@full_precision
def simulate(
    key: Key[Array, ""],
    board: System,
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
        board: a board, its `LangevinModes`, or any `System`.
        ts: sampling instants, µs, increasing; the first is the start.
        solver: any diffrax solver; None is `default_solver(board)`.
        steps: fixed steps per sampling interval; None takes `substeps(board, ts)`.
        controller: adaptive steps instead, such as `dfx.PIDController`; its noise then
            comes from a Brownian tree, resolved to 1/1024 of a sampling interval.
        z0: state at `ts[0]`; None is at rest.
        args: passed on to the drift and diffusion of a `System` of your own; boards
            read none, their drive is a field of theirs.
        max_steps: bound on the steps that an adaptive controller may take.

    Returns:
        The run; look at `healthy` before believing it.

    Raises:
        ValueError: if `ts` does not increase or is too coarse for the steps, `steps`
            is below 1, `z0` is no state of the board, or the board reads no `args`.

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
    kind = "steps" if controller is None else "tree"
    how = (controller, dfx.ForwardMode(), max_steps)
    return _run(key, board, ts, z0, args, solver, steps, kind, *how)


@full_precision
def simulate_differentiable(
    key: Key[Array, ""],
    board: System,
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

    Arguments, result and errors are those of `simulate`, and the bound on adaptive
    steps is lower: their memory is paid for.
    """
    how = (controller, dfx.RecursiveCheckpointAdjoint(), max_steps)
    return _run(key, board, ts, z0, args, solver, steps, "tree", *how)


def _run(key, board, ts, z0, args, solver, steps, kind, controller, adjoint, most):
    choices.check_choices(board, solver, controller)
    choices.check_args(board, args)
    choices.check_start(board, z0)
    check_count("max_steps", most)
    steps = choices.checked_steps(board, ts, steps)
    ts = jnp.asarray(alike(ts=ts)[0])  # one program for instants of any kind
    solver = solver or choices.default_solver(board)
    how = (kind, controller, adjoint, most)
    return _solve(key, board, ts, solver, steps, z0, args, *how)


@eqx.filter_jit
def _solve(
    key, board, ts, solver, steps, z0, args, kind, controller, adjoint, max_steps
):
    z0, ts = begin(board, z0, ts)
    noise = noise_path(key, board.n_cells, solver, kind, ts, steps)
    solution = solve(
        board.terms(noise),
        solver,
        ts,
        z0,
        args,
        steps=steps,
        controller=controller,
        adjoint=adjoint,
        max_steps=max_steps,
    )
    z = solution.ys
    return Run(board.readout(z), z, healthy(solution), solution.result)
