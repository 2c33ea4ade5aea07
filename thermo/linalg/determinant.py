r"""ln det A as a free-energy difference: the work of changing a board while it runs."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from prng import unrolled
from thermo import checks
from thermo.counts import check_count
from thermo.linalg.chip import Chip, checked_chip
from thermo.linalg.estimate import FORGOTTEN, Estimate
from thermo.linalg.protocol import log_moment, protocol, works
from thermo.precision import full_precision, in_double
from thermo.reals import working_dtype

__all__ = ["logdet"]


@full_precision
def logdet(
    key: Key[Array, ""],
    matrix: Float[Array, "n n"],
    time: jax.Array | float,
    *,
    runs: int = 1024,
    steps: int = 64,
    chip: Chip | None = None,
) -> Estimate:
    r"""Logarithm of the determinant from work, by Jarzynski's equality (TLA).

    A board at rest under $H = x^\mathsf T A x / 2$ is changed in equal `steps` over the
    time `time` until its matrix is $a I$, a the mean diagonal entry, whose determinant
    is known. With the work $W = \frac12\sum_k x_k^\mathsf T (A_{k+1} - A_k)\,x_k$ of
    each run (STATED-2nd),

    $$ \ln\det A = n \ln a + 2 \ln \langle e^{-\beta W} \rangle. $$

    Temperature drops out. Every run begins at equilibrium and is stepped exactly; all
    the matrices commute, so it is stepped mode by mode.

    The standard error is exact to first order in 1/runs (DERIVED): the averages of
    $e^{-\beta W}$ and $e^{-2\beta W}$ over a Gaussian chain follow from a Riccati
    recursion. It is infinite where the second does not exist: change the board more
    slowly then, or both ways: `logdet_bennett`. The estimate is biased low by a quarter
    of its squared standard error.

    The eigenvalues, from which all of this is computed, give the determinant at once:
    never a shortcut to `jnp.linalg.slogdet`.

    Runs inside `jit`, `vmap` and `grad`. What extends it: `A.T @ A` of a general
    invertible A, for $2 \ln |\det A|$; `c * A`, for $n \ln c$ more, at a time of
    `time / c`; a diagonal W on both sides, $W A W$, for $2 \ln \det W$ more: with a
    diagonal of 1 the change is the smallest.

    Args:
        key: random key.
        matrix: A, `(n, n)`, symmetric positive definite.
        time: that one run's change takes, in the inverse unit of the matrix.
        runs: independent runs.
        steps: of the matrix in each run.
        chip: that runs, of `draw_chip`; None is the ideal one. The work is that of the
            matrices that it holds, the last of which is taken to be $a I$.

    Returns:
        The estimate, its standard error, and the time of all runs one after the other,
        each with a burn-in that leaves 1e-4 of the covariance of its start.

    Raises:
        ValueError: if the matrix is not symmetric positive definite, an argument is not
            of finite real numbers or of another shape, `time` is not positive, or a
            count is no positive whole number.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> a = jnp.array([[2.0, -1.0], [-1.0, 2.0]])
        >>> found = logdet(jax.random.key(0), a, time=2.0)
        >>> bool(abs(found.value - jnp.log(3.0)) < 5 * found.standard_error)
        True
    """
    value, share, taken = answered(_logdet, key, matrix, time, runs, steps, chip)
    share = jax.lax.stop_gradient(share)
    error = 2 * jnp.sqrt(share / ((1 - share) * runs))
    return Estimate(value, error, jax.lax.stop_gradient(taken))


def answered(law, key, matrix, time, runs, steps, chip):
    """What `law` says in double precision of a question that was checked first."""
    checks.positive_definite("matrix", matrix)
    checks.interval("time", time)
    check_count("runs", runs)
    check_count("steps", steps)
    key, kind = unrolled(key), jnp.dtype(working_dtype(matrix))
    given = _as_arrays(chip, len(matrix))
    bits = None if chip is None else chip.bits
    law = partial(law, key, runs=runs, steps=steps, dtype=kind, bits=bits)
    return in_double(law, matrix=matrix, time=time, **given)


@partial(jax.jit, static_argnames=("runs", "steps", "dtype", "bits"))
def _logdet(key, matrix, time, *chip, runs, steps, dtype, bits):
    """The estimate, v / (1 + v) of the relative variance v of one run, the time."""
    path = path_to_rest(matrix, steps)
    if chip:
        asked = protocol(path, time / steps, chip, bits)
        done = works(key, asked, runs, dtype)
        held = jax.lax.stop_gradient(asked)
        share = -jnp.expm1(2 * log_moment(held, 1.0) - log_moment(held, 2.0))
    else:
        rates = rates_along(matrix, steps)
        decay = jnp.exp(-rates[1:] * time / steps)
        done = mode_works(key, rates, decay, runs, dtype)
        held = jax.lax.stop_gradient((rates, decay))
        share = -jnp.expm1(2 * _log_moment(*held, 1.0) - _log_moment(*held, 2.0))
    wait = forgetting(jnp.linalg.eigvalsh(matrix)[0])
    value = len(matrix) * jnp.log(path[-1, 0, 0]) + 2 * _log_mean(done)
    return value, share, runs * (wait + time)


def _as_arrays(chip: Chip | None, n: int) -> dict[str, Array]:
    """What is handed to a law of a chip: nothing for the ideal one."""
    if chip is None:
        return {}
    chip = checked_chip(chip, n)
    return {"gain": chip.conductance, "capacitance": chip.capacitance,
            "power": chip.noise}  # fmt: skip


def forgetting(rate: Array) -> Array:
    """Time after which a mode's covariance has forgotten its start."""
    return -jnp.log(jnp.asarray(FORGOTTEN, rate.dtype)) / (2 * rate)


def rates_along(matrix, steps):
    """Eigenvalues along the path, whose matrices commute, `(steps + 1, n)`."""
    own, mean = jnp.linalg.eigvalsh(matrix), jnp.mean(jnp.diagonal(matrix))
    done = (jnp.arange(steps + 1) / steps).astype(own.dtype)[:, None]
    return own[None, :] + done * (mean - own)[None, :]


def path_to_rest(matrix, steps):
    """From A to its mean diagonal entry times I, `(steps + 1, n, n)`."""
    last = jnp.mean(jnp.diagonal(matrix)) * jnp.eye(len(matrix), dtype=matrix.dtype)
    done = (jnp.arange(steps + 1) / steps).astype(matrix.dtype)[:, None, None]
    return matrix[None] + done * (last - matrix)[None]


def _log_mean(work):
    return jax.scipy.special.logsumexp(-work) - jnp.log(
        jnp.asarray(len(work), work.dtype)
    )


def mode_works(key, rates, decay, runs, dtype):
    r"""Work of each run in units of the temperature, `(runs,)`."""

    def change(state, now):
        x, work, key = state
        step, kept, after = now
        work = work + jnp.sum(x**2 * step[None, :], axis=-1) / 2
        key, one = jr.split(key)
        xi = jr.normal(one, x.shape, dtype).astype(x.dtype)
        x = kept[None, :] * x + jnp.sqrt((1 - kept**2) / after)[None, :] * xi
        return (x, work, key), None

    key, first = jr.split(key)
    shape = runs, rates.shape[-1]
    x = jr.normal(first, shape, dtype).astype(rates.dtype) / jnp.sqrt(rates[0])[None, :]
    start = x, jnp.zeros(runs, rates.dtype), key
    steps = rates[1:] - rates[:-1], decay, rates[1:]
    return jax.lax.scan(change, start, steps)[0][1]


def _log_moment(rates, decay, power):
    r"""$\ln \langle e^{-p \beta W} \rangle$, infinite where it does not exist.

    Backwards, what is still to come averages to $z\,e^{-q x^2 / 2}$ for a mode at x.
    """

    def back(state, now):
        q, log = state
        step, kept, after = now
        spread = 1 + q * (1 - kept**2) / after
        q = power * step + kept**2 * q / spread
        return (q, log + _half_log(spread)), None

    zero = jnp.zeros_like(rates[0])
    steps = rates[1:] - rates[:-1], decay, rates[1:]
    (q, log), _ = jax.lax.scan(back, (zero, zero), steps, reverse=True)
    return jnp.sum(log + _half_log(1 + q / rates[0]))


def _half_log(spread):
    alive = spread > 0
    return jnp.where(alive, -jnp.log(jnp.where(alive, spread, 1)) / 2, jnp.inf)
