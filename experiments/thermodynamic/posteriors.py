"""One board and one Gaussian posterior: what regression and last layers share."""

from typing import Any

import jax
from jaxtyping import Array, Key

from experiments.thermodynamic import machine
from thermo import inference, program_precision
from thermo.circuits.programming import Programmed

Keys = tuple[Key[Array, ""], Key[Array, ""]]
"""Of the components, and of the noise."""


def program(point: Any, matrix: jax.Array) -> Programmed:
    """The ideal board of a matrix whose entries are of about 1; see `machine`."""
    return program_precision(
        matrix,
        resistance=point.rc,
        inductance=(point.rc / point.quality) ** 2,
        scale=1.0,
        component_range=(0.0, float("inf")),
    )


def read(
    point: Any, keys: Keys, wanted: inference.Information, held: inference.Held
) -> inference.Reading:
    """What one board with component tolerances reads of a posterior.

    Args:
        point: fields of `one_board.Board`, and `interval`.
        keys: of the board.
        wanted: the posterior.
        held: its precision, as the board holds it.
    """
    made = program(point, held.matrix)
    board: Any = made.board
    return inference.posterior(
        keys[1],
        wanted,
        held,
        made,
        n_samples=point.n_samples,
        interval=point.interval,
        board=machine.real(keys[0], board, point.tolerance),
    )


def read_doubled(
    point: Any, keys: Keys, wanted: inference.Information
) -> inference.Reading:
    """The same on twice the cells; the diagonal grows where it has to."""
    growth = inference.least_growth(wanted.precision)
    held = inference.hold_doubled(wanted.precision, growth=growth)
    return read(point, keys, wanted, held)
