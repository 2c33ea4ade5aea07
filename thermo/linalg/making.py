"""From a matrix to the board that is run: prepared, programmed, with imperfections."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from thermo import checks
from thermo.circuits import (
    AbstractBoard,
    OpAmpBoard,
    Tolerances,
    draw_board,
    program_matrix,
    quantise,
    uniform_levels,
)
from thermo.linalg.chip import check_bits
from thermo.linalg.preparation import (
    Preparation,
    check_preparation,
    prepare_inversion,
    prepared,
)
from thermo.precision import in_double
from thermo.reals import working_dtype


class Made(NamedTuple):
    """A board, and the map from its voltages to the variables of the question."""

    board: AbstractBoard
    left: jax.Array
    preparation: Preparation


def program(key, matrix, how, tolerances, bits):
    """The board, with its imperfections, that is programmed with the matrix."""
    how = prepare_inversion(matrix) if how is None else how
    check(matrix, how, tolerances, bits)
    dtype = working_dtype(matrix)
    ready, w = in_double(lambda a: prepared(a, how), matrix=matrix)
    programmed = program_matrix(ready, circuit=how.circuit)
    unit = jnp.sqrt(programmed.scale / programmed.temperature).astype(dtype)
    eye = jnp.diag(w)
    left = jnp.concatenate([eye, -eye], axis=1) / 2**0.5 if how.doubled else eye
    board = imperfect(key, programmed.board, tolerances, bits)
    return Made(board, unit * left, how)


def check(matrix, how, tolerances, bits):
    """Refuse what no board is made of, naming it."""
    check_preparation("preparation", how)
    if how.normal:
        checks.square("matrix", matrix)
        checks.finite("matrix", matrix)
    elif how.circuit == "op-amp" and how.scaling == "none":
        checks.stable("matrix", matrix)
    else:
        checks.positive_definite("matrix", matrix)
    if tolerances is not None and not isinstance(tolerances, Tolerances):
        raise ValueError(f"tolerances = {tolerances!r:.60}: must be Tolerances.")
    check_bits(bits)


def imperfect(key, board, tolerances, bits):
    """The board that is made: of coarse components first, each off by its tolerance."""
    if bits is not None and isinstance(board, OpAmpBoard):
        most = 2 ** (bits - 1) - 1  # 0 is among them, exactly
        levels = jnp.arange(-most, most + 1) / most
        board = quantise(board, coupling=levels)
    elif bits is not None:
        levels = uniform_levels(0.0, 1.0, bits)
        board = quantise(board, coupling=levels, ground=levels)
    return board if tolerances is None else draw_board(key, board, tolerances)
