"""A model that was trained digitally goes on learning on noisy arrays, on other text.

Pre-training is ideal, on the first half of the text; it is written onto the arrays and
learns the second half: every weight by EaPU, or by backpropagation that writes all; or
the arrays stay as they were written and thin adapters learn beside them, on arrays of
their own by EaPU or in digital memory.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

from chipsweep import Keys
from experiments.claims import Claim, above, judged, spread
from experiments.contract import Sweep, base_of
from experiments.data.text import HELD_OUT, rows
from experiments.deep import language_finetuning_figure as shown
from experiments.deep.language_finetuning_figure import plot as plot
from experiments.deep.text import (
    CHARACTERS,
    Speaking,
    TextAndNet,
    learn_text,
    network,
    split,
    text_named,
)
from experiments.deep.text import DIMS as TRAINING_DIMS
from experiments.deep.text_setting import (
    LARGE,
    MAY_BE_NAN,
    SMOKE,
    TextSetting,
    beside_ideal,
    beyond_chance,
)
from experiments.learning.inputs import Data
from experiments.learning.loop import train
from experiments.learning.recipe import Recipe
from experiments.learning.task import PREDICT
from experiments.validate import Count, Positive

REPRODUCES = "nothing published: a digitally trained language model goes on on arrays"
DIMS = TRAINING_DIMS


class Tuning(Speaking):
    """A training on the second half of a text after one on the first.

    Attributes:
        pretraining: passes over the first half (structural).
        pretraining_rate: learning rate there.
    """

    pretraining: Count = 4
    pretraining_rate: Positive = 4e-3


class Config(TextSetting, TextAndNet):
    """Pre-train one model per seed, and let it go on in five ways, threshold = SD.

    Attributes:
        learning_rate: of what follows on the arrays, at its highest.
        pretraining: passes over rows of the first half of the text.
        pretraining_rate: learning rate there.
    """

    learning_rate: Positive = 1e-3
    pretraining: Count = 4
    pretraining_rate: Positive = 4e-3

    def __post_init__(self):
        """Check every field; half of the text must have the rows."""
        super().__post_init__()
        half = CHARACTERS[self.text] // 2 * (HELD_OUT - 1) // HELD_OUT // self.context
        words = f"half of this text has about {half:,} rows of {self.context:,}"
        self.require(self.n_train <= half, "n_train", words)

    def trainings(self) -> Mapping[str, Tuning]:
        """What one training depends on, before its rule is chosen."""
        return {"tuning": base_of(Tuning, self)}


PRESETS = {
    "smoke": Config(**SMOKE, width=8, epochs=1, pretraining=1),
    "shakespeare": Config(text="tinyshakespeare"),
    "large": Config(
        **LARGE, width=384, heads=6, n_train=1600, pretraining=60, epochs=20,
        pretraining_rate=1e-3, learning_rate=3e-4,
    ),
}  # fmt: skip
"""Beside the default: smaller and larger. "large" is for a GPU."""


def halves(point: Any) -> tuple[Data, Data]:
    """Rows of the first half of a text, and of the second; held out is the same."""
    codes = text_named(point.text).train
    middle = len(codes) // 2
    first, second = (
        split(point, rows(half, point.context))
        for half in (codes[:middle], codes[middle:])
    )
    return first, second


def simulate(point: Any, chip: Any, keys: Keys, trace: bool = False) -> dict[str, Any]:
    """Pre-train one model without errors, and let it go on on one chip.

    Returns:
        `bits` per character of the held-out text and mean `loss` (nats) of each epoch
        of what follows, `final` bits, those `before`, `update_ratio` of what follows
        and the number of `cells` that it is of. If traced also `layer_ratio`.
    """
    del chip
    first, second = halves(point)
    recipe = base_of(Recipe, point, epochs=point.pretraining)
    learnt = train(
        keys._replace(seed=jr.fold_in(keys.seed, 3)),
        network(point),
        first,
        recipe,
        "ideal",
        task=PREDICT,
        learning_rate=point.pretraining_rate,
        test_at_once=point.test_at_once or None,
    )
    curves, found = learn_text(point, keys, second, params=learnt.params)
    found |= {"before": learnt.score[-1], "cells": _cells(curves.writes)}
    return found | ({"layer_ratio": curves.update_ratio} if trace else {})


def _cells(writes: list[Any]) -> Any:
    """How many cells the rule writes or holds."""
    return jnp.asarray(float(sum(n.size for n in writes)))


def defaults(config: Config) -> Tuning:
    """What one training depends on."""
    return config.trainings()["tuning"]


def sweeps(config: Config) -> dict[str, Sweep]:
    """All ways on the arrays, and the ideal one."""
    axes = {"rule": shown.RULES}
    return config.beside_ideal(simulate, axes=axes, dims=DIMS, may_be_nan=MAY_BE_NAN)


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Curves of every way that begin at the pre-trained model; writes of all cells."""
    kept = ("bits", "before", "update_ratio", "cells")
    dataset = beside_ideal(found, "tuning", *kept)
    dataset["writes"] = dataset.update_ratio * dataset.cells * config.steps
    before = dataset.before.expand_dims(epoch=[0])
    after = dataset.bits.assign_coords(epoch=np.arange(1, config.epochs + 1))
    dataset = dataset.drop_vars(["bits", "epoch"], errors="ignore")
    dataset["bits"] = xr.concat([before, after], "epoch").transpose(..., "epoch")
    dataset.bits.attrs["units"] = "bits per character"
    return dataset.assign_attrs(
        config.facts(), steps=config.steps, learning_rate=config.learning_rate
    )


def claims(dataset: xr.Dataset) -> list[Claim]:
    """Nothing is published of a language; the paper fine-tunes Swin."""
    gain = dataset.before - dataset.bits.isel(epoch=-1)
    learnt = dataset.attrs["chance"] - dataset.before
    return [
        judged(
            dataset,
            "EaPU goes on from a digitally trained model on noisy arrays, as with Swin "
            "(ours: it gains where noisy backpropagation loses, and that model beats "
            "chance, the frequencies of characters)",
            "EaPU, Fig. 5c, as a trend",
            gain.sel(rule="eapu"),
            partial(above, 0.0),
            also=[
                above(0.0, *spread(-gain.sel(rule="noisy"))[::2]),
                beyond_chance(learnt),
            ],
            unit="bits per character",
        )
    ]
