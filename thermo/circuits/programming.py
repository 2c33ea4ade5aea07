"""From a matrix to the components of a board, and back from voltages to its inverse."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from thermo import checks
from thermo.circuits.board import AbstractBoard, Scalar
from thermo.circuits.components import passive_components
from thermo.circuits.op_amp import OpAmpBoard
from thermo.circuits.rc import RCBoard
from thermo.circuits.rlc import RLCBoard


class Programmed(NamedTuple):
    r"""A board whose equilibrium is the wanted Gaussian.

    Attributes:
        board: with $\langle v v^\mathsf T\rangle = T^* (s P)^{-1}$.
        scale: s, nF (or mS) per unit of the matrix.
        temperature: T*, nJ for capacitors (V^2 for resistors and op-amps).
    """

    board: AbstractBoard
    scale: jax.Array
    temperature: Scalar

    def inverse(self, second_moment: jax.Array) -> jax.Array:
        r"""Estimate $P^{-1} = (s/T^*)\langle v v^\mathsf T\rangle$ from voltages.

        Args:
            second_moment: mean of v v^T, V^2, `(..., d, d)`; no mean is subtracted.
        """
        return self.scale / self.temperature * second_moment


def program_precision(
    precision: jax.Array,
    *,
    circuit: str = "rlc",
    temperature: Scalar = 1.0,
    resistance: Scalar = 1.0,
    inductance: Scalar = 1.0,
    capacitance: Scalar = 1.0,
    component_range: tuple[float, float] = (0.0, 1.0),
    scale: float | None = None,
) -> Programmed:
    r"""A board whose voltages have precision proportional to `precision`.

    Whatever the circuit, $\langle v v^\mathsf T\rangle = T^* (s P)^{-1}$:

    - ``"rlc"``: capacitors $C = s P$, the SPU; ``"capacitive"``: the same without
      coils; both with $\kappa_i = T^*/R_i$.
    - ``"resistive"``: resistors $G = s P$, equal capacitors c, $\kappa = T^* c$.
    - ``"op-amp"``: as resistive, and P may be any positive definite matrix.

    Args:
        precision: P, symmetric positive definite, `(d, d)`.
        circuit: one of the four.
        temperature: T*, nJ (V^2 for resistive and op-amp).
        resistance: of the cells to ground, kOhm (rlc, capacitive).
        inductance: mH (rlc).
        capacitance: of each cell to ground, nF (resistive, op-amp).
        component_range: smallest and largest component, nF (mS for resistors).
        scale: nF or mS per unit of P; None fills the range.

    Example:
        >>> import jax.numpy as jnp
        >>> program = program_precision(jnp.array([[2.0, -1.0], [-1.0, 2.0]]))
        >>> program.board.capacitance()
        Array([[ 2., -1.],
               [-1.,  2.]], dtype=float32)
        >>> program_precision(jnp.array([[2.0, 1.0], [1.0, 2.0]]))
        Traceback (most recent call last):
            ...
        ValueError: matrix[0, 1] = 1: passive coupling needs every off-diagonal entry
        <= 0 (it makes non-negative correlations only). `double(matrix)` represents it
        on twice the cells, as does an op-amp board on the same cells.
    """
    if circuit not in CIRCUITS:
        raise ValueError(f"circuit = {circuit!r}: must be one of {sorted(CIRCUITS)}.")
    precision = jnp.asarray(precision)
    if not jnp.issubdtype(precision.dtype, jnp.floating):
        precision = precision.astype(float)
    values = {
        "temperature": temperature,
        "resistance": resistance,
        "inductance": inductance,
        "capacitance": capacitance,
    }
    for name, value in values.items():
        checks.positive(name, value)
    cells = {
        name: jnp.broadcast_to(jnp.asarray(value, precision.dtype), len(precision))
        for name, value in values.items()
    }
    board, scale_ = CIRCUITS[circuit](precision, cells, component_range, scale)
    return Programmed(board, scale_, temperature)


def program_matrix(matrix: jax.Array, **options: Any) -> Programmed:
    """A board that inverts `matrix`: its precision. Options of `program_precision`."""
    return program_precision(matrix, **options)


def program_covariance(covariance: jax.Array, **options: Any) -> Programmed:
    """A board that samples N(0, covariance), up to scale.

    The covariance is inverted in double precision, at set-up.

    Args:
        covariance: symmetric positive definite, `(d, d)`; for passive circuits its
            inverse must be an M-matrix.
        options: of `program_precision`.

    Example:
        >>> import jax.numpy as jnp
        >>> program = program_covariance(jnp.array([[2.0, 1.0], [1.0, 2.0]]))
        >>> program.board.coupling
        Array([[0., 1.],
               [1., 0.]], dtype=float32)
    """
    checks.positive_definite("covariance", covariance)
    value = checks.concrete(covariance)
    if value is None:
        return program_precision(jnp.linalg.inv(covariance), **options)
    precision = np.linalg.inv(value.astype(float))
    dtype = jnp.result_type(float) if value.dtype.kind != "f" else value.dtype
    precision = jnp.asarray((precision + precision.T) / 2, dtype)
    return program_precision(precision, **options)


def _rlc(precision, cells, component_range, scale):
    made = passive_components(precision, component_range, scale)
    board = RLCBoard(
        ground_capacitance=made.to_ground,
        coupling=made.between,
        inductance=cells["inductance"],
        resistance=cells["resistance"],
        noise=cells["temperature"] / cells["resistance"],
    )
    return board, made.scale


def _capacitive(precision, cells, component_range, scale):
    made = passive_components(precision, component_range, scale)
    board = RCBoard(
        ground_capacitance=made.to_ground,
        coupling=made.between,
        resistance=cells["resistance"],
        noise=cells["temperature"] / cells["resistance"],
    )
    return board, made.scale


def _resistive(precision, cells, component_range, scale):
    made = passive_components(precision, component_range, scale)
    board = RCBoard(
        ground_capacitance=cells["capacitance"],
        coupling_conductance=made.between,
        resistance=1 / made.to_ground,
        noise=cells["temperature"] * cells["capacitance"],
    )
    return board, made.scale


def _op_amp(precision, cells, component_range, scale):
    checks.positive_definite("matrix", precision)
    most = jnp.max(jnp.abs(precision))
    scale_ = component_range[1] / most if scale is None else jnp.asarray(scale)
    board = OpAmpBoard(
        conductance=scale_ * precision,
        ground_capacitance=cells["capacitance"],
        noise=cells["temperature"] * cells["capacitance"],
    )
    return board, scale_


CIRCUITS: dict[str, Callable] = {
    "rlc": _rlc,
    "capacitive": _capacitive,
    "resistive": _resistive,
    "op-amp": _op_amp,
}
