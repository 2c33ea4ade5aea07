"""The error of a sampled covariance in one number, against the law that it obeys."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array, Float, Key

from experiments.population import over_chips
from thermo import exact, propagate
from thermo.circuits import RLCBoard


def chi_square(
    keys: Key[Array, " runs"],
    board: RLCBoard,
    target: Float[Array, "d d"],
    n: int,
    dt: float,
) -> xr.Dataset:
    """Runs of the ideal board: are they off by as much as theory says, in every mode?

    In the eigenbasis of the covariance the modes of equal cells are independent, so
    that the entries of the estimate are uncorrelated: the sum of squares of entries,
    each over its own variance, is a chi-square.

    Args:
        keys: of the runs.
        board: ideal, of equal cells.
        target: covariance of its voltages, V^2.
        n: samples of a run.
        dt: between samples, us.
    """
    form = board.linear()
    values, turn = jnp.linalg.eigh(target)
    variance = jax.jit(partial(exact.sampled_variance, dt=dt, n_samples=n))(
        form.drift, form.diffusion, readout=turn.T @ form.readout
    )

    def one(key, form):
        moments = propagate.moments(key, propagate.propagator(form, dt), n).second
        return turn.T @ moments @ turn - jnp.diag(values)

    off = over_chips(one, in_axes=(0, None))(keys, form)
    upper = np.triu_indices(len(values))
    independent = jnp.outer(values, values) * (1 + jnp.eye(len(values))) / n
    squares = {
        name: (off**2 / np.asarray(v))[:, *upper].sum(-1)
        for name, v in (("chi_square", variance), ("naive", independent))
    }
    grid = np.linspace(0.2, 2.4, 221) * len(upper[0])
    density = jax.scipy.stats.chi2.pdf(jnp.asarray(grid, jnp.float32), len(upper[0]))
    return xr.Dataset(
        {
            "chi_square": ("run", squares["chi_square"]),
            "naive_chi_square": ("run", squares["naive"]),
            "density": ("chi", density),
            "degrees": ((), len(upper[0])),
        },
        {"chi": grid},
    )
