r"""exp(A) as what a board remembers: its correlation over a lag."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from prng import unrolled
from thermo import checks
from thermo.counts import check_count
from thermo.exact import Gaussian
from thermo.exact.transition import increment
from thermo.linalg.chip import Chip
from thermo.linalg.errors import independent_error, lagged_error
from thermo.linalg.estimate import Estimate
from thermo.linalg.readings import Reading, by_moments, check_reading
from thermo.linalg.waiting import board
from thermo.precision import full_precision, in_double
from thermo.reals import alike

__all__ = ["expm"]

Scalar = jax.Array | float

MARGIN = 0.44
"""Of a default shift: what makes exp(2 shift) over the independent pairs smallest for
one mode at rest, ln(1 + sqrt 2) / 2 (DERIVED)."""


@full_precision
def expm(
    key: Key[Array, ""],
    matrix: Float[Array, "n n"],
    reads: int = 1024,
    *,
    lag: Scalar = 1.0,
    shift: Scalar | None = None,
    burn_in: Scalar | None = None,
    start: Float[Array, " n"] | Gaussian | None = None,
    chip: Chip | None = None,
    read: Reading = by_moments,
) -> Estimate:
    r"""Exponentiate a matrix by the memory of a noisy board (Duffield et al., STATED).

    $\mathrm dx = -F x\,\mathrm dt + \mathcal N(0, (F + F^\mathsf T)\,\mathrm dt)$ has
    the covariance I at equilibrium, whatever F, and forgets by $e^{-F t}$. With
    $F = (\alpha I - A)/\tau$,

    $$ e^A = e^\alpha \langle x(t + \tau)\, x(t)^\mathsf T \rangle. $$

    The shift $\alpha$ makes $F + F^\mathsf T$ a covariance: it must exceed the largest
    eigenvalue of $(A + A^\mathsf T)/2$. Much more of it drowns the memory: the standard
    error grows as $e^\alpha$.

    Simulating this takes the exponential of F itself: never a shortcut to
    `jax.scipy.linalg.expm`.

    Runs inside `jit`, `vmap` and `grad` (at fixed noise, and a fixed shift if none is
    given). Takes any real matrix. What extends it: $e^A = (e^{A/2})^2$ where one
    lag leaves too little.

    Args:
        key: random key.
        matrix: A, `(n, n)`, any.
        reads: pairs of samples one lag apart that are averaged over.
        lag: $\tau$, the time that one step of memory takes, µs.
        shift: $\alpha$; None is 0.44 above its bound.
        burn_in: waited before, µs; None is what leaves 1e-4 of the distance from the
            start.
        start: state before the burn-in, or its law, as `slow_modes` gives; None is 0.
        chip: that runs, of `draw_chip`; None is the ideal one.
        read: `by_moments`, `by_trajectory`, or `by_law`: each pair of a run of its own,
            from the start and through the burn-in.

    Returns:
        The estimate `(n, n)`, the standard error of each entry (for a board at
        equilibrium, unless read by its law), and the time, µs.

    Raises:
        ValueError: if an argument is not of finite real numbers or of another shape,
            the shift is at or below its bound, a time is negative, or `reads` is no
            whole number, or too small for a law (2 n + 1).

    Example:
        >>> import jax, jax.numpy as jnp
        >>> found = expm(jax.random.key(0), jnp.array([[0.0, 1.0], [-1.0, 0.0]]), 9999)
        >>> turned = jnp.array([[jnp.cos(1), jnp.sin(1)], [-jnp.sin(1), jnp.cos(1)]])
        >>> bool(jnp.all(abs(found.value - turned) < 5 * found.standard_error))
        True
    """
    checks.square("matrix", matrix)
    checks.finite("matrix", matrix)
    checks.interval("lag", lag)
    check_reading(read)
    check_count("reads", reads, 2 * len(matrix) + 1 if read.independent else 1)
    if shift is not None:
        _check_shift(shift, matrix)
    matrix, lag, shift = alike(matrix=matrix, lag=lag, shift=shift)
    drift, noise, alpha = in_double(_board, matrix=matrix, lag=lag, shift=shift)
    form, first, wait = board(drift, noise, burn_in, start, chip)
    value = jnp.exp(alpha) * read.lagged(unrolled(key), form, first, lag, reads)
    if read.independent:
        error = in_double(
            _error_of_law,
            drift=form.drift, diffusion=form.diffusion, lag=lag, mean=first.mean,
            root=first.root, count=reads,
        )  # fmt: skip
        taken = reads * (wait + lag)
    else:
        error = in_double(
            lagged_error,
            drift=form.drift, diffusion=form.diffusion, lag=lag, count=reads,
        )  # fmt: skip
        taken = wait + (reads + 1) * lag
    return Estimate(value, jax.lax.stop_gradient(jnp.exp(alpha)) * error, taken)


@jax.jit
def _board(matrix, lag, shift):
    symmetric = (matrix + matrix.mT) / 2
    if shift is None:
        shift = jnp.linalg.eigvalsh(jax.lax.stop_gradient(symmetric))[-1] + MARGIN
    eye = jnp.eye(len(matrix), dtype=matrix.dtype)
    return (
        (shift * eye - matrix) / lag,
        2 * (shift * eye - symmetric) / lag,
        jnp.asarray(shift, matrix.dtype),
    )


@jax.jit
def _error_of_law(drift, diffusion, lag, mean, root, count):
    change, gained = increment(drift, diffusion, lag)
    moved = jnp.eye(len(drift), dtype=drift.dtype) + change
    covariance = root @ root.mT
    crossed = moved @ covariance
    later = Gaussian(moved @ mean, crossed @ moved.mT + gained)
    return independent_error(later, Gaussian(mean, covariance), crossed, count)


def _check_shift(shift, matrix):
    checks.one_number("shift", shift)
    checks.finite("shift", shift)
    a, alpha = checks.values("matrix", matrix), checks.values("shift", shift)
    if a is None or alpha is None:
        return
    most = np.linalg.eigvalsh((a + a.T) / 2)[-1]
    if not alpha > most:
        raise ValueError(
            f"shift = {shift}: must exceed {most:.6g}, the largest eigenvalue of "
            "(matrix + matrix.T) / 2."
        )
