"""What is seen of a training, and what is kept of it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
from jaxtyping import Array, Float


class Counts(NamedTuple):
    """What a training did, over all arrays of a chip.

    Attributes:
        up: pulses that asked for more conductance.
        down: pulses that asked for less.
        reads: of cells, by rules that read what they wrote.
        words: digital numbers per weight that optimizer and rule keep.
        bits: that they take.
    """

    up: Float[Array, ""]
    down: Float[Array, ""]
    reads: Float[Array, ""]
    words: float
    bits: float


class Step(NamedTuple):
    """One step of a training, as lists over the layers that live on the array.

    Attributes:
        requested: what the optimizer asked for, in units of the weights.
        applied: what the array made of it.
        weights: after the step.
        writes: of every cell since the start; 0 under the ideal rule.
    """

    requested: list[jax.Array]
    applied: list[jax.Array]
    weights: list[jax.Array]
    writes: list[jax.Array]


class Curves(NamedTuple):
    """What one chip did while it learned.

    Attributes:
        loss: of every batch.
        score: of the test set after each epoch, see `Task`: a number, or a dict of
            them; NaN once outputs are no longer finite.
        update_ratio: fraction of the cells written, by step and layer of the array.
        observed: what `observe` returned, with a leading axis of steps.
        writes: of every cell, a list over the layers of the array.
        params: at the end.
        collections: what else the network keeps, at the end: batch statistics.
        arrays: at the end, by path; none under the ideal rule.
        counts: what the ledgers and the memory say, see `counted`.
        optimizer: its state at the end.
    """

    loss: Float[Array, " steps"]
    score: Any
    update_ratio: Float[Array, "steps layers"]
    observed: Any
    writes: list[jax.Array]
    params: Any
    collections: Any
    arrays: dict[str, Any]
    counts: Counts
    optimizer: Any


Observer = Callable[[Step], Any]
