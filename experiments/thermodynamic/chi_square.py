"""The error of a sampled covariance in one number, against the law that it obeys."""

from typing import Any

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import scipy.stats
import xarray as xr

from chipsweep import Keys
from experiments.thermodynamic import machine, one_board
from thermo import exact, propagate

DEGREES = machine.N_CELLS * (machine.N_CELLS + 1) // 2
"""Of freedom: the entries of a symmetric matrix."""


def chi_square(point: Any, chip: Any, keys: Keys) -> dict[str, Any]:
    """One run of the ideal board: is it off by as much as theory says, in every mode?

    In the eigenbasis of the covariance the modes of equal cells are independent, so
    that the entries of the estimate are uncorrelated: the sum of squares of entries,
    each over its own variance, is a chi-square.

    The `one_board.Run` is that of an ideal board, tolerance 0; a chip is a run.

    Returns:
        `chi_square`, and `naive_chi_square`: that of samples counted as independent.
    """
    del chip
    board, target = one_board.board_of(point, keys)
    form, n, dt = board.linear(), point.n_samples, point.interval
    values, turn = jnp.linalg.eigh(target)
    read = turn.T @ form.readout
    law = exact.sampled_variance(
        form.drift, form.diffusion, dt=dt, n_samples=n, readout=read
    )
    independent = jnp.outer(values, values) * (1 + jnp.eye(len(values))) / n
    key = jr.split(keys.chip)[1]
    moments = propagate.moments(key, propagate.propagator(form, dt), n).second
    off = turn.T @ moments @ turn - jnp.diag(values)
    upper = jnp.triu_indices(len(values))
    return {
        name: (off**2 / variance)[upper].sum()
        for name, variance in (("chi_square", law), ("naive_chi_square", independent))
    }


def density() -> xr.Dataset:
    """What the chi-square of the 8 x 8 covariance is spread like."""
    grid = np.linspace(0.2, 2.4, 221) * DEGREES
    spread = scipy.stats.chi2.pdf(grid, DEGREES)
    return xr.Dataset(
        {"density": ("chi", spread), "degrees": ((), DEGREES)}, {"chi": grid}
    )
