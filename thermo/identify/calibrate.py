"""A programme that allows for what a board was found to be."""

import dataclasses
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from thermo import checks
from thermo.circuits.board import AbstractBoard, maxwell
from thermo.circuits.rc import RCBoard
from thermo.exact.estimators import sampled_variance
from thermo.identify.components import (
    altered,
    check_alike,
    in_doubles,
    selection,
)
from thermo.identify.covariances import at_rest
from thermo.identify.identified import Identified
from thermo.identify.scoring import LEAST
from thermo.precision import full_precision

ROUNDS = 60
CLOSE = 1e-10
"""Relative change of the predicted covariance at which rounds end."""
FELT = 0.1
"""Relative change of a covariance, by factors of e in what nobody knows, that is too
much for a prediction."""


@dataclass(frozen=True, kw_only=True)
class Calibration:
    r"""How to set a board, and what inverse to expect of it.

    Attributes:
        board: what to set, in nominal values.
        real: what the board then is, as far as it was identified.
        target: covariance that is wanted, V^2, `(d, d)`.
        covariance: that is predicted, V^2.
        floor_before: relative Frobenius error of infinitely many samples, as set
            until now.
        residual: the same as set anew, components being what they were found to be:
            0 but where a capacitor would have to be negative.
        uncertainty: rms error that the standard errors of the components leave; what
            the record says nothing of counts as off by a factor of e.
    """

    board: AbstractBoard
    real: AbstractBoard
    target: np.ndarray
    covariance: np.ndarray
    floor_before: float
    residual: float
    uncertainty: float

    @property
    def floor(self) -> float:
        """Error floor to expect: the residual and the uncertainty."""
        return float(np.hypot(self.residual, self.uncertainty))

    def statistical(self, dt: float, n_samples: int) -> float:
        """Part of the error that more samples cure, of samples every `dt`.

        Args:
            dt: us.
            n_samples: of one record.

        Raises:
            ValueError: if `dt` is not positive, or `n_samples` not whole.
        """
        form = self.real.linear()
        variance = sampled_variance(
            form.drift, form.diffusion, dt=dt, n_samples=n_samples, readout=form.readout
        )
        total = np.sqrt(np.asarray(variance, float).sum())
        return float(total / np.linalg.norm(self.target))


class _Network(NamedTuple):
    """The components that hold the matrix: to ground, between, and in what unit."""

    ground: str
    between: str
    inverse: bool


def calibrated(
    board: AbstractBoard, found: Identified, target: Any = None
) -> Calibration:
    r"""Set a board so that its covariance is what it should be on paper.

    The matrix X of the capacitors (of the resistors, where those couple) is moved by
    what the predicted precision lacks,

    $$ X \leftarrow X + T\,(S_0^{-1} - S(X)^{-1}), $$

    until nothing is lacking; a component is then set to what it shall be, over the
    factor by which it was found to be off. Unequal $\kappa_i R_i$ are allowed for by
    the matrix alone: noise and resistors stay as they are.

    Args:
        board: as it would be programmed if it were exact, for instance by
            `program_matrix`; of the size of the one that was identified.
        found: of the board, by `identify`.
        target: covariance that is wanted, V^2, `(d, d)`; None is what `board` has on
            paper.

    Returns:
        The settings and the errors to expect.

    Raises:
        ValueError: if the boards are not alike, the target is no covariance of so many
            cells, or the covariance depends on components that were not identified,
            naming them.

    Example:
        >>> import jax, thermo
        >>> from thermo.identify import identify
        >>> matrix = jax.numpy.array([[2.0, -1.0], [-1.0, 2.0]])
        >>> nominal = thermo.program_matrix(matrix, circuit="capacitive").board
        >>> off = thermo.Tolerances(capacitance=0.2)
        >>> real = thermo.draw_board(jax.random.key(1), nominal, off)
        >>> step = thermo.propagator(real, 0.1)
        >>> v = thermo.trajectory(jax.random.key(2), step, 20_000)
        >>> known = ("resistance", "noise")
        >>> better = calibrated(nominal, identify(nominal, v, 0.1, known=known))
        >>> bool(better.floor < better.floor_before / 3)
        True
    """
    if not isinstance(found, Identified):
        raise ValueError(f"found = {found!r:.60}: must be Identified.")
    check_alike([found.board, board])
    nominal, network = in_doubles(board), _network(board)
    target = _settled(nominal) if target is None else _wanted(target, board)
    before = altered_by(nominal, found)
    covariance = _settled(before)
    setting, real = nominal, before
    for _ in range(ROUNDS):
        matrix = _corrected(real, network, target, covariance)
        setting = _set(nominal, found, network, matrix)
        real = altered_by(setting, found)
        last, covariance = covariance, _settled(real)
        if _apart(covariance, last) < CLOSE:
            break
    return Calibration(
        board=setting,
        real=real,
        target=target,
        covariance=covariance,
        floor_before=_apart(_settled(before), target),
        residual=_apart(covariance, target),
        uncertainty=_uncertainty(setting, found, target),
    )


_rest = jax.jit(full_precision(at_rest))


@full_precision
@partial(jax.jit, static_argnames="sought")
def _slopes(log_factors, setting, *, sought):
    """Of the covariance, `(d, d, n)`."""
    return jax.jacfwd(lambda x: at_rest(altered(setting, sought, x)))(log_factors)


def altered_by(board: Any, found: Identified) -> Any:
    """The board with every component off as it was found to be, in doubles."""
    with jax.enable_x64(True):
        return in_doubles(altered(board, found.sought, jnp.asarray(found.log_factors)))


def _wanted(target: Any, board: AbstractBoard) -> np.ndarray:
    checks.same_size("target", target, board.n_cells, "board")
    checks.positive_definite("target", target)
    value = checks.values("target", target)
    if value is None:
        raise ValueError("target is traced: calibrate outside of jit and vmap.")
    return (value + value.T) / 2


def _network(board: AbstractBoard) -> _Network:
    """Where the matrix is: in the resistors if only they couple."""
    resistive = isinstance(board, RCBoard) and not np.any(np.asarray(board.coupling))
    if resistive:
        return _Network("resistance", "coupling_conductance", True)
    return _Network("ground_capacitance", "coupling", False)


def _settled(board: Any) -> np.ndarray:
    """Covariance of the voltages at rest, V^2, in doubles."""
    with jax.enable_x64(True):
        return np.asarray(_rest(board))


def _apart(covariance: np.ndarray, target: np.ndarray) -> float:
    return float(np.linalg.norm(covariance - target) / np.linalg.norm(target))


def _corrected(real, network, target, covariance):
    """The matrix that a board has, moved by what the precision lacks."""
    ground, between = (getattr(real, name) for name in network[:2])
    matrix = np.asarray(maxwell(1 / ground if network.inverse else ground, between))
    has, wanted = np.linalg.inv(covariance), np.linalg.inv(target)
    matrix = matrix + np.sum(matrix * has) / np.sum(has**2) * (wanted - has)
    return (matrix + matrix.T) / 2


def _set(nominal, found, network, matrix):
    """The setting that has a matrix, as far as components can be had.

    What is absent stays so, and nothing can be negative.
    """
    ground, between = (getattr(nominal, name) for name in network[:2])
    coupled = np.where(between > 0, np.maximum(-matrix, 0), 0)
    to_ground = np.maximum(np.diagonal(matrix) - coupled.sum(-1), 0)
    if network.inverse:
        with np.errstate(divide="ignore"):
            to_ground = np.where(np.isfinite(ground), 1 / to_ground, ground)
    else:
        to_ground = np.where(ground > 0, to_ground, 0)
    values = zip(network[:2], (to_ground, coupled), strict=True)
    set_to = {name: x / _factors(nominal, name, found) for name, x in values}
    return dataclasses.replace(nominal, **set_to)


def _factors(board, field, found):
    """By what each entry of a field is off."""
    shape = np.shape(getattr(board, field))
    chosen = selection(shape, field, found.sought)
    return np.exp(chosen @ found.log_factors).reshape(shape)


def _uncertainty(setting, found, target):
    """Rms error of the predicted covariance, to first order."""
    with jax.enable_x64(True):
        slopes = np.asarray(_slopes(found.log_factors, setting, sought=found.sought))
    slopes = slopes.reshape(-1, len(found.sought)) / np.linalg.norm(target)
    blind = slopes @ found.directions()
    if np.linalg.norm(blind) > FELT:
        raise ValueError(
            f"found.unidentified = {', '.join(found.unidentified)}: the covariance "
            "depends on them, and the record does not tell them apart. Name one that "
            "is known, or take traces in place of covariances."
        )
    values, vectors = np.linalg.eigh(found.information)
    along = slopes @ vectors
    return float(np.sqrt((along**2 / np.maximum(values, LEAST)).sum()))
