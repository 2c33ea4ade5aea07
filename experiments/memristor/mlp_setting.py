"""What the figures of one MLP have in common."""

from dataclasses import dataclass
from typing import Any

from experiments.memristor.learning import Training
from experiments.memristor.setting import Setting
from experiments.validate import Count, Positive, Several, Width


@dataclass(frozen=True, kw_only=True)
class MlpSetting(Setting):
    """Train an MLP under one write noise.

    Attributes:
        write_noise: SD(eps_cell) and threshold, uS.
        hidden: widths of the MLP's hidden layers.
        pool: images are shrunk by this factor.
        epochs: passes over the training images.
        learning_rate: of Adam; a tenth of it for the last third.
    """

    write_noise: Positive = 2.0
    hidden: Several[Width] = (128,)
    pool: Width = 2
    epochs: Count = 6
    learning_rate: Positive = 1e-3

    def base(self, **other: Any) -> Training:
        """What one training of this config depends on.

        Args:
            **other: fields of `Training` that are not those of the config.
        """
        shared = {
            "write_noise": self.write_noise,
            "hidden": self.hidden,
            "pool": self.pool,
            "epochs": self.epochs,
            "learning_rate": self.learning_rate,
            "batch_size": self.batch_size,
            "data": self.data,
            "n_train": self.n_train,
            "n_test": self.n_test,
        }
        return Training(**(shared | other))
