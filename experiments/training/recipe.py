"""How long, how fast and with which optimizer a network learns."""

from dataclasses import dataclass

import numpy as np
import optax
from jaxtyping import Array, Float

OPTIMIZERS = ("adam", "sgd")
SCHEDULES = ("constant", "drop", "cosine")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How long, how fast and with which optimizer: hashable, so static to jit.

    Attributes:
        epochs: passes over the training images.
        batch_size: images per step; an incomplete last batch is left out.
        optimizer: "adam" (0.9, 0.999) or "sgd" (momentum 0.9).
        learning_rate: at the start.
        schedule: "constant"; "drop" to a tenth for the last third; "cosine" to zero.
    """

    epochs: int = 15
    batch_size: int = 64
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    schedule: str = "drop"

    def __post_init__(self):
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(
                    f"{name} must be at least 1, got {getattr(self, name)}"
                )
        if not 0 < self.learning_rate < float("inf"):
            raise ValueError(
                f"learning_rate must be positive and finite, got {self.learning_rate}"
            )
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(
                f"optimizer must be one of {OPTIMIZERS}, got {self.optimizer!r}"
            )
        if self.schedule not in SCHEDULES:
            raise ValueError(
                f"schedule must be one of {SCHEDULES}, got {self.schedule!r}"
            )

    def steps_per_epoch(self, n_train: int) -> int:
        """Whole batches in one pass over `n_train` images."""
        if n_train < self.batch_size:
            raise ValueError(
                f"batch_size must be at most n_train = {n_train}, got {self.batch_size}"
            )
        return n_train // self.batch_size

    def rates(self, n_train: int) -> np.ndarray:
        """The learning rate of every step of a training on `n_train` images.

        Example:
            >>> Recipe(epochs=1, batch_size=2, schedule="drop").rates(6)
            array([0.001 , 0.001 , 0.0001], dtype=float32)
        """
        steps = self.epochs * self.steps_per_epoch(n_train)
        progress = np.arange(steps) / steps
        shape = {
            "constant": np.ones(steps),
            "drop": np.where(progress < 2 / 3, 1.0, 0.1),
            "cosine": (1 + np.cos(np.pi * progress)) / 2,
        }[self.schedule]
        return (self.learning_rate * shape).astype(np.float32)

    def build(self, rates: Float[Array, " steps"]) -> optax.GradientTransformation:
        """The optimizer, whose step `n` has learning rate `rates[n]`."""
        if self.optimizer == "adam":
            return optax.adam(lambda step: rates[step])
        return optax.sgd(lambda step: rates[step], momentum=0.9)
