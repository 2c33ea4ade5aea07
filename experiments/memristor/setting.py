"""What every memristor experiment has to know: seeds, chips, images."""

from dataclasses import dataclass, fields
from typing import Any, TypedDict

import xarray as xr

from experiments.data import Images
from experiments.memristor.images import DataSet, images, require_images
from experiments.memristor.training import CrossbarName, Training
from experiments.validate import (
    Count,
    CountOrZero,
    Positive,
    Seed,
    Several,
    Width,
    check,
)

__all__ = ["LARGE", "SMOKE", "MlpSetting", "Setting", "taken"]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Seeds, chips and images of an experiment.

    A seed fixes starting weights and the order of the images; a chip fixes its
    hardware, the draws of the rule and the errors of its writes.

    Attributes:
        seed: root of every random key.
        n_seeds: trainings with different starting weights and image orders.
        n_chips: simulated chips per seed.
        data: data set, see `experiments.data`.
        n_train: training images.
        n_test: test images.
        batch_size: images per step.
        crossbar: "additive", or a name of `eapu_jax.presets`.
        chunk: runs per device and call; measured when 0. 8 networks of thousands of
            weights fill the caches of a processor.
    """

    seed: Seed = 0
    n_seeds: Count = 2
    n_chips: Count = 16
    data: DataSet = "mnist5k"
    n_train: Count = 4000
    n_test: Count = 1000
    batch_size: Count = 64
    crossbar: CrossbarName = "additive"
    chunk: CountOrZero = 8

    def __post_init__(self):
        """Check every field; the images must be there, and fill a batch."""
        check(self)
        require_images(self)

    def images(self) -> Images:
        """The images, with their provenance."""
        return images(self.data, self.n_train, self.n_test)

    def training(self, **other: Any) -> Training:
        """What one training depends on: the fields that it shares with this, and more.

        Args:
            **other: fields of `Training`, before those of the config.
        """
        shared = {f.name for f in fields(Training)} & {f.name for f in fields(self)}
        return Training(**({name: getattr(self, name) for name in shared} | other))

    def population(self, n_chips: int | None = None) -> dict[str, Any]:
        """The arguments of a `Sweep` that say who is simulated.

        Args:
            n_chips: other than those of the config.
        """
        chips = n_chips or self.n_chips
        chunk = min(self.chunk, chips * self.n_seeds) or None
        seeds = self.n_seeds
        return {"key": self.seed, "seeds": seeds, "chips": chips, "chunk": chunk}


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


class Scale(TypedDict):
    """Population, images and width of a call of a preset."""

    n_seeds: int
    n_chips: int
    data: str
    n_train: int
    n_test: int
    chunk: int


SMOKE = Scale(n_seeds=1, n_chips=2, data="digits", n_train=320, n_test=100, chunk=8)
"""Seconds: for tests."""
LARGE = Scale(
    n_seeds=5, n_chips=64, data="mnist", n_train=60_000, n_test=10_000, chunk=0
)
"""Towards the paper, with real test sets; its ResNets and Swin are for later."""


def taken(found: xr.Dataset, **names: str) -> xr.Dataset:
    """Some outputs of a sweep, in memory; plain numbers.

    Args:
        found: by the sweep.
        **names: output -> its name from here on.
    """
    made = found[list(names)].load().rename(names)
    for name in made.data_vars:
        made[name].attrs["units"] = "1"
    return made
