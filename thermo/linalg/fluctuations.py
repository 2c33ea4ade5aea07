"""Sample a Gaussian, invert a matrix: by how the voltages of a board fluctuate."""

from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from prng import unrolled
from thermo import checks, exact
from thermo.circuits import Tolerances
from thermo.circuits.linear import LinearForm
from thermo.counts import check_count
from thermo.linalg.answer import Answer
from thermo.linalg.errors import second_moment_error
from thermo.linalg.estimate import FORGOTTEN
from thermo.linalg.making import program
from thermo.linalg.preparation import Preparation, prepare_inversion
from thermo.precision import full_precision, in_double
from thermo.propagate import moments, propagator, trajectory
from thermo.reals import alike

__all__ = ["invert", "sample"]

Scalar = jax.Array | float

INDEPENDENT = 1e-2
"""Of the covariance: what is left of it between two reads of `sample`."""


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
        interval: between them, µs; None is what leaves 1 % of the covariance from one
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
    made = program(key_board, precision, preparation, tolerances, bits)
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
        time: that the board is read for, µs; the burn-in comes before.
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
    made = program(key_board, matrix, preparation, tolerances, bits)
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
