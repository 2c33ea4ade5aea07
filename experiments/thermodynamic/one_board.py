"""One board, run and read: what the SPU figures share, and what a sweep maps.

A figure asks some boards at chosen points; a sweep asks thousands anywhere. A chip
is a board: its components follow from its index and the batch, the key is the noise
of one experiment.
"""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from experiments.thermodynamic import errors, machine
from experiments.validate import (
    Count,
    NonNegative,
    Positive,
    Seed,
    Width,
    check,
    refuse_unless,
)
from thermo import propagate
from thermo.circuits import AbstractBoard


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What one experiment on one RLC board depends on; any number may be swept.

    Attributes:
        batch: root of matrix and boards: another batch, other devices.
        size: cells (structural).
        tolerance: rms spread of capacitors, R, L and noise power (ASSUMED).
        rc: of a cell alone, us (ASSUMED).
        quality: of a cell alone (ASSUMED).
        coupling: largest capacitor between two cells, relative to that of a cell
            (ASSUMED).
        n_samples: of the experiment (structural).
        interval: between samples, us.
    """

    batch: Seed = 0
    size: Width = machine.N_CELLS
    tolerance: NonNegative = 0.175
    rc: Positive = 1.0
    quality: Positive = 1.0
    coupling: NonNegative = 0.2
    n_samples: Count = machine.N_SAMPLES
    interval: Positive = machine.SAMPLING_INTERVAL

    def __post_init__(self):
        """Check every field; fewer samples than cells have no inverse covariance."""
        check(self)
        enough, words = self.n_samples >= self.size, f"at least size = {self.size}"
        refuse_unless(enough, self, "n_samples", words)


def board_of(
    point: Any,
    chip: Int[Array, ""] | int,
    key_matrix: Key[Array, ""],
    key_boards: Key[Array, ""],
) -> machine.Nominal:
    """Board number `chip` as it is, and the covariance wanted of it, V^2.

    Args:
        point: fields of `Experiment`; numbers that are not structural may be traced.
        chip: index of the board.
        key_matrix: of the matrix that all boards of a batch are programmed with.
        key_boards: of their components.
    """
    drawn = machine.nominal(
        key_matrix, point.size, point.rc, point.quality, point.coupling
    )
    return drawn._replace(
        board=machine.real(key_boards, chip, drawn.board, point.tolerance)
    )


def measured(
    key: Key[Array, ""],
    board: AbstractBoard,
    target: Float[Array, "d d"],
    point: Any,
    trace: bool = False,
) -> dict[str, Any]:
    """Run one board once: how wrong its covariance is, and what theory expects.

    Args:
        key: of the noise.
        board: as it is.
        target: covariance of the voltages that was wanted, V^2.
        point: has `n_samples` and `interval`.
        trace: also return every sample.

    Returns:
        Relative Frobenius errors: `error` of this experiment, `expected` rms error
        of such experiments, their `floor` (infinitely many samples), `fitted_floor`
        (after the best single factor) and `statistical` part; `covariance`, V^2,
        `(d, d)`; if traced `v`, V, `(n_samples, d)`.
    """
    form = board.linear()
    stepper = propagate.propagator(form, point.interval)
    found = propagate.moments(key, stepper, point.n_samples).second
    law = errors.error_law(form, target, (point.n_samples,), point.interval)
    kept = {
        "error": errors.relative_error(found, target),
        "expected": law.total[0],
        "floor": law.floor,
        "fitted_floor": law.fitted_floor,
        "statistical": law.statistical[0],
        "covariance": found,
    }
    if trace:
        kept["v"] = propagate.trajectory(key, stepper, point.n_samples)
    return kept


def correlation(
    estimate: Float[Array, "d d"], target: Float[Array, "d d"]
) -> Float[Array, ""]:
    """How well the sampled entries follow the wanted ones; each entry counts once.

    Example:
        >>> found = correlation(jnp.diag(jnp.array([1.0, 3.0])), jnp.eye(2))
        >>> round(float(found), 4)  # 2 / sqrt(7)
        0.7559
    """
    upper = jnp.triu_indices(len(target))
    return jnp.corrcoef(estimate[upper], target[upper])[0, 1]
