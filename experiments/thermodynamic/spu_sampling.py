"""Eight-dimensional Gaussian samples from three boards, and from an ideal one."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import scipy.stats
import xarray as xr

from chipsweep import Keys
from experiments.claims import Claim, above, judged, within
from experiments.contract import Sweep, base_of, of_one_seed
from experiments.thermodynamic import machine, one_board
from experiments.thermodynamic.spu_sampling_figure import plot as plot
from experiments.validate import Count, NonNegative
from thermo import exact, propagate

DIMS = one_board.DIMS | {"samples": ("sample", "cell")}
UNITS = one_board.UNITS | {"samples": "V"}
REPRODUCES = "SPU: Gaussian samples in eight dimensions on three boards"

DEGREES = machine.N_CELLS * (machine.N_CELLS + 1) // 2
"""Of freedom: the entries of a symmetric matrix."""


class Config(one_board.Population):
    """Samples of one Gaussian from boards with component tolerances.

    Attributes:
        n_runs: independent runs of the ideal board, for the chi-square.
        coupling: see `one_board.Run`.
    """

    n_runs: Count = 512
    coupling: NonNegative = 1.0


PRESETS = {
    "smoke": Config(n_boards=3, n_samples=480, n_runs=4),
    "large": Config(n_boards=1024, n_runs=8192),
}


def defaults(config: Config) -> one_board.Run:
    """What one run of one board depends on."""
    return base_of(one_board.Run, config)


def simulate(point: Any, chip: Any, keys: Keys, trace: bool = False) -> dict[str, Any]:
    """Let one board sample the Gaussian of its seed.

    Returns:
        As `one_board.simulate`, and about 1000 `samples` of one experiment, V.
    """
    found = one_board.simulate(point, chip, keys, trace=True)
    thin = slice(0, point.n_samples, max(point.n_samples // 1000, 1))
    v = found["v"] if trace else found.pop("v")
    return found | {"samples": v[thin]}


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


def sweeps(config: Config) -> dict[str, Sweep]:
    """The ideal board and real ones; many runs of the ideal one."""
    boards = config.with_ideal(simulate, defaults(config), DIMS)
    ideal, n = replace(boards.base, tolerance=0.0), config.n_runs
    runs = config.sweep(chi_square, ideal, chips=n, chunk=min(n, 64))
    return {"boards": boards, "chi_square": runs}


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Errors and covariances of the boards; the chi-square and its law."""
    names = ("error", "expected", "floor", "covariance", "correlation")
    boards = one_board.boards(config, found["boards"], *names, "samples", "target")
    boards = boards.assign(boards[["samples", "target"]].isel(board=0, drop=True))
    names = ("chi_square", "naive_chi_square")
    runs = of_one_seed(found["chi_square"], *names, chip="run")
    chi = np.linspace(0.2, 2.4, 221) * DEGREES
    law = {"density": ("chi", scipy.stats.chi2.pdf(chi, DEGREES)), "degrees": DEGREES}
    parts = [boards, runs, xr.Dataset(law, {"chi": chi})]
    whole = xr.merge(parts, combine_attrs="drop")
    return whole.assign_attrs(config.facts("a random precision matrix"))


def claims(dataset: xr.Dataset) -> list[Claim]:
    """The published statements on sampling, judged."""
    reduced = dataset.chi_square / dataset.degrees
    margin = 3 * float(reduced.std(ddof=1)) / dataset.sizes["run"] ** 0.5
    mean = float(reduced.mean())
    follows = dataset.correlation.sel(board=slice(1, machine.N_PUBLISHED_BOARDS))
    review = machine.REVIEW
    return [
        judged(
            dataset,
            "Gaussian samples agree with theory (ours: ideal board, chi-square "
            "of the covariance per degree of freedom, mean and 3 standard errors)",
            review,
            (mean - margin, mean, mean + margin),
            partial(within, 1.0),
            published=1.0,
        ),
        judged(
            dataset,
            "the three boards sample the Gaussian asked for (ours: correlation "
            "of wanted and sampled entries, at an ASSUMED tolerance of "
            f"{dataset.assumed_tolerance:.1%}; above 0.9 counts)",
            review,
            follows,
            partial(above, 0.9),
        ),
    ]
