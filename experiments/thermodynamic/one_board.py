"""One board, run and read: what inversion and sampling share.

All boards of a seed are programmed with the same matrix; a chip is a board, with
components and noise of its own.
"""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr
from jaxtyping import Array, Float, Key

from chipsweep import Keys
from experiments.contract import Seeded, Sweep, of_one_seed
from experiments.thermodynamic import errors, machine
from experiments.thermodynamic.machine import Matrix
from experiments.validate import Checked, NonNegative, Positive, Width
from thermo import propagate
from thermo.circuits import AbstractBoard

DIMS = {
    "error": ("length",),
    "expected": ("length",),
    "statistical": ("length",),
    "covariance": ("cell", "other"),
    "target": ("cell", "other"),
}
"""Of the outputs of `measured`; the lengths are those of `errors.stretches`."""
UNITS = {"covariance": "V²", "target": "V²"}


class Sampled(Checked):
    """How fast a board is, and how long it runs.

    Attributes:
        rc: of a cell alone, µs (ASSUMED).
        n_samples: where the published error is read off; a run is four times as
            long (structural).
    """

    rc: Positive = 1.0
    n_samples: errors.Record = machine.N_SAMPLES


class Board(Sampled):
    """What is assumed of an RLC board.

    Attributes:
        tolerance: rms spread of capacitors, R, L and noise power (ASSUMED; the default
            is the middle of what the published error leaves at this RC).
        quality: of a cell alone (ASSUMED).
    """

    tolerance: NonNegative = 0.175
    quality: Positive = 1.0


class Run(Board):
    """What one run of one RLC board depends on; any number may be swept.

    Attributes:
        size: cells (structural).
        coupling: largest capacitor between two cells, relative to that of a cell
            (ASSUMED); sets how correlated the Gaussian is.
        interval: between samples, µs.
    """

    size: Width = machine.N_CELLS
    coupling: NonNegative = 0.2
    interval: Positive = machine.SAMPLING_INTERVAL

    def __post_init__(self):
        """Check every field; fewer samples than cells have no inverse covariance."""
        super().__post_init__()
        enough, words = self.n_samples >= self.size, f"at least size = {self.size}"
        self.require(enough, "n_samples", words)


class Population(Seeded, Board):
    """Boards with component tolerances, and an ideal one.

    Attributes:
        n_boards: tolerance draws; the first three stand for the published boards.
    """

    n_boards: machine.Boards = 64

    def with_ideal(self, simulate: Callable, base: Run, dims: Any, **axes) -> Sweep:
        """The real boards and the ideal one, which is tolerance 0: one program."""
        axes["tolerance"] = list(dict.fromkeys((0.0, self.tolerance)))
        return self.sweep(simulate, base, axes=axes, chips=self.n_boards, dims=dims)

    def facts(self, matrices: str) -> dict[str, Any]:
        """What a figure has to know; `matrices` says what the boards invert."""
        data = (
            f"simulation at 12 MHz; ASSUMED: {matrices}, tolerance "
            f"{self.tolerance:.1%} rms on C, R, L and noise power, "
            f"RC = {self.rc:g} µs, Q = {self.quality:g}, temperature known; bands: "
            f"middle half of {self.n_boards} boards"
        )
        assumed = {"assumed_rc": self.rc, "assumed_tolerance": self.tolerance}
        return {"data": data, "n_published": self.n_samples, **assumed}


def simulate(point: Any, chip: Any, keys: Keys, trace: bool = False) -> dict[str, Any]:
    """Let one board of a `Run` invert the seed's matrix, by sampling.

    The chip's key draws components and noise. Returns: see `measured`.
    """
    del chip
    board, target = board_of(point, keys)
    return measured(jr.split(keys.chip)[1], board, target, point, trace)


def board_of(point: Any, keys: Keys) -> machine.Nominal:
    """A board as it is, and the covariance wanted of it, V^2.

    Args:
        point: fields of `Run`; numbers that are not structural may be traced.
        keys: the seed's matrix; the board's components.
    """
    of = point.size, point.rc, point.quality, point.coupling
    drawn = machine.nominal(keys.seed, *of)
    key = jr.split(keys.chip)[0]
    return drawn._replace(board=machine.real(key, drawn.board, point.tolerance))


def measured(
    key: Key[Array, ""],
    board: AbstractBoard,
    target: Matrix,
    point: Any,
    trace: bool = False,
) -> dict[str, Any]:
    """Run one board: how wrong covariances of its voltages are, and what theory says.

    Args:
        key: of the noise.
        board: as it is.
        target: covariance of the voltages that was wanted, V^2.
        point: has `n_samples`, a fourth of the run, and `interval`.
        trace: also return every sample.

    Returns:
        Relative Frobenius errors, `(lengths,)`: rms `error` of all disjoint stretches
        of each length, the rms error `expected` by theory and its `statistical` part;
        its `floor` (infinitely many samples) and `fitted_floor` (after the best single
        factor); `covariance` of the first `n_samples`, V^2, `(d, d)`, the `target` and
        the `correlation` of their entries; if traced `v`, V, `(4 n_samples, d)`.
    """
    form, counts = board.linear(), errors.stretches(point.n_samples)
    stepper = propagate.propagator(form, point.interval)
    v = propagate.trajectory(key, stepper, counts[-1])
    found = errors.second_moments(v, counts)
    squares = [jnp.mean(errors.relative_error(f, target) ** 2) for f in found]
    law = errors.error_law(form, target, counts, point.interval)
    covariance = found[counts.index(point.n_samples)][0]
    kept = {
        "error": jnp.sqrt(jnp.stack(squares)),
        "expected": jnp.hypot(law["floor"], law["statistical"]),
        "covariance": covariance,
        "target": target,
        "correlation": correlation(covariance, target),
    }
    return kept | law | ({"v": v} if trace else {})


def correlation(estimate: Matrix, target: Matrix) -> Float[Array, ""]:
    """How well the sampled entries follow the wanted ones; each entry counts once.

    Example:
        >>> found = correlation(jnp.diag(jnp.array([1.0, 3.0])), jnp.eye(2))
        >>> round(float(found), 4)  # 2 / sqrt(7)
        0.7559
    """
    upper = jnp.triu_indices(len(target))
    return jnp.corrcoef(estimate[upper], target[upper])[0, 1]


def boards(config: Population, found: xr.Dataset, *outputs: str) -> xr.Dataset:
    """Outputs of `measured` over boards: number 0 is ideal, the others are real.

    Args:
        config: that was asked for.
        found: by `Population.with_ideal`.
        *outputs: their names.
    """
    runs = of_one_seed(found, *outputs, chip="board").rename(length="n_samples")
    # by a dict: `sel` has an argument of that name
    ends = ({"tolerance": t} for t in (config.tolerance, 0.0))
    real, ideal = (runs.sel(end, drop=True) for end in ends)
    whole = xr.concat([ideal.isel(board=[0]), real], "board")
    counts = np.array(errors.stretches(config.n_samples))
    return whole.assign_coords(board=np.arange(whole.sizes["board"]), n_samples=counts)
