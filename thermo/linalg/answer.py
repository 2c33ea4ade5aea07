"""What a board gave: of the three calls of `thermo.linalg`."""

from typing import NamedTuple

import jax

from thermo.circuits import AbstractBoard
from thermo.linalg.preparation import Preparation

__all__ = ["Answer"]


class Answer(NamedTuple):
    """What a board gave, how far to trust it, and how it was asked.

    Attributes:
        value: the answer, in the units of the question.
        standard_error: of each number of it, predicted by theory for this board; what
            tolerances and coarse components do to the board itself is not part of it.
            It carries no derivative.
        time: that the board would take, burn-in included, µs; without loading the
            matrix and reading out.
        preparation: what was done to the matrix first; `str` says it in words.
        board: that ran.
    """

    value: jax.Array
    standard_error: jax.Array
    time: jax.Array
    preparation: Preparation
    board: AbstractBoard
