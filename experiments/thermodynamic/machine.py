"""The published machine as far as it is known, and what has to be assumed.

Known: eight cells, any two of them joined, three copies (STATED); a sampling rate of
12 MHz (STATED, second hand); 12,000 samples for an inverse (STATED in press coverage).
Component values, matrices, tolerances and the calibration are not known: what stands
for them here is ASSUMED, and every figure says so.
"""

from dataclasses import fields
from functools import partial
from typing import Annotated, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from experiments.validate import bounds
from thermo.circuits import RLCBoard, Tolerances, draw_board, program_precision
from thermo.circuits.units import Scalar

Matrix = Float[Array, "d d"]
"""Of all cells: a precision, or a covariance, V^2."""

KINDS = tuple(field.name for field in fields(Tolerances))
"""Of component."""
N_CELLS = 8
"""STATED."""
N_PUBLISHED_BOARDS = 3
"""STATED."""
Boards = Annotated[int, bounds(N_PUBLISHED_BOARDS, 2**31 - 1)]
"""How many; the first three stand for the published ones."""
SAMPLING_INTERVAL = 1 / 12
"""us; STATED, second hand: 12 MHz."""
N_SAMPLES = 12_000
"""STATED in press coverage: behind the error of the 8x8 inverse."""

ERROR_PUBLISHED = (0.25, 0.30)
"""STATED in press coverage: relative error of the 8x8 inverse after `N_SAMPLES`."""

PRESS = "press coverage of the SPU paper"
REVIEW = "review of the SPU preprint (second hand)"


def random_matrix(key: Key[Array, ""], d: int, coupling: Scalar = 0.2) -> Matrix:
    """A matrix that capacitors can represent (ASSUMED: the published ones are unknown).

    In units of a cell's capacitor: each to ground uniform in [0.8, 1.2], each between
    two cells uniform in [0, `coupling`]. At d = 8 its condition number is about 2, at
    a coupling of 1 about 6.

    Example:
        >>> matrix = random_matrix(jax.random.key(0), 2)
        >>> bool(matrix[0, 1] <= 0), matrix.shape
        (True, (2, 2))
    """
    key_ground, key_between = jr.split(key)
    ground = jr.uniform(key_ground, (d,), minval=0.8, maxval=1.2)
    upper = jnp.triu(coupling * jr.uniform(key_between, (d, d)), 1)
    between = upper + upper.T
    return jnp.diag(ground + between.sum(1)) - between


class Nominal(NamedTuple):
    """A board as it is drawn, and the covariance that its voltages should have.

    Attributes:
        board: without imperfections.
        target: V^2, `(d, d)`.
    """

    board: RLCBoard
    target: jax.Array


def program(matrix: Matrix, *, rc: Scalar = 1.0, quality: Scalar = 1.0) -> Nominal:
    r"""The nominal RLC board of a matrix whose unit is a cell's capacitor of 1 nF.

    $R = RC / 1\,\mathrm{nF}$ and $L = R^2 \cdot 1\,\mathrm{nF}/Q^2$, alike in all
    cells; T* is 1 nJ (voltages of about 1 V; no ratio depends on it). ASSUMED; RC of
    1 µs is what later papers of the same group take (STATED there).

    Args:
        matrix: symmetric M-matrix with entries of about 1.
        rc: of a cell alone, µs.
        quality: of a cell alone, R sqrt(C / L).

    Example:
        >>> program(jnp.array([[2.0, -1.0], [-1.0, 2.0]]), rc=3.0).board.resistance
        Array([3., 3.], dtype=float32)
    """
    made = program_precision(
        matrix,
        resistance=rc,
        inductance=(rc / quality) ** 2,
        scale=1.0,
        component_range=(0.0, float("inf")),
    )
    assert isinstance(made.board, RLCBoard)
    return Nominal(made.board, jnp.linalg.inv(matrix))


@partial(jax.jit, static_argnames="d")
def nominal(
    key: Key[Array, ""], d: int, rc: Scalar, quality: Scalar, coupling: Scalar = 0.2
) -> Nominal:
    """The board of a `random_matrix`."""
    return program(random_matrix(key, d, coupling), rc=rc, quality=quality)


def real(key: Key[Array, ""], board: RLCBoard, tolerance: Scalar) -> RLCBoard:
    """A board with capacitors, resistors, coils and noise power off at random.

    Deviations are scaled by the relative rms tolerance; at 0 the board is ideal.
    """
    return draw_board(key, board, Tolerances(**dict.fromkeys(KINDS, tolerance)))
