"""Which components of a board are sought, and the board that has them."""

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from thermo.circuits.board import AbstractBoard
from thermo.circuits.imperfections import check_board
from thermo.circuits.op_amp import OpAmpBoard
from thermo.reals import is_traced

T = TypeVar("T")

READOUT = "readout_noise"
"""Of the instrument, not of the board; sought like a component."""

UNITS = {
    "ground_capacitance": "nF",
    "coupling": "nF",
    "resistance": "kOhm",
    "coupling_conductance": "mS",
    "inductance": "mH",
    "coil_resistance": "kOhm",
    "noise": "mA^2 us",
    READOUT: "V",
}


class Component(NamedTuple):
    """One number of a board that is positive, so that its logarithm can be sought.

    Attributes:
        field: of the board, or `readout_noise`.
        place: in the field; of a coupler the upper of its two entries.

    Example:
        >>> print(Component("coupling", (0, 1)))
        coupling[0, 1]
    """

    field: str
    place: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.field}{list(self.place)}" if self.place else self.field


def components(
    boards: Sequence[AbstractBoard], known: Sequence[str] = ()
) -> tuple[Component, ...]:
    """All components that are there in one of the boards, but for what is known.

    What is 0 or infinite is not there: a coupler that is open, a resistor left out.

    Args:
        boards: the same board at several settings.
        known: names of fields or of single components.

    Raises:
        ValueError: if the boards are not alike, traced or op-amp boards, a name is
            none, or nothing is left.
    """
    check_alike(boards)
    there = [c for field in boards[0].component_kinds for c in _there(boards, field)]
    check_known(known, (*boards[0].component_kinds, *map(str, there)))
    sought = tuple(c for c in there if not {c.field, str(c)} & set(known))
    if not sought:
        raise ValueError(f"known = {tuple(known)}: every component is, none is sought.")
    return sought


def altered(thing: T, sought: Sequence[Component], log_factors: jax.Array) -> T:
    """A board, or a record, each sought component times e to its log factor.

    Components that the thing does not have are passed over.

    Args:
        thing: a dataclass.
        sought: components.
        log_factors: one for each, `(n,)`.

    Example:
        >>> from thermo.circuits import two_node_board
        >>> board = two_node_board()
        >>> first = components([board])[:1]
        >>> altered(board, first, jnp.log(2 * jnp.ones(1))).ground_capacitance
        Array([47.  , 23.51], dtype=float32)
    """
    changed: dict[str, Any] = {}
    for field in dict.fromkeys(c.field for c in sought):
        if hasattr(thing, field):
            value = jnp.asarray(getattr(thing, field))
            chosen = selection(value.shape, field, sought).astype(value.dtype)
            factor = jnp.exp(chosen @ log_factors.astype(value.dtype))
            changed[field] = value * factor.reshape(value.shape)
    return dataclasses.replace(thing, **changed)  # type: ignore[type-var]


def selection(
    shape: tuple[int, ...], field: str, sought: Sequence[Component]
) -> np.ndarray:
    """Which entry of a field goes with which component, `(entries, components)`."""
    chosen = np.zeros((*shape, len(sought)))
    for k, component in enumerate(sought):
        if component.field == field:
            chosen[(*component.place, k)] = 1
            chosen[(*component.place[::-1], k)] = 1
    return chosen.reshape(-1, len(sought))


def in_doubles(tree: Any) -> Any:
    """The same tree with every leaf in NumPy doubles."""
    return jax.tree.map(lambda x: np.asarray(x, float), tree)


def value_of(thing: Any, component: Component) -> float:
    """Its value in a board or a record."""
    return float(np.asarray(getattr(thing, component.field), float)[component.place])


def check_alike(boards: Sequence[AbstractBoard]) -> None:
    """Refuse what is not one board at one or more settings."""
    if not len(boards):
        raise ValueError("boards = (): there must be at least one.")
    for board in boards:
        check_board(board)
        if isinstance(board, OpAmpBoard):
            raise ValueError("board is an OpAmpBoard: it must be an RC or RLC board.")
        if is_traced(board):
            raise ValueError("board is traced: identify it outside of jit and vmap.")
        board.check_linear()
        if (a := _layout(board)) != (b := _layout(boards[0])):
            raise ValueError(f"boards differ in kind or size: {a} is not {b}.")


def check_known(known: Sequence[str], names: Sequence[str]) -> None:
    """Refuse what is no list of some of these names."""
    if not isinstance(known, list | tuple):
        raise ValueError(f"known = {known!r}: must be a tuple of names.")
    for name in known:
        if name not in names:
            raise ValueError(f"known = {name!r}: must be among {', '.join(names)}.")


def _layout(board: AbstractBoard) -> tuple[Any, ...]:
    leaves = dataclasses.fields(board)  # type: ignore[arg-type]
    return type(board).__name__, *(np.shape(getattr(board, f.name)) for f in leaves)


def _there(boards: Sequence[AbstractBoard], field: str) -> list[Component]:
    values = np.stack([np.asarray(getattr(b, field), float) for b in boards])
    there = ((values > 0) & np.isfinite(values)).any(0)
    if there.ndim == 2:
        there = np.triu(there)
    return [Component(field, tuple(map(int, at))) for at in np.argwhere(there)]
