"""A simulation that is not kept: what observers saw of it, chunk by chunk."""

from typing import Any, NamedTuple

import diffrax as dfx
import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from thermo.chunks import check_run, in_chunks, varying_as
from thermo.observers.observer import check_observer, check_samples
from thermo.precision import full_precision
from thermo.reals import alike
from thermo.simulate import choices
from thermo.simulate.solve import begin, healthy, n_readouts, noise_path, solve
from thermo.simulate.system import System


class Observed(NamedTuple):
    """What was seen of a simulation.

    Attributes:
        found: the observers' results, arranged as they were given.
        healthy: the solver finished and every number is finite.
    """

    found: Any
    healthy: Bool[Array, ""]


@full_precision
def observe(
    key: Key[Array, ""],
    board: System,
    observers: Any,
    ts: Float[Array, " time"],
    *,
    solver: dfx.AbstractSolver | None = None,
    steps: int | None = None,
    burn_in: int = 0,
    z0: Any = None,
    args: Any = None,
    chunk: int = 64,
) -> Observed:
    """Solve as `simulate` does and remember only what the observers see.

    The samples are those of `simulate` with the same key, whatever the chunk: noise
    depends on the key and the time alone. Memory does not grow with their number.

    Args:
        key: random key.
        board: a board, its `LangevinModes`, or any `System`.
        observers: an observer, or a tuple or dict of them.
        ts: sampling instants, µs, increasing; the first is the start, and a sample.
        solver: any diffrax solver; None is `default_solver(board)`.
        steps: fixed steps per sampling interval; None takes `substeps(board, ts)`.
        burn_in: how many samples, from the first, are thrown away.
        z0: state at `ts[0]`; None is at rest.
        args: passed on to the drift and diffusion of a `System` of your own; boards
            read none, their drive is a field of theirs.
        chunk: samples at once.

    Returns:
        The observers' results; look at `healthy` before believing them.

    Raises:
        ValueError: as `simulate`, or if `chunk` is below 1, or `burn_in` leaves less
            than an observer needs.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from thermo import Moments, RCBoard
        >>> cell = RCBoard(
        ...     ground_capacitance=jnp.ones(1), resistance=jnp.ones(1),
        ...     noise=jnp.ones(1), cubic_conductance=1.0)
        >>> ts = jnp.linspace(0.0, 50.0, 101)
        >>> seen = observe(jax.random.key(0), cell, Moments(), ts, burn_in=10)
        >>> int(seen.found.n_samples), bool(seen.healthy)
        (91, True)
    """
    choices.check_choices(board, solver)
    choices.check_args(board, args)
    choices.check_start(board, z0)
    steps = choices.checked_steps(board, ts, steps)
    ts = jnp.asarray(alike(ts=ts)[0])
    check_run(len(ts), burn_in, chunk)
    solver = solver or choices.default_solver(board)
    flat, shape = jax.tree.flatten(observers, is_leaf=lambda x: x is None)
    if not flat:
        raise ValueError(f"observers = {observers!r}: must hold at least one.")
    for observer in flat:
        check_observer("observers", observer)
        check_samples(observer, len(ts) - burn_in)
    found, fine = _observe(
        key, board, tuple(flat), ts, solver, steps, burn_in, z0, args, chunk
    )
    return Observed(jax.tree.unflatten(shape, found), fine)


@eqx.filter_jit
def _observe(key, board, observers, ts, solver, steps, burn_in, z0, args, chunk):
    z0, ts = begin(board, z0, ts)
    terms = board.terms(noise_path(key, board.n_cells, solver, "steps", ts, steps))
    beyond = jnp.append(ts, 2 * ts[-1] - ts[-2])  # where the last chunk ends

    def advance(z, first, length):
        """Samples from the `first`, and the state at the one after them."""
        window = jax.lax.dynamic_slice(beyond, (first,), (length + 1,))
        adjoint = dfx.ForwardMode()
        run = solve(terms, solver, window, z, args, steps=steps, adjoint=adjoint)
        last = jax.tree.map(lambda x: x[-1], run.ys)
        return last, board.readout(run.ys)[:-1], healthy(run)

    def burn(i, z):
        return advance(z, i, 1)[0]

    def sample(carry, i, length=chunk):
        z, fine, states = carry
        z, v, still_fine = advance(z, burn_in + i * chunk, length)
        states = [o.update(s, v) for o, s in zip(observers, states, strict=True)]
        return (z, fine & still_fine, states), None

    z = jax.lax.fori_loop(0, burn_in, burn, z0) if burn_in else z0
    states = [o.init(n_readouts(board), chunk, ts.dtype) for o in observers]
    carry = varying_as((z, jnp.array(True), states), key, board, ts, z, args)
    _, fine, states = in_chunks(sample, carry, len(ts) - burn_in, chunk)
    return [o.finish(s) for o, s in zip(observers, states, strict=True)], fine
