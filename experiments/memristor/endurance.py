"""Wear: writes per cell, and how much longer the array lives.

The lifetime factor is T / n: a cell that is written n times in T steps lasts
T / n times as long as if every step wrote it (INFERRED accounting; it matches
the published factor of about 1000). The mean cell sets the energy, the most
written cell dies first: both are shown.
"""

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

import jax.numpy as jnp
import numpy as np
import xarray as xr

from experiments.claims import Claim, above, not_attempted
from experiments.memristor import learning
from experiments.memristor.endurance_figure import (
    PUBLISHED_LIFETIME,
    TITLES,
    lifetimes,
)
from experiments.memristor.endurance_figure import plot as plot
from experiments.memristor.mlp_setting import MlpSetting
from experiments.memristor.setting import LARGE, SMOKE, lay_out
from experiments.memristor.verdicts import judged
from experiments.training import population
from experiments.validate import Distinct, Several, Width, one_of
from experiments.work import Work

REPRODUCES = "EaPU, lifetime about 1000 times longer: writes per cell"
MINUTES = 0.7


@dataclass(frozen=True, kw_only=True)
class Config(MlpSetting):
    """Train an MLP and count the writes of every cell.

    Attributes:
        cases: which of "adam", "sgd" (both EaPU) and "noisy".
        learning_rate: of Adam; SGD takes twenty times as much.
    """

    cases: Distinct[Annotated[str, one_of(*TITLES)]] = tuple(TITLES)
    hidden: Several[Width] = (128, 64)
    pool: Width = 1

    def __post_init__(self):
        """Check every field, and every case with its own learning rate."""
        super().__post_init__()
        for case in self.cases:
            self.case(case)

    def case(self, name: str) -> learning.Training:
        """How the case `name` is trained."""
        if name == "sgd":
            rate = 20 * self.learning_rate
            return self.base(optimizer="sgd", schedule="cosine", learning_rate=rate)
        return self.base(rule="noisy" if name == "noisy" else "eapu")


PRESETS = {
    "smoke": Config(**SMOKE, cases=("adam",), hidden=(16,), epochs=3),
    "large": Config(**LARGE, hidden=(512, 256), epochs=100),
}


def one_chip(point: Any, chip: Any, key: Any, trace: bool = False) -> dict[str, Any]:
    """As `learning.one_chip`, with how long the array lives.

    Returns:
        Also `lifetime`, `lifetime_99` and `lifetime_worst`: T / n of the mean, the
        99th percentile and the most written cell, fewer than one write counting as
        one.
    """
    if point.rule == "ideal":
        raise ValueError("rule = 'ideal' writes no cell: it has no lifetime")
    curves, found = learning.learn(point, chip, key, trace)
    steps = len(curves.loss)
    cells = jnp.sort(jnp.concatenate([n.ravel() for n in curves.writes]))
    worn = cells[-(-99 * cells.size // 100) - 1]
    return found | {
        "lifetime": 1 / jnp.maximum(found["update_ratio"], 1 / (cells.size * steps)),
        "lifetime_99": steps / jnp.maximum(worn, 1),
        "lifetime_worst": steps / jnp.maximum(cells[-1], 1),
    }


def run(config: Config, work: Work | None = None) -> xr.Dataset:
    """Train every case and seed; keep histograms, not every cell."""
    work = work or Work()
    data, classes = learning.prepared(config.base())
    work.expect(len(config.cases) * config.n_seeds)
    pixels = data.x_train.shape[1:3]

    @cache
    def trainer(case: str):
        how = config.case(case)
        return population(learning.network(how, classes), how.recipe, how.rule)

    def train(case: str, seed: int) -> xr.Dataset:
        noise = config.write_noise
        curves = trainer(case)(config.key(seed), data, config.n_chips, noise, noise)
        chips, steps = curves.loss.shape
        cells = np.concatenate([n.reshape(chips, -1) for n in curves.writes], 1)
        first = curves.writes[0].reshape(chips, *pixels, -1)
        counts = [np.bincount(chip, minlength=steps + 1) for chip in cells]
        return xr.Dataset(
            {
                "cells": (("chip", "writes"), np.stack(counts)),
                "by_pixel": (("row", "column"), first.mean((0, 3))),
                "accuracy": ("chip", curves.test_accuracy[:, -1]),
            },
            {"writes": np.arange(steps + 1)},
        )

    axes = {"case": config.cases, "seed": range(config.n_seeds)}
    dataset = lay_out(work, axes, train)
    dataset.cells.attrs["units"] = "cells"
    dataset.by_pixel.attrs["units"] = "writes"
    dataset.accuracy.attrs["units"] = "1"
    return dataset.assign_attrs(
        data=config.images().provenance, write_noise_uS=config.write_noise
    )


def claims(dataset: xr.Dataset) -> list[Claim]:
    """H9; the energy claims H6 and H7 are not attempted."""
    case = "sgd" if "sgd" in dataset.case else dataset.case.values[0]
    factor = lifetimes(dataset)["mean"].sel(case=case)
    return [
        judged(
            factor,
            lambda low, high: above(100.0, low, high),
            claim="lifetime about 1000 times longer "
            "(ours: steps / mean writes, SGD, tiny network; trend: above 100)",
            source="press coverage of the paper",
            published=PUBLISHED_LIFETIME,
            unit="times",
            scale=dataset.attrs.get("scale", "reduced"),
        ),
        not_attempted(
            "training energy against backpropagation on memristors",
            "abstract",
            50.54,
            "times",
        ),
        not_attempted("training energy against MADEM", "abstract", 13.23, "times"),
        not_attempted("training energy against a GPU", "abstract", 1e6, "times"),
        not_attempted(
            "inference energy against backpropagation on memristors",
            "abstract",
            35.51,
            "times",
        ),
        not_attempted("inference energy against MADEM", "abstract", 11.26, "times"),
    ]
