"""What is kept of a training."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float

from experiments.training.array import Scalar


class Curves(NamedTuple):
    """What one chip did while it learned.

    Accuracies are fractions, NaN once the chip's weights are no longer finite;
    `update_ratio` is NaN for the ideal rule, which writes no device.
    """

    loss: Float[Array, " steps"]
    train_accuracy: Float[Array, " epochs"]  # of the batches, while learning
    test_accuracy: Float[Array, " epochs"]  # after each epoch
    update_ratio: Float[Array, "steps layers"]  # written / cells, array layers only
    observed: Any  # what `observe` returned, leading axis steps
    writes: Any  # per cell, a list over array layers; empty for the ideal rule
    params: Any  # at the end


def mean_update_ratio(curves: Curves) -> np.ndarray:
    """R_up of each chip of a population over its whole training; NaN for ideal."""
    steps = curves.loss.shape[1]
    if not curves.writes:
        return np.full(len(curves.loss), np.nan, np.float32)
    total = np.sum([n.sum((1, 2), dtype=np.float64) for n in curves.writes], axis=0)
    cells = sum(n[0].size for n in curves.writes)
    return np.asarray(total / (cells * steps), np.float32)


Observer = Callable[[list[jax.Array], list[jax.Array], Scalar, Scalar], Any]


def see_nothing(requested, applied, threshold, write_error):
    """Record nothing: the default observer."""
    del requested, applied, threshold, write_error
