"""Residual networks under write noise: EaPU learns where backpropagation is lost.

Only the products of noise and threshold with `R_wg` enter a step (DERIVED, tested),
so one sweep of SD(eps_cell) at `R_wg = 1/80` is at the same time a sweep of `R_wg`
at SD 2 µS: one computation serves Fig. 5a and 5b.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import xarray as xr

from experiments.claims import Claim
from experiments.contract import Sweep, base_of
from experiments.deep import resnet_cifar10_figure as shown
from experiments.deep.image_claims import gained, lost
from experiments.deep.images import DIMS as DIMS
from experiments.deep.images import ImagesAndNet, Residual, require_sides
from experiments.deep.images import simulate as simulate
from experiments.deep.resnet_cifar10_figure import plot as plot
from experiments.deep.training import DeepSetting
from experiments.learning.recipe import SCHEDULES, Recipe
from experiments.memristor.setting import taken
from experiments.validate import Ascending, Count, CountOrZero, Positive, one_of

REPRODUCES = "EaPU, Fig. 5a, 5b and the public ResNet-34 records: residual networks"
REFERENCE_NOISE = 2.0  # uS, of the authors' public commands (STATED)


class Config(DeepSetting, ImagesAndNet, Recipe):
    """Train a residual network under growing write noise, threshold = SD.

    Attributes:
        write_noises: SD(eps_cell) at `R_wg = 1/80`, ascending, uS.
        learning_rate: of the optimizer, at the start.
        test_at_once: test images at once, a divisor of all; all when 0.
    """

    write_noises: Ascending[Positive] = (0.5, 2.0, 4.0)
    learning_rate: Positive = 1e-3
    schedule: Annotated[str, one_of(*SCHEDULES)] = "tenths"
    step_epochs: Count = 5
    epochs: Count = 8
    batch_size: Count = 32
    n_train: Count = 4000
    test_at_once: CountOrZero = 0

    def trainings(self) -> Mapping[str, Residual]:
        """What one training depends on, before its rule and noise are chosen."""
        return {"resnet": base_of(Residual, self)}


CIFAR: Any = {"data": "cifar10", "augmentation": "crop_and_flip"}
PRESETS = {
    "smoke": Config(
        n_seeds=1, data="digits", n_train=160, n_test=100, pool=1, depths=(1, 1),
        widths=(4, 8), write_noises=(1.0, 2.0), epochs=2,
    ),
    "fashion": Config(
        data="fashion_mnist", n_train=8000, n_test=2000, write_noises=(0.5, 2.0),
    ),
    "cifar": Config(
        **CIFAR, n_train=10_000, n_test=2000, write_noises=(2.0,), epochs=15,
        step_epochs=9, test_at_once=500,
    ),
    "full": Config(
        **CIFAR, n_seeds=1, n_train=50_000, n_test=10_000, pool=1, depths=(3, 4, 6, 3),
        widths=(64, 128, 256, 512), write_noises=(2.0,), epochs=50, step_epochs=30,
        batch_size=128, test_at_once=1000,
    ),
}  # fmt: skip
"""Beside the default: smaller and larger. "full" is the ResNet-34 of the authors'
public command, with every hyperparameter that it states."""


def defaults(config: Config) -> Residual:
    """What one training depends on."""
    return config.trainings()["resnet"]


def sweeps(config: Config) -> dict[str, Sweep]:
    """Rules and noises, and the ideal training."""
    require_sides(config, config.pool, "pool")
    axes = {"rule": shown.RULES, "write_noise": config.write_noises}
    return config.beside_ideal(simulate, axes=axes, dims=DIMS)


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Curves of both rules at every noise, and the ideal ones."""
    ideal = taken(found["resnet_ideal"], accuracy="ideal")
    kept = taken(found["resnet"], "accuracy", "update_ratio")
    dataset = kept.merge(ideal.isel(chip=0, drop=True))
    dataset = dataset.assign_coords(epoch=np.arange(1, config.epochs + 1))
    noise = dataset.write_noise
    noise.attrs = {"units": "µS", "long_name": "write error (SD) at R_wg = 1/80"}
    lesson = config.images()
    return dataset.assign_attrs(
        data=lesson.provenance, chance=1 / lesson.n_classes, layers=config.layers
    )


def claims(dataset: xr.Dataset) -> list[Claim]:
    """Gain over noisy backpropagation, loss against ideal, flatness."""
    at = {"write_noise": REFERENCE_NOISE, "method": "nearest"}
    ideal, noisy, eapu = (shown.best(dataset, rule) for rule in ("ideal", *shown.RULES))
    last = {rule: shown.last(dataset, rule) for rule in shown.RULES}
    name = f"ResNet-{dataset.attrs['layers']}"
    return [
        gained(
            dataset,
            f"{name}: EaPU beats noisy backpropagation by over 60 points at SD 2 µS",
            "abstract; public code (72.16, ResNet-34)",
            (eapu - noisy).sel(**at),
            72.16,
        ),
        gained(
            dataset,
            f"{name}: the same after the last epoch",
            "public code (77.40, ResNet-34)",
            (last["eapu"] - last["noisy"]).sel(**at),
            77.40,
        ),
        lost(
            dataset,
            f"{name}: EaPU loses about 3 points against ideal at SD 2 µS",
            "public code (2.83, ResNet-34)",
            (ideal, eapu.sel(**at)),
            2.83,
        ),
    ]
