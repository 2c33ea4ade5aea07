"""What experiments with a text have in common: their fields, facts and presets."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import numpy as np
import xarray as xr

from experiments.claims import above, spread
from experiments.contract import Sweep, base_of
from experiments.data.text import Text
from experiments.deep.text import Reading
from experiments.deep.training import DeepSetting
from experiments.learning.recipe import SCHEDULES, Recipe
from experiments.memristor.setting import taken
from experiments.validate import Count, CountOrZero, Positive, one_of

MAY_BE_NAN = ("bits", "final", "loss")
"""Outputs of a training that diverged."""
SMOKE: Any = {"n_seeds": 1, "n_train": 32, "n_test": 16, "blocks": 1}
SMOKE |= {"heads": 2, "context": 16, "warm_up": 2}
"""Seconds: for tests."""
LARGE: Any = {"text": "tinyshakespeare", "blocks": 8, "context": 256}
LARGE |= {"batch_size": 64, "n_test": 400, "warm_up": 100, "test_at_once": 50}
"""For a GPU."""


class TextSetting(DeepSetting, Reading, Recipe):
    """Short trainings on a text.

    Attributes:
        write_noise: SD(eps_cell) at `R_wg = 1/80` and threshold, uS.
        learning_rate: of Adam, at its highest.
        test_at_once: rows at once, a divisor of `n_test`; all when 0.
    """

    write_noise: Positive = 2.0
    learning_rate: Positive = 4e-3
    schedule: Annotated[str, one_of(*SCHEDULES)] = "cosine"
    warm_up: CountOrZero = 32
    epochs: Count = 2
    batch_size: Count = 8
    n_train: Count = 1024
    chunk: CountOrZero = 1
    test_at_once: CountOrZero = 0

    @property
    def steps(self) -> int:
        """Updates of a training."""
        return self.epochs * base_of(Recipe, self).steps_per_epoch(self.n_train)

    def sweep(self, simulate: Callable, base: Any, **other: Any) -> Sweep:
        """As of every experiment; a text that is not at hand is said beforehand."""
        self.read()
        return super().sweep(simulate, base, **other)

    def facts(self) -> dict[str, Any]:
        """What a figure and its claims have to know."""
        text = self.read()
        return {
            "data": text.provenance,
            "chance": chance(text),
            "write_noise_uS": self.write_noise,
        }


def chance(text: Text) -> float:
    """Bits per held-out character of who knows only how often each one comes.

    Less is learnt of no order: by a network that has learnt nothing else.

    Example:
        >>> codes = np.array([0, 1, 2, 3] * 250, np.uint8)
        >>> even = {"vocabulary": "abcd", "provenance": "", "sha256": ""}
        >>> chance(Text(train=codes, validation=codes, **even))
        2.0
    """
    often = 1 + np.bincount(text.train, minlength=len(text.vocabulary))
    return float(-np.mean(np.log2(often / often.sum())[text.validation]))


def beyond_chance(learnt: xr.DataArray) -> str:
    """Judge whether a language was learnt at all: `chance` less bits, of all chips."""
    return above(0.0, *spread(learnt)[::2])


def beside_ideal(
    found: Mapping[str, xr.Dataset], name: str, *same: str, **names: str
) -> xr.Dataset:
    """All rules in a row; the ideal one is alike on all chips of a seed.

    Args:
        found: by the sweeps of `Chips.beside_ideal`.
        name: of the training.
        *same: outputs that keep their names.
        **names: output -> its name from here on.
    """
    written = taken(found[name], *same, **names)
    ideal = taken(found[f"{name}_ideal"], *same, **names).isel(chip=0, drop=True)
    ideal = ideal.expand_dims(rule=["ideal"], chip=written.chip)
    return xr.concat([ideal, written], "rule")
