r"""Ask a board: sample a Gaussian, invert a matrix, solve an equation.

The three calls that do everything: look at the matrix and choose how it comes onto a
board, program the board, let it run, read it out, and give the answer in the units of
the question with its standard error. The boards have resistors of 1 kOhm and capacitors
of at most 1 nF, so that RC is 1 us (STATED for the natural-gradient machine of the same
makers), and are read 12 million times a second unless told otherwise (STATED-2nd of the
SPU).

Every one of them needs at least the work of the digital routine to be simulated: this
is never a shortcut to `jnp.linalg`. It shows what a board would give, and when.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from prng import unrolled
from thermo import checks, exact
from thermo.circuits import (
    AbstractBoard,
    OpAmpBoard,
    Tolerances,
    draw_board,
    program_matrix,
    quantise,
    uniform_levels,
)
from thermo.circuits.linear import LinearForm
from thermo.counts import check_count
from thermo.linalg.averages import average_law
from thermo.linalg.chip import check_bits
from thermo.linalg.errors import second_moment_error
from thermo.linalg.estimate import FORGOTTEN
from thermo.linalg.functions import matrix_function, root
from thermo.linalg.preparation import (
    Preparation,
    check_preparation,
    prepare_inversion,
    prepare_solution,
    prepared,
)
from thermo.precision import full_precision, in_double
from thermo.propagate import moments, propagator, trajectory
from thermo.reals import alike, working_dtype

Scalar = jax.Array | float

INDEPENDENT = 1e-2
"""Of the covariance: what is left of it between two reads of `sample`."""


class Answer(NamedTuple):
    """What a board gave, how far to trust it, and how it was asked.

    Attributes:
        value: the answer, in the units of the question.
        standard_error: of each number of it, predicted by theory for this board; what
            tolerances and coarse components do to the board itself is not part of it.
            It carries no derivative.
        time: that the board would take, burn-in included, us; without loading the
            matrix and reading out.
        preparation: what was done to the matrix first; `str` says it in words.
        board: that ran.
    """

    value: jax.Array
    standard_error: jax.Array
    time: jax.Array
    preparation: Preparation
    board: AbstractBoard


@full_precision
def sample(
    key: Key[Array, ""],
    covariance: Float[Array, "n n"],
    count: int = 1000,
    *,
    interval: Scalar | None = None,
    preparation: Preparation | None = None,
    tolerances: Tolerances | None = None,
    bits: int | None = None,
) -> Answer:
    r"""Draw from $\mathcal N(0, \Sigma)$ by reading the voltages of a board.

    The precision $\Sigma^{-1}$ is computed digitally, which is the dearest step, and
    then programmed as `invert` programs a matrix; a board of the wanted covariance
    itself would spare that, but no such board takes any matrix.

    Runs inside `jit`, `vmap` and `grad` (at fixed noise); what is chosen by looking at
    the matrix is then to be given as `preparation`, see there.

    Args:
        key: random key.
        covariance: Sigma, `(n, n)`, symmetric positive definite.
        count: samples.
        interval: between them, us; None is what leaves 1 % of the covariance from one
            sample to the next. Shorter ones are correlated.
        preparation: how the precision comes onto the board; None chooses.
        tolerances: of the components; None is none. Drawn anew from each key.
        bits: of each coupler, over its range; None is any value.

    Returns:
        The samples, `(count, n)`; the standard error is that of their second moment,
        `(n, n)`, as an estimate of the covariance.

    Raises:
        ValueError: naming what is wrong with an argument, or the entry that no board
            of the circuit can represent.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> wanted = jnp.array([[2.0, -0.6], [-0.6, 1.0]])
        >>> found = sample(jax.random.key(0), wanted, 4000)
        >>> off = abs(found.value.T @ found.value / 4000 - wanted)
        >>> bool(jnp.all(off < 5 * found.standard_error))
        True
        >>> print(found.preparation)
        rows and columns scaled to a diagonal of 1; two cells for each variable; board:
        rlc
    """
    checks.positive_definite("covariance", covariance)
    check_count("count", count)
    if interval is not None:
        checks.interval("interval", interval)
    _, interval = alike(covariance=covariance, interval=interval)
    precision = in_double(_inverse, covariance=covariance)
    key_board, key_run = jr.split(unrolled(key))
    made = _made(key_board, precision, preparation, tolerances, bits)
    form = made.board.linear()
    wait = exact.burn_in_time(form.drift, form.diffusion, FORGOTTEN)
    if interval is None:
        law = jax.lax.stop_gradient((form.drift, form.diffusion))
        interval = exact.burn_in_time(*law, INDEPENDENT)
    seen = _seen(form, made.left)
    value = trajectory(key_run, propagator(seen, interval), count)
    error = _error(form, interval, made.left, made.left, count)
    taken = jnp.asarray(wait + count * interval, value.dtype)
    return Answer(value, error, taken, made.preparation, made.board)


@full_precision
def invert(
    key: Key[Array, ""],
    matrix: Float[Array, "n n"],
    time: Scalar = 1000.0,
    *,
    reads: int = 12_000,
    preparation: Preparation | None = None,
    tolerances: Tolerances | None = None,
    bits: int | None = None,
) -> Answer:
    r"""Invert a matrix by the second moment of a board's voltages.

    With the matrix $P = s\,W A W$ on the board, $\langle v v^\mathsf T\rangle = T^*
    P^{-1}$ and $A^{-1} = (s/T^*)\,W\langle v v^\mathsf T\rangle W$; of two cells for a
    variable their difference is read, over $\sqrt2$; by the normal equations
    $A^{-1} = (A^\mathsf T A)^{-1} A^\mathsf T$, which is the second moment of x with
    $A x$.

    Runs inside `jit`, `vmap` and `grad` (at fixed noise); what is chosen by looking at
    the matrix is then to be given as `preparation`, see there. The law of an ideal
    board alone, without units, is `primitives.inv`.

    Args:
        key: random key.
        matrix: A, `(n, n)`, invertible.
        time: that the board is read for, us; the burn-in comes before.
        reads: in that time, at equal intervals.
        preparation: how the matrix comes onto the board; None chooses, by
            `prepare_inversion`.
        tolerances: of the components; None is none. Drawn anew from each key.
        bits: of each coupler, over its range; None is any value.

    Returns:
        $A^{-1}$, `(n, n)`, in the inverse of its units.

    Raises:
        ValueError: naming what is wrong with an argument, or the entry that no board
            of the circuit can represent.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> a = jnp.array([[3.0, 1.0], [0.0, 2.0]])
        >>> found = invert(jax.random.key(0), a)
        >>> off = abs(found.value - jnp.linalg.inv(a))
        >>> bool(jnp.all(off < 5 * found.standard_error))
        True
        >>> print(found.preparation)
        the normal equations; rows and columns scaled to a diagonal of 1; two cells for
        each variable; board: rlc
    """
    checks.interval("time", time)
    if preparation is None:
        preparation = prepare_inversion(matrix)
    _, time = alike(matrix=matrix, time=time)
    key_board, key_run = jr.split(unrolled(key))
    made = _made(key_board, matrix, preparation, tolerances, bits)
    n = len(made.left)
    check_count("reads", reads, 2 * n if made.preparation.normal else n)
    form, left, right = made.board.linear(), made.left, made.left
    if made.preparation.normal:
        (a,) = alike(matrix=matrix)
        right = a.astype(left.dtype) @ left
    wait = exact.burn_in_time(form.drift, form.diffusion, FORGOTTEN)
    both = jnp.concatenate([left, right]) if made.preparation.normal else left
    stepper = propagator(_seen(form, both), jnp.asarray(time, left.dtype) / reads)
    value = moments(key_run, stepper, reads).second[:n, -n:]
    error = _error(form, time / reads, left, right, reads)
    taken = jnp.asarray(wait + time, value.dtype)
    return Answer(value, error, taken, made.preparation, made.board)


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
        time: averaged over, us; the burn-in comes before.
        noise: of each voltage, were the conductance to ground all there is: root mean
            square, V. ASSUMED; thermal noise on 1 nF is 2 uV, what amplifiers and
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
    _check(matrix, preparation, tolerances, bits)
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
    board = _imperfect(key_board, wanted, tolerances, bits)
    form = board.linear()
    xi = jr.normal(key_run, (len(w),), dtype)
    value, error, taken = in_double(
        _averaged, drift=form.drift, diffusion=form.diffusion, bias=form.bias,
        time=time, factor=w / unit, xi=xi,
    )  # fmt: skip
    return Answer(value, error, taken, preparation, board)


class _Made(NamedTuple):
    """A board, and the map from its voltages to the variables of the question."""

    board: AbstractBoard
    left: jax.Array
    preparation: Preparation


def _made(key, matrix, how, tolerances, bits):
    how = prepare_inversion(matrix) if how is None else how
    _check(matrix, how, tolerances, bits)
    dtype = working_dtype(matrix)
    ready, w = in_double(lambda a: prepared(a, how), matrix=matrix)
    program = program_matrix(ready, circuit=how.circuit)
    unit = jnp.sqrt(program.scale / program.temperature).astype(dtype)
    eye = jnp.diag(w)
    left = jnp.concatenate([eye, -eye], axis=1) / 2**0.5 if how.doubled else eye
    board = _imperfect(key, program.board, tolerances, bits)
    return _Made(board, unit * left, how)


def _check(matrix, how, tolerances, bits):
    check_preparation("preparation", how)
    if how.normal:
        checks.square("matrix", matrix)
        checks.finite("matrix", matrix)
    elif how.circuit == "op-amp" and how.scaling == "none":
        checks.stable("matrix", matrix)
    else:
        checks.positive_definite("matrix", matrix)
    if tolerances is not None and not isinstance(tolerances, Tolerances):
        raise ValueError(f"tolerances = {tolerances!r:.60}: must be Tolerances.")
    check_bits(bits)


def _imperfect(key, board, tolerances, bits):
    """The board that is made: of coarse components first, each off by its tolerance."""
    if bits is not None and isinstance(board, OpAmpBoard):
        most = 2 ** (bits - 1) - 1  # 0 is among them, exactly
        levels = jnp.arange(-most, most + 1) / most
        board = quantise(board, coupling=levels)
    elif bits is not None:
        levels = uniform_levels(0.0, 1.0, bits)
        board = quantise(board, coupling=levels, ground=levels)
    return board if tolerances is None else draw_board(key, board, tolerances)


@jax.jit
def _inverse(covariance):
    """Of variables scaled to a variance of 1."""
    own = jnp.sqrt(jnp.diagonal(covariance))
    inverse = jnp.linalg.inv(covariance / own[:, None] / own[None, :])
    return (inverse + inverse.mT) / 2 / own[:, None] / own[None, :]


def _seen(form, read):
    return LinearForm(
        drift=form.drift,
        noise=form.noise,
        readout=read.astype(form.readout.dtype) @ form.readout,
        bias=form.bias,
    )


def _error(form, dt, left, right, count):
    named: dict[str, Any] = {
        "drift": form.drift,
        "diffusion": form.diffusion,
        "dt": dt,
        "left": left @ form.readout,
        "right": right @ form.readout,
    }
    return in_double(lambda *law: second_moment_error(*law, count=count), **named)


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


__all__ = ["Answer", "invert", "sample", "solve"]
