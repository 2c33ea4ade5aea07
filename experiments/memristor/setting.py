"""What every memristor experiment has to know: seeds, chips, images."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import xarray as xr

from experiments.contract import Seeded, Sweep, base_of
from experiments.memristor.images import Lesson
from experiments.memristor.training import CrossbarName, Training
from experiments.validate import Count, CountOrZero, Positive, Several, Width


class Setting(Seeded, Lesson):
    """Seeds, chips and images of an experiment.

    A seed fixes starting weights and the order of the images; a chip fixes its
    hardware, the draws of the rule and the errors of its writes.

    Attributes:
        n_seeds: trainings with different starting weights and image orders.
        n_chips: simulated chips per seed.
        crossbar: "additive", a name of `eapu_jax.presets`, or the file of a device.
        chunk: runs per device and call; measured when 0. 8 networks of thousands of
            weights fill the caches of a processor.
    """

    n_seeds: Count = 2
    n_chips: Count = 8
    crossbar: CrossbarName = "additive"
    chunk: CountOrZero = 8

    def __post_init__(self):
        """Check every field, and every training with its own learning rate."""
        super().__post_init__()
        self.trainings()

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

    def sweep(self, simulate: Callable, base: Any, **other: Any) -> Sweep:
        """A sweep of all chips and seeds, unless others are asked for."""
        chunk = min(self.chunk, self.n_chips * self.n_seeds) or None
        who: Any = {"seeds": self.n_seeds, "chips": self.n_chips, "chunk": chunk}
        return super().sweep(simulate, base, **(who | other))

    def ideal(self, swept: Sweep) -> Sweep:
        """The same without write errors, where all chips are alike: one of them."""
        base = replace(swept.base, rule="ideal")
        chunk = min(self.chunk, self.n_seeds) or None
        return replace(swept, base=base, axes={}, chips=1, chunk=chunk)

    def beside_ideal(self, simulate: Callable, **other: Any) -> dict[str, Sweep]:
        """A sweep of every kind of training, and, as `NAME_ideal`, its ideal one."""
        found = {}
        for name, base in self.trainings().items():
            found[name] = self.sweep(simulate, base, **other)
            found[f"{name}_ideal"] = self.ideal(found[name])
        return found


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

    def facts(self) -> dict[str, Any]:
        """What a figure has to know of a config."""
        return {
            "data": self.images().provenance,
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
