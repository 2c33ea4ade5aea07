r"""How long cells last: worn after so many trainings, as far as endurance is known."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from eapu_jax.checks import number, numbers, whole
from eapu_jax.cost.energy import Band
from eapu_jax.cost.sourced import Constant
from eapu_jax.devices.base import Scalar


class Lifetime(NamedTuple):
    """When so many cells are worn.

    Attributes:
        cells: worn.
        trainings: like the one that was counted, till then; infinite where fewer cells
            were written at all.
        steps: of these trainings.
    """

    cells: int
    trainings: Band
    steps: Band


def survivors(writes: Array, endurance: Scalar) -> Float[Array, ""]:
    """The part of the cells that were written no more often than they bear.

    Args:
        writes: pulses of every cell; times those of a loop, where one is meant.
        endurance: pulses that a cell bears.

    Example:
        >>> import jax.numpy as jnp
        >>> survivors(jnp.array([0, 10, 1000, 3]), 100.0)
        Array(0.75, dtype=float32)
    """
    numbers("writes", writes)
    number("endurance", endurance, above=0)
    if not np.prod(writes.shape):
        raise ValueError(f"writes must hold at least one cell, got {writes!r}")
    bears = writes.astype(jnp.float32) <= jnp.asarray(endurance, jnp.float32)
    return jnp.mean(bears.astype(jnp.float32))


def lifetime(
    writes: Any,
    *,
    steps: int,
    pulses_per_write: Constant,
    endurance: Constant,
    worn: Sequence[float] = (0.0, 0.01, 0.5),
) -> list[Lifetime]:
    r"""Trainings until one cell, 1 % and half of the cells are worn.

    $$ N(s) = \frac{n_e}{l\,w_{(k)}}, \qquad k = \max(1, \lceil s C \rceil) $$

    with the endurance $n_e$ in pulses, the pulses $l$ of a write, and $w_{(k)}$ the
    $k$-th largest number of writes of a cell, of $C$ (DERIVED). Every training is taken
    to write the same cells as often (ASSUMED): one that wears others lasts longer until
    the first cell, if at all. The low end is the lowest endurance with the longest
    loop. Not traced.

    Args:
        writes: of every cell in one training; an array, or a tree of them as
            `eapu_jax.writes_per_cell` gives it.
        steps: of that training.
        pulses_per_write: of a write-and-verify loop.
        endurance: pulses that a cell bears.
        worn: shares $s$ of the cells; 0 is a single cell.

    Raises:
        ValueError: on writes that are no counts or of no cell, and numbers out of
            bounds.

    Example:
        >>> import jax.numpy as jnp
        >>> from eapu_jax.cost import Constant, read_constants
        >>> once = Constant(value=1, low=1, high=1, source="open loop", label="ASSUMED")
        >>> bears = read_constants()["endurance_rram"]
        >>> found = lifetime(
        ...     jnp.array([40, 10, 0, 20]), steps=100, pulses_per_write=once,
        ...     endurance=bears,
        ... )
        >>> [(one.cells, one.trainings.low, one.steps.value) for one in found]
        [(1, 250.0, 25000000.0), (1, 250.0, 25000000.0), (2, 500.0, 50000000.0)]
    """
    whole("steps", steps, at_least=1)
    _constants(pulses_per_write=pulses_per_write, endurance=endurance)
    counts = _counts(writes)
    return [_lifetime(counts, s, steps, pulses_per_write, endurance) for s in worn]


def _lifetime(
    counts: np.ndarray, share: float, steps: int, loop: Constant, bears: Constant
) -> Lifetime:
    number("worn", share, at_least=0, at_most=1)
    cells = max(1, math.ceil(share * counts.size))
    most = int(np.partition(counts, counts.size - cells)[counts.size - cells])
    ends = (bears.low, loop.high), (bears.value, loop.value), (bears.high, loop.low)
    trainings = Band(*(n / (pulses * most) if most else math.inf for n, pulses in ends))
    return Lifetime(cells, trainings, Band(*(steps * n for n in trainings)))


def _constants(**given: Any) -> None:
    for name, one in given.items():
        if not isinstance(one, Constant):
            raise ValueError(f"{name} must be a Constant, got {one!r}")
        number(f"{name}.low", one.low, above=0)


def _counts(writes: Any) -> np.ndarray:
    leaves = jax.tree.leaves(writes)
    for leaf in leaves:
        numbers("writes", leaf, dtype=jnp.integer)
        if leaf.size:
            number("fewest writes of a cell", jnp.min(leaf), at_least=0)
    if not sum(leaf.size for leaf in leaves):
        raise ValueError(f"writes must hold at least one cell, got {writes!r}")
    return np.concatenate([np.ravel(leaf).astype(np.uint64) for leaf in leaves])
