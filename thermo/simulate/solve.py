"""One solve: a board's equation, a noise path, a solver and its steps."""

from typing import Any, Literal

import diffrax as dfx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from prng import unrolled
from thermo.precision import full_precision
from thermo.simulate.system import System

TREE_RESOLUTION = 1024
"""Leaves of the Brownian tree per sampling interval: the same for every step size, so
that the path is too. Four per step if the steps are finer than that."""


def begin(board: System, z0: Any, ts: Any) -> tuple[Any, Float[Array, " time"]]:
    """First state and instants, in the precision of the board; None is at rest."""
    still = board.rest()
    dtype = jnp.result_type(*jax.tree.leaves(still))
    z0 = still if z0 is None else jax.tree.map(lambda z: jnp.asarray(z, dtype), z0)
    return z0, jnp.asarray(ts, dtype)


def noise_path(
    key: Key[Array, ""],
    n_cells: int,
    solver: dfx.AbstractSolver,
    kind: Literal["steps", "tree"],
    ts: Float[Array, " time"],
    steps: int,
) -> dfx.AbstractBrownianPath:
    """A path with as much Lévy area as the solver asks for.

    Args:
        key: random key.
        n_cells: independent noises.
        solver: of diffrax.
        kind: "steps" draws at each step anew, from the key and the ends of the step;
            "tree" is a function of time alone, and can be walked back along.
        ts: sampling instants.
        steps: per sampling interval, at the most.
    """
    wanted = getattr(solver, "minimal_levy_area", dfx.BrownianIncrement)
    kinds = (dfx.SpaceTimeTimeLevyArea, dfx.SpaceTimeLevyArea, dfx.BrownianIncrement)
    area = next((a for a in reversed(kinds) if issubclass(a, wanted)), kinds[0])
    shape = jax.ShapeDtypeStruct((n_cells,), ts.dtype)
    key = unrolled(key)
    if kind == "steps":
        return dfx.UnsafeBrownianPath(shape, key, levy_area=area)
    resolution = jnp.min(jnp.diff(ts)) / max(TREE_RESOLUTION, 4 * steps)
    return dfx.VirtualBrownianTree(
        ts[0], ts[-1], tol=resolution, shape=shape, key=key, levy_area=area
    )


@full_precision
def solve(
    terms: dfx.AbstractTerm,
    solver: dfx.AbstractSolver,
    ts: Float[Array, " time"],
    z0: Any,
    args: Any,
    *,
    steps: int,
    controller: dfx.AbstractAdaptiveStepSizeController | None = None,
    adjoint: dfx.AbstractAdjoint,
    max_steps: int | None = None,
) -> dfx.Solution:
    """States at `ts`, by `steps` equal steps per interval or those of a controller."""
    gap = jnp.diff(ts)
    if controller is None:
        part = jnp.arange(steps, dtype=ts.dtype) / steps
        grid = ts[:-1, None] + gap[:, None] * part[None, :]
        chosen = dfx.StepTo(ts=jnp.append(grid.ravel(), ts[-1]))
        first, max_steps = None, steps * (len(ts) - 1)
    else:
        chosen = dfx.ClipStepSizeController(controller, step_ts=ts)
        first = gap[0] / steps
    return dfx.diffeqsolve(
        terms,
        solver,
        t0=ts[0],
        t1=ts[-1],
        dt0=first,
        y0=z0,
        args=args,
        saveat=dfx.SaveAt(ts=ts),
        stepsize_controller=chosen,
        adjoint=adjoint,
        max_steps=max_steps,
        throw=False,
    )


def healthy(solution: dfx.Solution) -> Bool[Array, ""]:
    """The solver finished and every number is finite."""
    finite = [jnp.all(jnp.isfinite(x)) for x in jax.tree.leaves(solution.ys)]
    finished = solution.result == dfx.RESULTS.successful
    return finished & jnp.all(jnp.stack(finite))


def n_readouts(board: System) -> int:
    """How many numbers are read at one instant."""
    one = jax.tree.map(lambda z: z[None], board.rest())
    return jax.eval_shape(board.readout, one).shape[-1]
