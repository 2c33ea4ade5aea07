"""How wrong a measured covariance is, and what of it more samples would cure."""

from collections.abc import Sequence
from typing import Annotated

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from experiments.thermodynamic.machine import Matrix
from experiments.validate import bounds, multiple_of
from thermo import exact
from thermo.circuits import LinearForm

Matrices = Float[Array, "*batch d d"]
"""Several, or one."""


def relative_error(estimate: Matrices, target: Matrix) -> Float[Array, "*batch"]:
    """Frobenius norm of the difference, relative to that of the target."""
    difference = estimate - jnp.broadcast_to(target, estimate.shape)
    return jnp.linalg.norm(difference, axis=(-2, -1)) / jnp.linalg.norm(target)


def best_scale(estimate: Matrices, target: Matrix) -> Float[Array, "*batch"]:
    """The factor that brings the estimate nearest to the target: a calibration of T*.

    Example:
        >>> float(best_scale(2 * jnp.eye(3), jnp.eye(3)))
        0.5
    """
    overlap = jnp.einsum("...ij,ij->...", estimate, target)
    return overlap / jnp.einsum("...ij,...ij->...", estimate, estimate)


def settled(form: LinearForm) -> Matrix:
    """Covariance of the voltages after infinitely many samples, V^2."""
    states = exact.lyapunov(form.drift, form.diffusion)
    return form.readout @ states @ form.readout.T


def floors(covariance: Matrix, target: Matrix) -> dict[str, Float[Array, ""]]:
    """Error of a covariance: `floor`; `fitted_floor` after the best single factor."""
    fitted = best_scale(covariance, target) * covariance
    floor = relative_error(covariance, target)
    return {"floor": floor, "fitted_floor": relative_error(fitted, target)}


def error_law(
    form: LinearForm, target: Matrix, n_samples: Sequence[int], dt: float
) -> dict[str, Float[Array, "..."]]:
    r"""What theory expects of one board, $\epsilon^2 = \epsilon_0^2 + \sigma^2(N)$.

    By Lyapunov and Isserlis, correlations between samples included.

    Args:
        form: of the board as it is.
        target: covariance of the voltages that was wanted, V^2.
        n_samples: numbers of samples N, one every `dt`.
        dt: us.

    Returns:
        `floors` of infinitely many samples, $\epsilon_0$; `statistical`, $\sigma(N)$.
    """

    def variance(n):
        return exact.sampled_variance(
            form.drift, form.diffusion, dt=dt, n_samples=n, readout=form.readout
        ).sum()

    if len(n_samples) == 1:  # half the work where N is known beforehand
        total = variance(n_samples[0])[None]
    else:
        total = jax.lax.map(variance, jnp.asarray(n_samples))
    statistical = jnp.sqrt(total) / jnp.linalg.norm(target)
    return floors(settled(form), target) | {"statistical": statistical}


Record = Annotated[int, bounds(480, (2**31 - 1) // 4), multiple_of(480)]
"""Samples of a record whose fourfold can be cut into `stretches`, and counted."""


def stretches(n_samples: int) -> list[int]:
    """Lengths into which four times `n_samples` can be cut, from a 480th of it.

    Example:
        >>> stretches(12_000)
        [25, 50, 100, 200, 400, 750, 1500, 3000, 6000, 12000, 24000, 48000]
    """
    parts = (480, 240, 120, 60, 30, 16, 8, 4, 2, 1)
    return [n_samples // k for k in parts] + [2 * n_samples, 4 * n_samples]


def second_moments(v: Float[Array, "time d"], lengths: Sequence[int]) -> list[Matrices]:
    """Those of disjoint stretches of a record; the first length divides the others."""
    first, d = lengths[0], v.shape[-1]
    v = v.reshape(-1, first, d)
    moments = jnp.einsum("bti,btj->bij", v, v) / first
    return [moments.reshape(-1, n // first, d, d).mean(1) for n in lengths]


def fitted_floor(n_samples, mean_square, n_estimates) -> np.ndarray:
    r"""$\epsilon_0$ of $\epsilon^2 = \epsilon_0^2 + a/N$, fitted to mean squares.

    Weighted least squares; a mean over k estimates is known to about 1 in sqrt(k) of
    itself. A negative intercept counts as no floor.

    Args:
        n_samples: N, `(counts,)`.
        mean_square: of the error, `(..., counts)`.
        n_estimates: how many estimates each mean is over, `(counts,)`.

    Example:
        >>> n = np.array([100.0, 400.0, 1600.0])
        >>> round(float(fitted_floor(n, 0.04 + 9 / n, np.ones(3))), 6)
        0.2
    """
    x, known = 1 / np.asarray(n_samples, float), np.sqrt(n_estimates)

    def intercept(y: np.ndarray) -> float:
        return np.polyfit(x, y, 1, w=known / y)[1]

    squares = np.apply_along_axis(intercept, -1, np.asarray(mean_square, float))
    return np.sqrt(np.maximum(squares, 0))
