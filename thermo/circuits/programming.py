"""From a matrix to the components of a board, and back from voltages to its inverse."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from thermo import checks
from thermo.circuits.board import AbstractBoard, Scalar
from thermo.circuits.components import (
    check_faithful,
    check_range,
    check_within,
    passive_components,
)
from thermo.circuits.op_amp import OpAmpBoard
from thermo.circuits.rc import RCBoard
from thermo.circuits.rlc import RLCBoard
from thermo.precision import in_double
from thermo.reals import is_traced, real_array, working_dtype


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

        Raises:
            ValueError: if it is not of finite real numbers, or not of `d` cells.
        """
        d = self.board.n_cells
        if (shape := real_array("second_moment", second_moment).shape)[-2:] != (d, d):
            raise ValueError(
                f"second_moment has shape {shape}: must be (..., {d}, {d})"
            )
        checks.finite("second_moment", second_moment)
        return in_double(
            lambda moment, scale, temperature: scale / temperature * moment,
            second_moment=second_moment,
            scale=self.scale,
            temperature=self.temperature,
        )


def program_precision(
    precision: jax.Array,
    *,
    circuit: str = "rlc",
    temperature: Scalar = 1.0,
    resistance: Scalar | None = None,
    inductance: Scalar | None = None,
    capacitance: Scalar | None = None,
    component_range: tuple[float, float] = (0.0, 1.0),
    scale: float | None = None,
) -> Programmed:
    r"""A board whose voltages have precision proportional to `precision`.

    Whatever the circuit, $\langle v v^\mathsf T\rangle = T^* (s P)^{-1}$:

    - ``"rlc"``: capacitors $C = s P$, the SPU; ``"capacitive"``: the same without
      coils; both with $\kappa_i = T^*/R_i$.
    - ``"resistive"``: resistors $G = s P$, equal capacitors c, $\kappa = T^* c$.
    - ``"op-amp"``: as resistive, and P may be any positive definite matrix.

    Components are computed in doubles, then rounded to the working precision. A matrix
    whose inverse that would move by more than 0.1 % is refused: in float32 beyond a
    condition number of about 1e4 to 1e6, in float64 of 1e13, rows and columns scaled
    to a diagonal of 1.

    Args:
        precision: P, symmetric positive definite, `(d, d)`.
        circuit: one of the four.
        temperature: T*, nJ (V^2 for resistive and op-amp).
        resistance: of the cells to ground, kΩ, `(d,)` or one for all; None is 1 (rlc
            and capacitive; refused for others).
        inductance: mH, `(d,)` or one for all; None is 1 (rlc).
        capacitance: of each cell to ground, nF, `(d,)` or one for all; None is 1
            (resistive, op-amp).
        component_range: smallest and largest component, nF (mS for resistors); the
            largest may be infinite where a scale is given.
        scale: nF or mS per unit of P; None fills the range.

    Raises:
        ValueError: naming the entry of P that the circuit cannot represent, a component
            out of the range, or an option that makes no sense or has no use.

    Example:
        >>> import jax.numpy as jnp
        >>> program = program_precision(jnp.array([[2.0, -1.0], [-1.0, 2.0]]))
        >>> program.board.capacitance()
        Array([[ 2., -1.],
               [-1.,  2.]], dtype=float32)
        >>> program_precision(jnp.array([[2.0, 1.0], [1.0, 2.0]]))
        Traceback (most recent call last):
            ...
        ValueError: precision matrix[0, 1] = 1: passive coupling needs every
        off-diagonal entry <= 0 (it makes non-negative correlations only).
        `double(matrix)` represents it on twice the cells, as does an op-amp board on
        the same cells.
    """
    return _program(
        "precision matrix",
        precision,
        circuit=circuit,
        temperature=temperature,
        resistance=resistance,
        inductance=inductance,
        capacitance=capacitance,
        component_range=component_range,
        scale=scale,
    )


def program_matrix(matrix: jax.Array, **options: Any) -> Programmed:
    """A board that inverts `matrix`: its precision.

    Options and errors are those of `program_precision`.
    """
    return _program("matrix", matrix, **options)


def program_covariance(covariance: jax.Array, **options: Any) -> Programmed:
    """A board that samples N(0, covariance), up to scale.

    The covariance is inverted in double precision, at set-up.

    Args:
        covariance: symmetric positive definite, `(d, d)`; for passive circuits its
            inverse must be an M-matrix. Variables may have units far apart.
        options: of `program_precision`.

    Raises:
        ValueError: as `program_precision`, of the inverse.

    Example:
        >>> import jax.numpy as jnp
        >>> program = program_covariance(jnp.array([[2.0, 1.0], [1.0, 2.0]]))
        >>> program.board.coupling
        Array([[0., 1.],
               [1., 0.]], dtype=float32)
    """
    checks.positive_definite("covariance", covariance)
    dtype = working_dtype(covariance)
    value = checks.values("covariance", covariance)
    if value is None:
        inverse = jnp.linalg.inv(real_array("covariance", covariance))
    else:
        own = np.sqrt(value.diagonal())
        inverse = np.linalg.inv(value / own[:, None] / own[None, :])
        inverse = (inverse + inverse.T) / 2 / own[:, None] / own[None, :]
    return _program("inverse of covariance", inverse, dtype, **options)


def _program(
    name,
    precision,
    dtype=None,
    *,
    circuit="rlc",
    temperature: Scalar = 1.0,
    resistance: Scalar | None = None,
    inductance: Scalar | None = None,
    capacitance: Scalar | None = None,
    component_range: tuple[float, float] = (0.0, 1.0),
    scale: Any = None,
):
    if circuit not in list(CIRCUITS):
        raise ValueError(f"circuit = {circuit!r}: must be one of {sorted(CIRCUITS)}.")
    checks.symmetric(name, precision)
    checks.interval("temperature", temperature)
    make, used = CIRCUITS[circuit]
    values = {
        "resistance": resistance,
        "inductance": inductance,
        "capacitance": capacitance,
    }
    for option, value in values.items():
        if value is not None and option not in used:
            raise ValueError(
                f"{option} = {value}: a circuit {circuit!r} does not use it and takes "
                f"None. It uses {' and '.join(used)}."
            )
    dtype = working_dtype(precision) if dtype is None else dtype
    cells = {"temperature": temperature, **{n: values[n] for n in used}}
    cells = {n: _cells(n, x, len(precision), dtype) for n, x in cells.items()}
    board, scale = make(name, precision, cells, component_range, scale)
    board, scale = jax.tree.map(
        lambda x: x.astype(dtype) if hasattr(x, "dtype") else x, (board, scale)
    )
    made = board.conductance if isinstance(board, OpAmpBoard) else _node_matrix(board)
    check_faithful(name, precision, made, scale)
    return Programmed(board, scale, temperature)


def _cells(name, value, d, dtype):
    value = 1.0 if value is None else value
    checks.positive(name, value)
    checks.shaped(name, value, (), (d,))
    return jnp.broadcast_to(jnp.asarray(real_array(name, value)).astype(dtype), (d,))


def _node_matrix(board):
    """The matrix that was programmed, of the rounded components, in doubles."""
    if is_traced(board):
        return board.capacitance()
    resistive = isinstance(board, RCBoard) and np.ndim(board.coupling_conductance)
    between = board.coupling_conductance if resistive else board.coupling
    to_ground = 1 / board.resistance if resistive else board.ground_capacitance
    between, to_ground = np.asarray(between, float), np.asarray(to_ground, float)
    return np.diag(to_ground + between.sum(-1)) - between


def _rlc(name, precision, cells, component_range, scale):
    made = passive_components(precision, component_range, scale, name=name)
    board = RLCBoard(
        ground_capacitance=made.to_ground,
        coupling=made.between,
        inductance=cells["inductance"],
        resistance=cells["resistance"],
        noise=cells["temperature"] / cells["resistance"],
    )
    return board, made.scale


def _capacitive(name, precision, cells, component_range, scale):
    made = passive_components(precision, component_range, scale, name=name)
    board = RCBoard(
        ground_capacitance=made.to_ground,
        coupling=made.between,
        resistance=cells["resistance"],
        noise=cells["temperature"] / cells["resistance"],
    )
    return board, made.scale


def _resistive(name, precision, cells, component_range, scale):
    made = passive_components(precision, component_range, scale, name=name)
    board = RCBoard(
        ground_capacitance=cells["capacitance"],
        coupling_conductance=made.between,
        resistance=1 / made.to_ground,
        noise=cells["temperature"] * cells["capacitance"],
    )
    return board, made.scale


def _op_amp(name, precision, cells, component_range, scale):
    check_range(component_range, scale)
    checks.positive_definite(name, precision)

    def law(precision, high, scale):
        scale = high / jnp.max(jnp.abs(precision)) if scale is None else scale
        return scale * precision, jnp.asarray(scale)

    named = {name: precision, "component_range": component_range[1], "scale": scale}
    conductance, scale = in_double(law, **named)
    check_within({"conductance": conductance}, component_range, scale)
    board = OpAmpBoard(
        conductance=conductance,
        ground_capacitance=cells["capacitance"],
        noise=cells["temperature"] * cells["capacitance"],
    )
    return board, scale


CIRCUITS: dict[str, tuple[Callable, tuple[str, ...]]] = {
    "rlc": (_rlc, ("resistance", "inductance")),
    "capacitive": (_capacitive, ("resistance",)),
    "resistive": (_resistive, ("capacitance",)),
    "op-amp": (_op_amp, ("capacitance",)),
}
"""How each circuit is made, and which options it uses."""
