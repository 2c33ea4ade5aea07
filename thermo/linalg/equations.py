r"""A x = b by waiting: a noisy board whose voltages hover about the answer.

$$ \mathrm dx = (b - A x)\,\mathrm dt + \sqrt{2/\beta}\,\mathrm dW
   \quad\Rightarrow\quad x \sim \mathcal N(A^{-1} b,\ (\beta A)^{-1}) $$

The answer is the average of x over the time that one is willing to wait.
"""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from prng import unrolled
from thermo import checks
from thermo.circuits import LinearForm
from thermo.counts import check_count
from thermo.linalg.averages import average_law
from thermo.linalg.chip import Chip, checked_chip, equation
from thermo.linalg.errors import mean_error
from thermo.linalg.estimate import FORGOTTEN, Estimate, check_start
from thermo.linalg.functions import matrix_function, root
from thermo.linalg.readings import Reading, by_law, check_reading
from thermo.linalg.waiting import board
from thermo.precision import full_precision, in_double
from thermo.reals import alike, working_dtype

Scalar = jax.Array | float


@full_precision
def langevin_board(
    matrix: Float[Array, "n n"],
    rhs: Float[Array, " n"] | float = 0.0,
    *,
    beta: Scalar = 1.0,
) -> LinearForm:
    r"""The ideal board that `solve` waits for, as a circuit to be stepped.

    $\mathrm dx = (b - A x)\,\mathrm dt + \sqrt{2/\beta}\,\mathrm dW$.
    For `thermo.trajectory`, `thermo.moments` and the laws of `thermo.exact`.

    Args:
        matrix: A, `(n, n)`, symmetric positive definite.
        rhs: b, `(n,)` or one for all.
        beta: inverse temperature.

    Raises:
        ValueError: naming what is wrong with an argument.

    Example:
        >>> import jax.numpy as jnp
        >>> langevin_board(jnp.eye(1), beta=2.0).diffusion
        Array([[1.]], dtype=float32)
    """
    checks.positive_definite("matrix", matrix)
    checks.finite("rhs", rhs)
    checks.shaped("rhs", rhs, (), (len(matrix),), beside="matrix")
    checks.interval("beta", beta)
    matrix, rhs, beta = alike(matrix=matrix, rhs=rhs, beta=beta)
    eye = jnp.eye(len(matrix), dtype=matrix.dtype)
    return LinearForm(
        drift=matrix, noise=jnp.sqrt(2 / beta) * eye, readout=eye, bias=rhs
    )


@full_precision
def solve(
    key: Key[Array, ""],
    matrix: Float[Array, "n n"],
    rhs: Float[Array, " n"],
    time: Scalar,
    *,
    beta: Scalar = 1.0,
    burn_in: Scalar | None = None,
    start: Float[Array, " n"] | None = None,
    chip: Chip | None = None,
    read: Reading = by_law,
    reads: int = 1024,
) -> Estimate:
    r"""Solve A x = b by averaging the state of a noisy board (linear solve of TLA).

    Drawn from the exact law of the average, which is Gaussian: mean
    $x + \varphi(AT)\,e^{-A t_b}(x_0 - x)$ with $\varphi(z) = (1 - e^{-z})/z$, and, for
    long T, covariance $2 A^{-2} / (\beta T)$ (DERIVED). So the relative error falls as
    $\sqrt{2 \operatorname{tr} A^{-2} / (\beta T)}\,/\,\lVert A^{-1} b\rVert$, and a
    condition number $\kappa$ costs up to $\kappa^2$ in time.

    That law is computed from the digital answer: simulating a board is never a shortcut
    to `jnp.linalg.solve`. It shows what a board would give, and when. To step the board
    itself, see `langevin_board`.

    Runs inside `jit`, `vmap` and, once, `grad`: the derivative is that of the draw at
    fixed noise. What extends it: a general invertible A by its normal equations, `A.T @
    A` and `A.T @ b`, at the square of the condition number; a matrix and time of other
    units by scaling (`c * A` and `c * b` need a time of `T / c`); a badly scaled one by
    a diagonal W on both sides, `W @ A @ W` and `W @ b`, whose answer is `W^-1 x`.

    Args:
        key: random key.
        matrix: A, `(n, n)`, symmetric positive definite.
        rhs: b, `(n,)`.
        time: T averaged over, in the inverse unit of the matrix.
        beta: inverse temperature; a colder board is less noisy.
        burn_in: $t_b$ waited before; None is $\ln(10^4)/\lambda_{\min}$, which leaves
            1e-4 of the distance from the start.
        start: $x_0$; None is 0. A guess near the answer is a warm start: the burn-in
            may be short then.
        chip: that runs, of `draw_chip`; None is the ideal one.
        read: `by_law` of the continuous record, or `by_moments` or `by_trajectory` of
            `reads` samples of it, whose standard error is that of a board at
            equilibrium.
        reads: of those two, at equal intervals of `time / reads`.

    Returns:
        The average `(n,)`, the standard deviation of its law, and burn-in plus T. What
        a short burn-in leaves of the start is not part of the standard error.

    Raises:
        ValueError: if the matrix is not symmetric positive definite, an argument is not
            of finite real numbers or of another shape, or a time or `beta` is negative.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> a, b = jnp.array([[2.0, -1.0], [-1.0, 2.0]]), jnp.array([1.0, 1.0])
        >>> found = solve(jax.random.key(0), a, b, time=1e4)
        >>> bool(jnp.all(abs(found.value - 1) < 5 * found.standard_error))
        True
        >>> print(found.standard_error.round(4))
        [0.0105 0.0105]
    """
    checks.positive_definite("matrix", matrix)
    n = len(matrix)
    checks.finite("rhs", rhs)
    checks.shaped("rhs", rhs, (n,), beside="matrix")
    checks.interval("beta", beta)
    checks.interval("time", time)
    check_start(burn_in, start, n)
    check_reading(read)
    check_count("reads", reads)
    if read.mean is not None:
        return _stepped(
            key, matrix, rhs, time, beta, burn_in, start, chip, read.mean, reads
        )
    xi = jr.normal(unrolled(key), (n,), working_dtype(matrix, rhs, start))
    if chip is not None:
        chip = checked_chip(chip, n)
        return in_double(
            partial(_on_chip, bits=chip.bits),
            matrix=matrix, rhs=rhs, time=time, beta=beta, burn_in=burn_in, start=start,
            noise=xi, gain=chip.conductance, capacitance=chip.capacitance,
            power=chip.noise,
        )  # fmt: skip
    return in_double(
        _solve,
        matrix=matrix, rhs=rhs, time=time, beta=beta, burn_in=burn_in, start=start,
        noise=xi,
    )  # fmt: skip


@jax.jit
def _solve(matrix, rhs, time, beta, burn_in, start, xi):
    if burn_in is None:
        slowest = jnp.linalg.eigvalsh(jax.lax.stop_gradient(matrix))[0]
        burn_in = -jnp.log(FORGOTTEN) / slowest
    exact = jnp.linalg.solve(matrix, rhs)
    away = -exact if start is None else start - exact
    left = matrix_function(_left, matrix, (time, burn_in))
    spread = matrix_function(_spread, matrix, (time, burn_in, beta))
    return Estimate(
        exact + left @ away + spread @ xi,
        jax.lax.stop_gradient(jnp.linalg.norm(spread, axis=-1)),
        burn_in + time,
    )


def _stepped(key, matrix, rhs, time, beta, burn_in, start, chip, mean, reads):
    matrix, rhs, time, beta = alike(matrix=matrix, rhs=rhs, time=time, beta=beta)
    white = 2 / beta * jnp.eye(len(matrix), dtype=matrix.dtype)
    form, first, wait = board(matrix, white, burn_in, start, chip, rhs)
    dt = jnp.asarray(time, form.drift.dtype) / reads
    error = in_double(
        partial(mean_error, count=reads),
        drift=form.drift, diffusion=form.diffusion, dt=dt,
    )  # fmt: skip
    value = mean(unrolled(key), form, first, dt, reads)
    return Estimate(value, error, wait + time)


@partial(jax.jit, static_argnames="bits")
def _on_chip(
    matrix, rhs, time, beta, burn_in, start, xi, gain, capacitance, power, *, bits
):
    n = len(matrix)
    if burn_in is None:
        slowest = jnp.linalg.eigvalsh(jax.lax.stop_gradient(matrix))[0]
        burn_in = -jnp.log(jnp.asarray(FORGOTTEN, matrix.dtype)) / slowest
    start = jnp.zeros(n, matrix.dtype) if start is None else start
    white = jnp.sqrt(2 / beta) * jnp.eye(n, dtype=matrix.dtype)
    drift, noise = equation(matrix, white, (gain, capacitance, power), bits)
    bias = rhs / capacitance
    law = average_law(drift, noise @ noise.mT, bias, time, burn_in, start)
    return Estimate(
        law.mean + matrix_function(root, law.covariance) @ xi,
        jax.lax.stop_gradient(jnp.sqrt(jnp.diagonal(law.covariance))),
        burn_in + time,
    )


def _left(rate, time, burn_in):
    """Share of the distance from the start that the average keeps."""
    return jnp.exp(-rate * burn_in) * _average(rate * time)


def _spread(rate, time, burn_in, beta):
    """Standard deviation of the average along an eigenvector."""
    first = -jnp.expm1(-2 * rate * burn_in) / (beta * rate)
    z = rate * time
    gained = 2 * _forgetting(z) / (beta * rate * z)
    return jnp.sqrt(first * _average(z) ** 2 + gained)


def _average(z):
    """(1 - exp(-z)) / z."""
    return -jnp.expm1(-z) / z


def _forgetting(z):
    r"""$1 - 2\varphi(z) + \varphi(2z)$; a series where its terms cancel."""
    small = z < 0.5
    near = jnp.where(small, z, 0)
    series, term = 0, 1.0
    for k in range(1, 14):  # term: (-z)^k / (k + 1)!
        term = -term * near / (k + 1)
        series = series + term * (2**k - 2)
    far = jnp.where(small, 1, z)
    return jnp.where(small, series, 1 - 2 * _average(far) + _average(2 * far))
