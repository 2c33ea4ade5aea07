r"""Posteriors read off a board: mean and covariance, with their standard errors."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Key

from thermo import checks, exact
from thermo.circuits import AbstractBoard
from thermo.circuits.programming import Programmed
from thermo.counts import check_count
from thermo.inference.information import Information, check_information
from thermo.inference.passive import Held
from thermo.linalg import primitives
from thermo.precision import full_precision
from thermo.propagate import moments, propagator
from thermo.reals import real_array

Scalar = jax.Array | float


class Reading(NamedTuple):
    """A Gaussian posterior as a board gave it.

    Attributes:
        mean: `(d,)`.
        covariance: `(d, d)`.
        mean_error: standard error of each entry, predicted from the board and not from
            the run; it knows nothing of components that are off.
        covariance_error: likewise.
        time: that the board took, µs, or in the inverse unit of the precision.
    """

    mean: jax.Array
    covariance: jax.Array
    mean_error: jax.Array
    covariance_error: jax.Array
    time: jax.Array


@full_precision
def posterior(
    key: Key[Array, ""],
    information: Information,
    held: Held,
    made: Programmed,
    *,
    n_samples: int,
    interval: float,
    board: AbstractBoard | None = None,
) -> Reading:
    r"""Let a board sample a Gaussian posterior.

    Voltages of the SPU average to 0 (STATED), whatever drives it, so that its samples
    are those of $\theta - m$: the covariance is their second moment
    $\hat\Sigma$, and the mean is $\hat\Sigma h$, which takes one more product
    for each sample. Standard errors by Isserlis' theorem and the correlation of
    the samples (`thermo.exact.sampled_variance`).

    Args:
        key: random key.
        information: P and h of the posterior.
        held: P as the board holds it, by `hold` or `hold_doubled`.
        made: `program_precision(held.matrix, ...)`.
        n_samples: taken at equal intervals, from equilibrium on; at least as many as
            there are cells.
        interval: between samples, µs.
        board: the one that is run, such as `draw_board(key, made.board, ...)`; None is
            the ideal one.

    Returns:
        What was read.

    Raises:
        ValueError: if `information` is no Gaussian law, what is held or programmed does
            not fit it, a number is not positive, or there are too few samples.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from thermo import program_precision
        >>> from thermo.inference import Information, hold
        >>> wanted = Information(jnp.eye(1), jnp.array([2.0]))
        >>> held = hold(wanted.precision)
        >>> made = program_precision(held.matrix)
        >>> key = jax.random.key(0)
        >>> found = posterior(key, wanted, held, made, n_samples=1000, interval=9.0)
        >>> bool(jnp.all(abs(found.mean - 2) < 5 * found.mean_error))
        True
    """
    check_information(information)
    _check_made(information, held, made, board)
    board = made.board if board is None else board
    checks.interval("interval", interval)
    checks.interval("n_samples", n_samples)
    check_count("n_samples", n_samples)
    form = board.linear()
    d, dtype = len(information.vector), form.drift.dtype
    unit = jnp.sqrt(jnp.asarray(made.scale) / jnp.asarray(made.temperature))
    read = (unit * real_array("held.readout", held.readout)).astype(dtype)
    along = jnp.asarray(real_array("vector", information.vector)).astype(dtype)
    rows = jnp.concatenate([read, (along @ read)[None, :]])
    variance = exact.sampled_variance(
        form.drift,
        form.diffusion,
        dt=interval,
        n_samples=n_samples,
        readout=rows @ form.readout,
    )
    seen = moments(key, propagator(form, interval), n_samples).second
    second, error = rows @ seen @ rows.T, jnp.sqrt(variance)
    return Reading(
        mean=second[:d, d],
        covariance=second[:d, :d],
        mean_error=error[:d, d],
        covariance_error=error[:d, :d],
        time=n_samples * jnp.asarray(interval, dtype),
    )


@full_precision
def relaxed(
    key: Key[Array, ""], information: Information, time: Scalar, *, reads: int = 1024
) -> Reading:
    r"""Let a driven board relax to a Gaussian posterior.

    $\mathrm d\theta = (h - P\,\theta)\,\mathrm dt + \sqrt2\,\mathrm dW$ settles to
    $\mathcal N(P^{-1} h, P^{-1})$ (DERIVED; with resistors between cells and sources
    that drive them). The mean is the average of one run
    (`thermo.linalg.primitives.solve`); the covariance that of another which is not
    driven (`thermo.linalg.primitives.inv`).

    Args:
        key: random key.
        information: P and h of the posterior.
        time: of each of the runs, in the inverse unit of P.
        reads: samples of the covariance, at least d.

    Returns:
        What was read; `time` is that of both runs, burn-in included.

    Raises:
        ValueError: if `information` is no Gaussian law, or a number is not positive.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from thermo.inference import Information
        >>> wanted = Information(jnp.eye(1), jnp.array([2.0]))
        >>> found = relaxed(jax.random.key(0), wanted, 1e4)
        >>> bool(jnp.all(abs(found.mean - 2) < 5 * found.mean_error))
        True
    """
    check_information(information)
    precision, vector = information
    driven, still = jr.split(key)
    mean = primitives.solve(driven, precision, vector, time)
    second = primitives.inv(still, precision, time, reads=reads)
    return Reading(
        mean.value,
        second.value,
        mean.standard_error,
        second.standard_error,
        mean.time + second.time,
    )


def _check_made(information, held, made, board):
    for name, thing, kind in (("held", held, Held), ("made", made, Programmed)):
        if not isinstance(thing, kind):
            raise ValueError(f"{name} = {thing!r:.60}: must be {kind.__name__}.")
    d, k = len(information.vector), made.board.n_cells
    checks.finite("held.readout", held.readout)
    checks.shaped("held.readout", held.readout, (d, k), beside="vector and board")
    if board is None:
        return
    if not isinstance(board, AbstractBoard):
        raise ValueError(f"board = {board!r:.60}: must be a board, or None.")
    if board.n_cells != k:
        raise ValueError(f"board has {board.n_cells} cells: must be {k}, as made.board")


__all__ = ["Reading", "posterior", "relaxed"]
