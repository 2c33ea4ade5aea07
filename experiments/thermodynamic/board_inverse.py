"""A matrix inverted on simulated boards: the error to expect, and the error found."""

from dataclasses import dataclass, replace
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import scipy.linalg as sl

from experiments.thermodynamic import machine
from experiments.validate import Checked, Positive, Seed, bounds, one_of
from thermo import linalg
from thermo.circuits import (
    AbstractBoard,
    OpAmpBoard,
    Tolerances,
    draw_board,
    quantise,
    uniform_levels,
)
from thermo.linalg.preparation import prepared

N_EXPECTED = 32
"""Boards behind an expected floor."""
PASSIVE = ("rlc", "capacitive", "resistive")


class Setup(Checked):
    """The boards, and how long they run.

    Attributes:
        circuit: "auto" (as `thermo.linalg.prepare_inversion` chooses), "rlc",
            "capacitive", "resistive" or "op-amp".
        tolerance: relative rms spread of all components (ASSUMED).
        bits: of couplers and components to ground (ASSUMED).
        time: that a board is read for, µs.
        reads: in this time.
        boards: that are simulated.
        seed: root of all random draws.
    """

    circuit: Annotated[str, one_of("auto", *PASSIVE, "op-amp")] = "auto"
    tolerance: Annotated[float, bounds(0.0, 1.0)] = 0.02
    bits: Annotated[int, bounds(2, 20)] = 8
    time: Positive = 20_000.0
    reads: Annotated[int, bounds(1, 10_000_000)] = 50_000
    boards: Annotated[int, bounds(1, 100)] = 3
    seed: Seed = 0


@dataclass(frozen=True, kw_only=True)
class Inverse:
    """What was expected of the boards, and what they did.

    Errors are of Frobenius norms, relative to that of the exact inverse.

    Attributes:
        preparation: how the matrix came onto the board.
        cells: of the board.
        exact: the inverse, in doubles, `(n, n)`.
        found: of each board, `(boards, n, n)`; NaN where a board does not settle.
        statistical: rms error expected of an ideal board, read so long.
        coarse: error of an ideal board with so many bits, read without end; NaN if it
            does not settle.
        floor: middle error of real boards that settle, read without end: the few that
            nearly do not would rule a mean.
        unsettled: share of real boards, of `N_EXPECTED`, that do not settle.
    """

    preparation: linalg.Preparation
    cells: int
    exact: np.ndarray
    found: np.ndarray
    statistical: float
    coarse: float
    floor: float
    unsettled: float

    @property
    def expected(self) -> float:
        """Error of a middling real board that settles."""
        return float(np.hypot(self.statistical, self.floor))

    @property
    def errors(self) -> np.ndarray:
        """Of each board, `(boards,)`."""
        return relative_errors(self.found, self.exact)


def relative_errors(found: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Of Frobenius norms, matrix by matrix.

    Example:
        >>> relative_errors(np.eye(2)[None] * 1.5, np.eye(2)).tolist()
        [0.5]
    """
    off = np.linalg.norm(found - right, axis=(-2, -1))
    return off / np.linalg.norm(right)


def inverted(matrix: np.ndarray, setup: Setup) -> Inverse:
    """Invert a matrix on several boards.

    The floor is that of boards of their own, drawn apart from those that are simulated.

    Args:
        matrix: `(n, n)`, not singular, in doubles.
        setup: of the boards.

    Raises:
        ValueError: naming what of the matrix or of the setup no board can have.
    """
    size = float(np.abs(matrix).max())
    a = jnp.asarray(matrix / size)  # single precision squares it
    right = np.linalg.inv(matrix / size)
    how = preparation(a, setup.circuit)
    key_ideal, key_floor, key_run = jr.split(jr.key(setup.seed), 3)
    runs: Any = {"time": setup.time, "reads": setup.reads, "preparation": how}
    ideal = linalg.invert(key_ideal, a, **runs)
    made = _coarse(ideal.board, setup.bits)
    read = _reading(a, how, ideal.board)
    each = Tolerances(**dict.fromkeys(machine.KINDS, setup.tolerance))
    floors = np.array(
        [
            _floor(draw_board(jr.fold_in(key_floor, i), made, each), read, right)
            for i in range(N_EXPECTED)
        ]
    )
    works = np.isfinite(floors)
    found = [
        _run(jr.fold_in(key_run, i), a, runs | {"bits": setup.bits, "tolerances": each})
        for i in range(setup.boards)
    ]
    chance = np.linalg.norm(np.asarray(ideal.standard_error, float))
    return Inverse(
        preparation=how,
        cells=ideal.board.n_cells,
        exact=right / size,
        found=np.stack(found) / size,
        statistical=float(chance / np.linalg.norm(right)),
        coarse=_floor(made, read, right),
        floor=float(np.median(floors[works])) if works.any() else np.nan,
        unsettled=float(1 - works.mean()),
    )


def preparation(matrix: jax.Array, circuit: str) -> linalg.Preparation:
    """How a matrix comes onto a board of this circuit.

    Raises:
        ValueError: if the circuit is passive and cannot hold the matrix.
    """
    chosen = linalg.prepare_inversion(matrix)
    if circuit == "auto":
        return chosen
    if circuit == "op-amp":
        return linalg.Preparation(normal=chosen.normal)
    if chosen.circuit == "op-amp":
        raise ValueError(
            f"circuit = {circuit!r}: a passive board cannot hold this matrix: no "
            "scaling makes it diagonally dominant. An op-amp board can: op-amp"
        )
    return replace(chosen, circuit=circuit)


def _coarse(board: Any, bits: int) -> Any:
    """The board of so many bits that `thermo.linalg.invert` makes of an ideal one."""
    if isinstance(board, OpAmpBoard):
        most = 2 ** (bits - 1) - 1
        return quantise(board, coupling=jnp.arange(-most, most + 1) / most)
    levels = uniform_levels(0.0, 1.0, bits)
    return quantise(board, coupling=levels, ground=levels)


def _reading(a: jax.Array, how: linalg.Preparation, ideal: AbstractBoard) -> Any:
    """From second moments of the voltages to the inverse, as `thermo.linalg.invert`."""
    held, w = (np.asarray(x, float) for x in prepared(a, how))
    settled = _settled(ideal)
    assert settled is not None
    unit = np.trace(np.linalg.inv(held)) / np.trace(settled)
    left = np.diag(w)
    left = np.hstack([left, -left]) / 2**0.5 if how.doubled else left
    right = np.asarray(a, float) @ left if how.normal else left
    return lambda moment: unit * left @ moment @ right.T


def _floor(board: AbstractBoard, read: Any, right: np.ndarray) -> float:
    """Error of one board read without end; NaN if it does not settle."""
    moment = _settled(board)
    return np.nan if moment is None else float(relative_errors(read(moment), right))


def _settled(board: AbstractBoard) -> np.ndarray | None:
    """Covariance of the voltages in the end, V^2, in doubles; None without an end."""
    form = board.linear()
    drift, noise, readout = (
        np.asarray(x, float) for x in (form.drift, form.diffusion, form.readout)
    )
    if not np.all(np.isfinite(drift)) or np.linalg.eigvals(drift).real.min() <= 0:
        return None
    return readout @ sl.solve_continuous_lyapunov(drift, noise) @ readout.T


def _run(key: Any, a: jax.Array, how: Any) -> np.ndarray:
    try:
        return np.asarray(linalg.invert(key, a, **how).value, float)
    except ValueError:  # an ideal board took all this: chance made this one unstable
        return np.full(a.shape, np.nan)
