"""What every memristor experiment has to know: seeds, chips, images."""

from collections.abc import Mapping
from typing import Any

import xarray as xr

from experiments.contract import base_of
from experiments.learning.chips import Chips
from experiments.memristor.images import Lesson
from experiments.memristor.training import CrossbarName, Training
from experiments.validate import Count, CountOrZero, Positive, Several, Width


class Setting(Chips, Lesson):
    """Seeds, chips and images of an experiment.

    Attributes:
        crossbar: "additive", a name of `eapu_jax.presets`, or the file of a device.
        chunk: runs per device and call; measured when 0. 8 networks of thousands of
            weights fill the caches of a processor.
    """

    crossbar: CrossbarName = "additive"
    chunk: CountOrZero = 8

    def refuse_crossbar(self) -> None:
        """For experiments with arrays of their own, which would ignore another."""
        words = "left out: this experiment has arrays of its own"
        self.require(self.crossbar == "additive", "crossbar", words)

    def trainings(self) -> Mapping[str, Training]:
        """What each kind of training depends on, by name."""
        return {"training": self.training()}

    def training(self, **other: Any) -> Training:
        """What one training depends on: the fields that it shares with this, and more.

        Args:
            **other: fields of `Training`, before those of the config.
        """
        return base_of(Training, self, **other)


class MlpSetting(Setting):
    """Train an MLP under one write noise.

    Attributes:
        write_noise: SD(ε_cell) and threshold, µS.
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

    def facts(self) -> dict[str, Any]:
        """What a figure has to know of a config."""
        lesson = self.images()
        return {
            "data": lesson.provenance,
            "chance": 1 / lesson.n_classes,
            "write_noise_uS": self.write_noise,
            "learning_rate": self.learning_rate,
        }


SMOKE: Any = {"n_seeds": 1, "n_chips": 2, "chunk": 8}
SMOKE |= {"data": "digits", "n_train": 320, "n_test": 100}
"""Seconds: for tests."""
LARGE: Any = {"n_seeds": 5, "n_chips": 64, "chunk": 0}
LARGE |= {"data": "mnist", "n_train": 60_000, "n_test": 10_000}
"""Towards the paper, with real test sets; its ResNets and Swin are for later."""


def defaults(config: Setting) -> Training:
    """What one training of the first kind depends on."""
    return next(iter(config.trainings().values()))


def taken(found: xr.Dataset, *same: str, **names: str) -> xr.Dataset:
    """Some outputs of a sweep, in memory; plain numbers.

    Args:
        found: by the sweep.
        *same: outputs that keep their names.
        **names: output -> its name from here on.
    """
    made = found[[*same, *names]].load().rename(names)
    for name in made.data_vars:
        made[name].attrs["units"] = "1"
    return made
