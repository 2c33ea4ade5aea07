"""What separates a real board from its drawing: tolerances and coarse components."""

import dataclasses
from dataclasses import dataclass
from typing import TypeVar

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Key

from thermo import checks
from thermo.circuits.board import AbstractBoard, Scalar

Board = TypeVar("Board", bound=AbstractBoard)

# A Gaussian tolerance may not turn a component negative.
SMALLEST_FACTOR = 0.01


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Tolerances:
    """Relative rms spread of component values, Gaussian; 0 switches one off.

    ASSUMED: the spread of the published boards is not known.

    Attributes:
        capacitance: of capacitors to ground and between nodes.
        resistance: of resistors (a conductance is spread likewise).
        inductance: of coils.
        noise: of noise power kappa.
    """

    capacitance: Scalar = 0.0
    resistance: Scalar = 0.0
    inductance: Scalar = 0.0
    noise: Scalar = 0.0


def draw_board(key: Key[Array, ""], board: Board, tolerances: Tolerances) -> Board:
    """One real board: every component off by its own random factor.

    Each kind of component draws from a key of its own, so that switching one
    tolerance on leaves what the others draw unchanged. A coupler is one component:
    both of its entries move together (for symmetric matrices).

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from thermo.circuits import OpAmpBoard
        >>> nominal = OpAmpBoard(conductance=jnp.eye(2), ground_capacitance=jnp.ones(2),
        ...                      noise=jnp.ones(2))
        >>> board = draw_board(jax.random.key(0), nominal, Tolerances(noise=0.1))
        >>> bool(jnp.any(board.noise == nominal.noise))
        False
        >>> bool(jnp.all(board.conductance == nominal.conductance))
        True
    """
    for kind in dataclasses.fields(tolerances):
        checks.non_negative(kind.name, getattr(tolerances, kind.name))
    changed = {}
    for i, (field, kind) in enumerate(board.component_kinds.items()):
        value, spread = getattr(board, field), getattr(tolerances, kind)
        changed[field] = _spread(jr.fold_in(key, i), board, value, spread)
    return dataclasses.replace(board, **changed)  # type: ignore[type-var]


def draw_boards(
    key: Key[Array, ""], board: Board, tolerances: Tolerances, n_boards: int
) -> Board:
    """`n_boards` real boards along a new leading axis of every leaf.

    Board i draws from `fold_in(key, i)`: it is the same board however many are drawn.
    """
    if n_boards < 1:
        raise ValueError(f"n_boards = {n_boards}: must be at least 1.")
    keys = jax.vmap(jr.fold_in, (None, 0))(key, jnp.arange(n_boards))
    return jax.vmap(draw_board, (0, None, None), 0, axis_size=n_boards)(
        keys, board, tolerances
    )


def quantise(
    board: Board,
    *,
    coupling: jax.Array | None = None,
    ground: jax.Array | None = None,
) -> Board:
    """The nearest board that can be made with the given component values.

    Args:
        board: with capacitors (RLC, RC) or resistors (RC, op-amp) between cells.
        coupling: values a coupler can take, nF or mS, `(k,)`; None leaves them as is.
        ground: values a capacitor to ground can take, nF, `(k,)`; None as is.

    Returns:
        The board; `uniform_levels` and `bank_levels` make the values.
    """
    fields = {
        "coupling": coupling,
        "coupling_conductance": coupling,
        "conductance": coupling,
        "ground_capacitance": ground,
    }
    changed = {
        name: nearest(getattr(board, name), levels)
        for name, levels in fields.items()
        if levels is not None and name in board.component_kinds
    }
    return dataclasses.replace(board, **changed)  # type: ignore[type-var]


def nearest(x: jax.Array, levels: jax.Array) -> jax.Array:
    """Each entry of `x` replaced by the nearest of `levels`, `(k,)`."""
    x = jnp.asarray(x)
    levels = jnp.sort(jnp.asarray(levels, x.dtype))
    between = (levels[1:] + levels[:-1]) / 2
    return levels[jnp.searchsorted(between, x)]


def uniform_levels(low: float, high: float, bits: int) -> jax.Array:
    """`2**bits` equally spaced values from `low` to `high`.

    Example:
        >>> uniform_levels(0.0, 3.0, 2)
        Array([0., 1., 2., 3.], dtype=float32)
    """
    if bits < 1:
        raise ValueError(f"bits = {bits}: must be at least 1.")
    if not low < high:
        raise ValueError(f"high = {high}: must exceed low = {low}.")
    return jnp.linspace(low, high, 2**bits)


def bank_levels(capacitors: tuple[float, ...]) -> jax.Array:
    """All values a bank of parallel capacitors can be switched to, sorted.

    STATED (second hand): each cell of the SPU has a bank of four to choose from.

    Example:
        >>> bank_levels((1.0, 2.0))
        Array([0., 1., 2., 3.], dtype=float32)
    """
    checks.positive("capacitors", capacitors)
    on = np.arange(2 ** len(capacitors))[:, None] >> np.arange(len(capacitors)) & 1
    return jnp.asarray(np.unique(on @ np.asarray(capacitors)), float)


def _spread(key, board, value, spread):
    value = jnp.asarray(value, board.noise.dtype)
    normals = jr.normal(key, value.shape, value.dtype)
    if value.ndim == 2:
        upper = jnp.triu(normals)
        normals = upper + jnp.triu(normals, 1).mT
    return value * jnp.maximum(1 + spread * normals, SMALLEST_FACTOR)
