"""Solve an equation by the mean voltages of a board."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from prng import unrolled
from thermo import checks
from thermo.circuits import OpAmpBoard, Tolerances
from thermo.linalg.answer import Answer
from thermo.linalg.averages import average_law
from thermo.linalg.estimate import FORGOTTEN
from thermo.linalg.functions import matrix_function, root
from thermo.linalg.making import check, imperfect
from thermo.linalg.preparation import (
    Preparation,
    check_preparation,
    prepare_solution,
    prepared,
)
from thermo.precision import full_precision, in_double
from thermo.reals import alike, working_dtype

__all__ = ["solve"]

Scalar = jax.Array | float


@full_precision
def solve(
    key: Key[Array, ""],
    matrix: Float[Array, "n n"],
    rhs: Float[Array, " n"],
    time: Scalar = 1000.0,
    *,
    noise: Scalar = 0.01,
    preparation: Preparation | None = None,
    tolerances: Tolerances | None = None,
    bits: int | None = None,
) -> Answer:
    r"""Solve A x = b by the mean voltages of an op-amp array.

    With $G = s\,W A W$ as conductances and $s\,u\,W b$ as input currents the voltages
    hover about $\bar v = u\,W^{-1} x$, with the unit u such that the largest input is
    one volt on the largest conductance. Read is their average over the time, from 0
    volts and after a burn-in that leaves 1e-4 of the distance; it is drawn from its
    exact law, for this board, tolerances included.

    Runs inside `jit`, `vmap` and `grad` (at fixed noise); what is chosen by looking at
    the matrix is then to be given as `preparation`, see there. An ideal board alone,
    without units, is `primitives.solve`.

    Args:
        key: random key.
        matrix: A, `(n, n)`, invertible.
        rhs: b, `(n,)`.
        time: averaged over, µs; the burn-in comes before.
        noise: of each voltage, were the conductance to ground all there is: root mean
            square, V. ASSUMED; thermal noise on 1 nF is 2 µV, what amplifiers and
            converters add is more.
        preparation: how the matrix comes onto the board; None chooses, by
            `prepare_solution`.
        tolerances: of the components; None is none. Drawn anew from each key.
        bits: of each coupler, over its range; None is any value.

    Returns:
        x, `(n,)`, in the unit of b over that of A.

    Raises:
        ValueError: naming what is wrong with an argument.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> a, b = jnp.array([[3.0, 1.0], [0.0, 2.0]]), jnp.array([5.0, 4.0])
        >>> found = solve(jax.random.key(0), a, b)
        >>> off = abs(found.value - jnp.array([1.0, 2.0]))
        >>> bool(jnp.all(off < 5 * found.standard_error))
        True
    """
    checks.interval("time", time)
    checks.interval("noise", noise)
    if preparation is None:
        preparation = prepare_solution(matrix)
    check_preparation("preparation", preparation)
    if preparation.doubled or preparation.circuit != "op-amp":
        raise ValueError(
            f"preparation = {preparation}: the mean voltages of passive cells are 0, it"
            " must be of the circuit 'op-amp', not doubled."
        )
    checks.finite("rhs", rhs)
    checks.shaped("rhs", rhs, (len(matrix),), beside="matrix")
    _, time, noise = alike(matrix=matrix, time=time, noise=noise)
    key_board, key_run = jr.split(unrolled(key))
    check(matrix, preparation, tolerances, bits)
    dtype = working_dtype(matrix, rhs)
    ready, inputs, unit, w = in_double(
        lambda a, b: _equation(a, b, preparation), matrix=matrix, rhs=rhs
    )
    strength, one = noise**2, jnp.ones(len(w), dtype)
    wanted = OpAmpBoard(
        conductance=ready,
        ground_capacitance=one,
        noise=strength * one,
        input_voltage=inputs,
    )
    board = imperfect(key_board, wanted, tolerances, bits)
    form = board.linear()
    xi = jr.normal(key_run, (len(w),), dtype)
    value, error, taken = in_double(
        _averaged, drift=form.drift, diffusion=form.diffusion, bias=form.bias,
        time=time, factor=w / unit, xi=xi,
    )  # fmt: skip
    return Answer(value, error, taken, preparation, board)


@partial(jax.jit, static_argnames="how")
def _equation(matrix, rhs, how):
    """Conductances up to 1 mS, input voltages up to 1 V, the unit u, the scaling W."""
    ready, w = prepared(matrix, how)
    b = w * (matrix.mT @ rhs if how.normal else rhs)
    most, largest = jnp.max(jnp.abs(ready)), jnp.max(jnp.abs(b))
    largest = jnp.where(largest > 0, largest, 1)
    return ready / most, b / largest, most / largest, w


@jax.jit
def _averaged(drift, diffusion, bias, time, factor, xi):
    slowest = jnp.min(jnp.linalg.eigvals(jax.lax.stop_gradient(drift)).real)
    wait = -jnp.log(jnp.asarray(FORGOTTEN, drift.dtype)) / slowest
    law = average_law(drift, diffusion, bias, time, wait, jnp.zeros_like(bias))
    spread = jax.lax.stop_gradient(jnp.sqrt(jnp.diagonal(law.covariance)))
    drawn = law.mean + matrix_function(root, law.covariance) @ xi
    return factor * drawn, jnp.abs(factor) * spread, wait + time
