"""What is asked of the cells of a bank: of all at once, or of a few."""

import weakref
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Key

from eapu_jax.checks import traced
from eapu_jax.rows import WIDTH, Arrays, Rows
from eapu_jax.transforms.links import EVERY, signed
from prng import marks
from prng.chance import happens_among, happens_at, possible
from prng.once import computed_once


class Plain(NamedTuple):
    """Updates that are asked for as they are.

    Attributes:
        update: in rows of weights; 0 where nothing is asked.
        rare: whether few cells may be asked; False where most are for sure.
    """

    update: Float[Array, "rows width"]
    rare: bool

    def waiting(self) -> marks.Marks:
        """The cells that something may be asked of."""
        return marks.pack(self.update != 0)

    def of(self, cell: jax.Array) -> jax.Array:
        """What is asked of a few cells."""
        return taken(self.update, cell)

    def all(self, wait: marks.Marks) -> jax.Array:
        """What is asked of every cell, given those that are `waiting`."""
        del wait
        return self.update


class Gated(NamedTuple):
    """Updates of which `eapu` asks few, as pulses that stand for many.

    Attributes:
        keys: of the decisions, two.
        update: in rows.
        threshold: in rows, or one for all.
    """

    keys: Key[Array, "2"]
    update: Float[Array, "rows width"]
    threshold: Any

    @property
    def rare(self) -> bool:
        """Few cells may be asked."""
        return True

    def waiting(self) -> marks.Marks:
        """The cells that something may be asked of."""
        return possible(self.keys, self.update, self.threshold)

    def of(self, cell: jax.Array) -> jax.Array:
        """What is asked of a few cells that were `waiting`."""
        dw, threshold = taken(self.update, cell), taken(self.threshold, cell)
        written = happens_at(self.keys, cell.astype(jnp.uint32), dw, threshold)
        return pulses_where(written, dw, threshold)

    def all(self, wait: marks.Marks) -> jax.Array:
        """What is asked of every cell, given those that are `waiting`."""
        written = happens_among(self.keys, wait, self.update, self.threshold)
        return pulses_where(written, self.update, self.threshold)


Request: TypeAlias = Plain | Gated


class Gate:
    """How `eapu` decided on some arrays, for the links after it.

    It holds no array alive: what was asked is there as long as its pulses are.

    Attributes:
        rows: where the arrays lie.
    """

    def __init__(self, rows: Rows, request: Gated):
        self.rows = rows
        self._parts = [_weakly(part) for part in request]

    def request(self) -> Gated | None:
        """What was asked, and how it was decided; None where it is forgotten."""
        parts: list[Any] = [part() for part in self._parts]
        return None if any(part is None for part in parts) else Gated(*parts)


class Decided(NamedTuple):
    """What a rule notes of the pulses of an array.

    Attributes:
        least: the smallest that is sent; None while it is traced.
        gate: how `eapu` decided which are sent; None where only the key knows.
        number: what the rule calls the smallest pulse.
    """

    least: float | None
    gate: Gate | None = None
    number: str = "threshold"


def least_of(threshold: jax.Array) -> float | None:
    """The smallest concrete threshold of an array; None while it is traced."""
    return None if traced(threshold) else float(np.asarray(threshold).min())


def requested(asked: Arrays, rows: Rows, dtype: Any, step: jax.Array) -> Request:
    """What is asked of arrays: as `eapu` found it, or the updates as they are.

    `eapu` decides on every cell. Where its very pulses arrive here, unrounded, and
    fill these rows, the decisions can be made again, the same ones, for a few cells
    at a time.
    """
    makers, notes = zip(*(signed(asked[path]) for path in rows.paths), strict=True)
    exact = all(asked[path].dtype == dtype for path in rows.paths)
    gates = {note.gate if isinstance(note, Decided) else None for note in notes}
    gate = gates.pop() if exact and len(gates) == 1 else None
    gated = gate.request() if gate is not None and gate.rows == rows else None
    if gated is not None:
        return gated
    update = rows.pack({p: asked[p].astype(dtype) for p in rows.paths})
    rare = set(makers) != {EVERY}
    return Plain(computed_once(update, step), rare)


def _weakly(thing: Any):
    """A way to get at it that does not keep it, where there is one."""
    try:
        return weakref.ref(thing)
    except TypeError:  # a plain number
        return lambda: thing


def pulse(dw: jax.Array, threshold: jax.Array) -> jax.Array:
    """The pulse that stands for `dw` if it is written: at least a threshold.

    Example:
        >>> import jax.numpy as jnp
        >>> pulse(jnp.array([-0.2, 3.0]), jnp.float32(1.0)).tolist()
        [-1.0, 3.0]
    """
    return jnp.sign(dw) * jnp.maximum(jnp.abs(dw), threshold)


def taken(x: Any, cell: jax.Array) -> Any:
    """The entries of a few cells in rows; one number for all stays one."""
    if jnp.ndim(x) == 0:
        return x
    place = cell // WIDTH if jnp.shape(x)[1] == 1 else cell
    return x.ravel().at[place].get(mode="clip")


def pulses_where(written: Bool[Array, "..."], dw: jax.Array, threshold: Any) -> Any:
    """The pulses of what is written, 0 elsewhere."""
    return jnp.where(written, pulse(dw, threshold), 0)
