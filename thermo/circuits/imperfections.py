"""What separates a real board from its drawing: tolerances and coarse components."""

import dataclasses
from dataclasses import dataclass
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Key

from prng import unrolled
from thermo import checks
from thermo.circuits.board import AbstractBoard, Scalar
from thermo.counts import check_count
from thermo.reals import alike, numbers, real_array

Board = TypeVar("Board", bound=AbstractBoard)

# A Gaussian tolerance may not turn a component negative.
SMALLEST_FACTOR = 0.01

# 2^24 numbers are what float32 tells apart, and 2^20 a list that memory holds.
MOST_BITS = 24
MOST_CAPACITORS = 20


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

    Raises:
        ValueError: naming a tolerance that is negative, or a field of the board or the
            tolerances that is not of finite real numbers.

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
    check_board(board)
    if not isinstance(tolerances, Tolerances):
        raise ValueError(f"tolerances = {tolerances!r:.60}: must be Tolerances.")
    for kind in dataclasses.fields(tolerances):
        checks.one_number(kind.name, getattr(tolerances, kind.name))
        checks.non_negative(kind.name, getattr(tolerances, kind.name))
    board.check()
    changed, nominal = {}, board.in_reals()
    for i, (field, kind) in enumerate(board.component_kinds.items()):
        value, spread = getattr(nominal, field), getattr(tolerances, kind)
        changed[field] = _spread(jr.fold_in(unrolled(key), i), value, spread)
    return dataclasses.replace(board, **changed)  # type: ignore[type-var]


def draw_boards(
    key: Key[Array, ""], board: Board, tolerances: Tolerances, n_boards: int
) -> Board:
    """`n_boards` real boards along a new leading axis of every leaf.

    Board i draws from `fold_in(key, i)`: it is the same board however many are drawn.

    Raises:
        ValueError: as `draw_board`, or if `n_boards` is no positive whole number.
    """
    if np.ndim(n_boards) == 0 and np.asarray(n_boards).dtype.kind in "iu":
        checks.positive("n_boards", n_boards)
    check_count("n_boards", n_boards)
    key = unrolled(key)
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

    Raises:
        ValueError: if levels are not a list of finite real numbers, one is negative
            where passive components are meant, or couplers could no longer be absent
            since 0 is not among their levels.
    """
    check_board(board)
    check_levels(board, coupling, ground)
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


def check_board(board: Any) -> None:
    """Refuse what is no board."""
    if not isinstance(board, AbstractBoard):
        raise ValueError(f"board = {board!r:.60}: must be an RLC, RC or op-amp board.")


def check_levels(board: AbstractBoard, coupling: Any, ground: Any) -> None:
    """Refuse component values that none of the board's components can take."""
    for name, levels in (("coupling", coupling), ("ground", ground)):
        if levels is not None:
            checks.many(name, levels)
            checks.finite(name, levels)
    passive = "conductance" not in board.component_kinds
    if ground is not None:
        checks.non_negative("ground", ground)
    if coupling is None:
        return
    if passive:
        checks.non_negative("coupling", coupling)
    among = checks.values("coupling", coupling)
    array = None if passive else checks.values("conductance", board.conductance)  # type: ignore[attr-defined]
    absent = passive or (array is not None and np.any(array == 0))
    if absent and among is not None and not np.any(among == 0):
        raise ValueError(
            f"coupling = levels from {among.min():.6g} to {among.max():.6g}: 0 must be "
            "among them, since there are nodes without a coupler between them."
        )


def nearest(x: jax.Array, levels: jax.Array) -> jax.Array:
    """Each entry of `x` replaced by the nearest of `levels`, `(k,)`.

    Raises:
        ValueError: if one is not of finite real numbers, or there are no levels.
    """
    checks.finite("x", x)
    checks.many("levels", levels)
    checks.finite("levels", levels)
    (x,) = alike(x=x)
    x = jnp.asarray(x)
    levels = jnp.sort(jnp.asarray(real_array("levels", levels)).astype(x.dtype))
    between = (levels[1:] + levels[:-1]) / 2
    return levels[jnp.searchsorted(between, x)]


def uniform_levels(low: float, high: float, bits: int) -> jax.Array:
    """`2**bits` equally spaced values from `low` to `high`, in their unit.

    Raises:
        ValueError: if `bits` is no whole number from 1 to 24, or the range is empty or
            infinite.

    Example:
        >>> uniform_levels(0.0, 3.0, 2)
        Array([0., 1., 2., 3.], dtype=float32)
    """
    whole = np.ndim(bits) == 0 and np.asarray(bits).dtype.kind in "iu"
    if not whole or not 1 <= bits <= MOST_BITS:
        raise ValueError(
            f"bits = {bits!r}: must be at least 1 and at most {MOST_BITS}, a whole "
            "number: there are 2^bits values."
        )
    for name, edge in (("low", low), ("high", high)):
        checks.one_number(name, edge)
        checks.finite(name, edge)
    checks.ordered("low", low, "high", high)
    low, high = numbers(low=low, high=high)
    return jnp.linspace(low, high, 2**bits)


def bank_levels(capacitors: tuple[float, ...]) -> jax.Array:
    """All values a bank of parallel capacitors can be switched to, sorted, nF.

    STATED (second hand): each cell of the SPU has a bank of four to choose from.

    Raises:
        ValueError: if a capacitor is not positive and finite, or there are more than
            20: there are 2^k values.

    Example:
        >>> bank_levels((1.0, 2.0))
        Array([0., 1., 2., 3.], dtype=float32)
    """
    checks.many("capacitors", capacitors)
    checks.positive("capacitors", capacitors)
    if len(capacitors) > MOST_CAPACITORS:
        raise ValueError(
            f"capacitors: {len(capacitors)} of them have 2^{len(capacitors)} values, "
            f"there must be at most {MOST_CAPACITORS}."
        )
    sums = np.zeros(1)
    for capacitor in np.asarray(capacitors, float):
        sums = np.unique(np.append(sums, sums + capacitor))
    return jnp.asarray(sums, float)


def _spread(key, value, spread):
    value = jnp.asarray(value)
    spread = jnp.asarray(real_array("spread", spread)).astype(value.dtype)
    normals = jr.normal(key, value.shape, value.dtype)
    if value.ndim == 2:
        upper = jnp.triu(normals)
        normals = upper + jnp.triu(normals, 1).mT
    return value * jnp.maximum(1 + spread * normals, SMALLEST_FACTOR)
