r"""ln det A as a free-energy difference: the work of changing a board while it runs."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from prng import unrolled
from thermo import checks
from thermo.counts import check_count
from thermo.linalg.estimate import FORGOTTEN, Estimate
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
    slowly then. The estimate is biased low by a quarter of its squared standard error.

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
    checks.positive_definite("matrix", matrix)
    checks.interval("time", time)
    check_count("runs", runs)
    check_count("steps", steps)
    key, kind = unrolled(key), working_dtype(matrix)
    law = partial(_logdet, key, runs=runs, steps=steps, dtype=jnp.dtype(kind))
    value, share, taken = in_double(law, matrix=matrix, time=time)
    share = jax.lax.stop_gradient(share)
    error = 2 * jnp.sqrt(share / ((1 - share) * runs))
    return Estimate(value, error, jax.lax.stop_gradient(taken))


@partial(jax.jit, static_argnames=("runs", "steps", "dtype"))
def _logdet(key, matrix, time, *, runs, steps, dtype):
    """The estimate, v / (1 + v) of the relative variance v of one run, the time."""
    own = jnp.linalg.eigvalsh(matrix)
    mean = jnp.mean(jnp.diagonal(matrix))
    done = (jnp.arange(steps + 1) / steps).astype(own.dtype)[:, None]
    rates = own[None, :] + done * (mean - own)[None, :]
    decay = jnp.exp(-rates[1:] * time / steps)
    free = -_log_mean(_works(key, rates, decay, runs, dtype))
    held = jax.lax.stop_gradient((rates, decay))
    share = -jnp.expm1(2 * _log_moment(*held, 1.0) - _log_moment(*held, 2.0))
    wait = -jnp.log(jnp.asarray(FORGOTTEN, own.dtype)) / (2 * own[0])
    return len(own) * jnp.log(mean) - 2 * free, share, runs * (wait + time)


def _log_mean(work):
    return jax.scipy.special.logsumexp(-work) - jnp.log(
        jnp.asarray(len(work), work.dtype)
    )


def _works(key, rates, decay, runs, dtype):
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
