"""How long and with which optimizer a network learns."""

from typing import Annotated

import jax
import numpy as np
import optax

from experiments.validate import Checked, Count, CountOrZero, one_of

OPTIMIZERS = ("adam", "sgd", "plain_sgd", "lion")
SCHEDULES = ("constant", "drop", "cosine", "halves", "tenths")


class Recipe(Checked):
    """How long and with which optimizer a network learns: what decides the program.

    Attributes:
        optimizer: "adam" (0.9, 0.999), "sgd" (momentum 0.9), "plain_sgd" (none), or
            "lion" (0.9, 0.99).
        schedule: of the learning rate: "constant"; "drop" to a tenth for the last
            third; "cosine" to zero; "halves" and "tenths" of it, again and again after
            `step_epochs` each.
        step_epochs: see `schedule` (structural).
        warm_up: steps over which the learning rate rises to that of the schedule, on a
            straight line (structural).
        epochs: passes over the training images (structural).
        batch_size: images per step; an incomplete last batch is left out (structural).
    """

    optimizer: Annotated[str, one_of(*OPTIMIZERS)] = "adam"
    schedule: Annotated[str, one_of(*SCHEDULES)] = "drop"
    step_epochs: Count = 15
    warm_up: CountOrZero = 0
    epochs: Count = 8
    batch_size: Count = 64

    def steps_per_epoch(self, n_train: int) -> int:
        """Whole batches in one pass over `n_train` images."""
        if n_train < self.batch_size:
            raise ValueError(
                f"batch_size must be at most n_train = {n_train}, got {self.batch_size}"
            )
        return n_train // self.batch_size

    def decay(self, n_train: int) -> np.ndarray:
        """Every step's learning rate, relative to the first, on `n_train` images.

        Example:
            >>> Recipe(epochs=1, batch_size=2, schedule="drop").decay(6)
            array([1. , 1. , 0.1], dtype=float32)
            >>> stepped = Recipe(epochs=3, schedule="halves", step_epochs=1)
            >>> stepped.decay(64)
            array([1.  , 0.5 , 0.25], dtype=float32)
            >>> Recipe(epochs=1, schedule="constant", warm_up=2).decay(256)
            array([0.5, 1. , 1. , 1. ], dtype=float32)
        """
        steps = self.epochs * self.steps_per_epoch(n_train)
        progress = np.arange(steps) / steps
        stage = np.arange(steps) // (self.step_epochs * self.steps_per_epoch(n_train))
        rise = np.minimum((np.arange(steps) + 1) / max(self.warm_up, 1), 1)
        after = {
            "constant": np.ones(steps),
            "drop": np.where(progress < 2 / 3, 1.0, 0.1),
            "cosine": (1 + np.cos(np.pi * progress)) / 2,
            "halves": 0.5**stage,
            "tenths": 0.1**stage,
        }[self.schedule]
        return (rise * after).astype(np.float32)

    def build(
        self, learning_rate: jax.Array | float, n_train: int
    ) -> optax.GradientTransformation:
        """The optimizer; `learning_rate`, at the start, may be traced."""
        rates = learning_rate * jax.numpy.asarray(self.decay(n_train))
        if self.optimizer == "adam":
            return optax.adam(lambda step: rates[step])
        if self.optimizer == "lion":
            return optax.lion(lambda step: rates[step], weight_decay=0)
        momentum = 0.9 if self.optimizer == "sgd" else None
        return optax.sgd(lambda step: rates[step], momentum)
