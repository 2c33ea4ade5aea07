"""Which layers must be digital: none, each, every pair, all, under several rules.

A layer that is kept digital costs a digital word per weight, and products that no
array computes; what it saves is its write errors and its writes. Rules that keep a
residual pay a word for every weight that stays on an array.
"""

from collections.abc import Mapping
from itertools import combinations, pairwise
from typing import Annotated, Any

import jax.numpy as jnp
import numpy as np
import xarray as xr

from chipsweep import Keys
from experiments.claims import nothing_published as claims  # noqa: F401
from experiments.contract import Sweep
from experiments.learning.rules import GATES
from experiments.memristor import training
from experiments.memristor.hybrid_figure import plot as plot
from experiments.memristor.setting import LARGE, SMOKE, MlpSetting, taken
from experiments.memristor.setting import defaults as defaults
from experiments.memristor.training import learn, prepared
from experiments.validate import Count, Distinct, Several, Width, one_of

REPRODUCES = "nothing published: accuracy, writes, words by which layers are digital"
DIMS = training.DIMS


class Config(MlpSetting):
    """Train an MLP with every set of a few digital layers, and with all.

    Attributes:
        rules: that write the layers on arrays.
        most: layers that are digital together, all aside.
        hidden: widths of the hidden layers.
    """

    rules: Distinct[Annotated[str, one_of(*GATES)]] = (
        "eapu",
        "noisy",
        "mixed_precision",
    )
    most: Count = 2
    hidden: Several[Width] = (64, 32, 32)
    epochs: Count = 8

    def __post_init__(self):
        """Check every field; every set must leave a layer on an array."""
        super().__post_init__()
        fewer = self.most <= len(self.hidden)
        self.require(fewer, "most", f"at most {len(self.hidden)}: one stays analog")

    def sets(self) -> tuple[tuple[int, ...], ...]:
        """Layers that are digital together, few first: none, each, every pair."""
        layers, sizes = range(len(self.hidden) + 1), range(self.most + 1)
        return tuple(one for n in sizes for one in combinations(layers, n))

    def sizes(self) -> np.ndarray:
        """Weights of every layer."""
        data = prepared(self.training())
        inputs = int(np.prod(data.x_train.shape[1:]))
        widths = (inputs, *self.hidden, self.images().n_classes)
        return np.array([a * b for a, b in pairwise(widths)])


PRESETS = {
    "smoke": Config(**SMOKE, rules=("eapu",), most=1, hidden=(8, 8), epochs=1),
    "large": Config(**LARGE, hidden=(512, 256, 128), pool=1, epochs=40),
}


def simulate(point: Any, chip: Any, keys: Keys, trace: bool = False) -> dict[str, Any]:
    """Train one chip; also `words` that optimizer and rule keep for a weight on arrays.

    All else is as in `experiments.memristor.training.simulate`; `update_ratio` is that
    of the cells there are.
    """
    del chip
    curves, found = learn(point, keys, trace)
    return found | {"words": jnp.float32(curves.counts.words)}


def sweeps(config: Config) -> dict[str, Sweep]:
    """Every set under every rule; all layers digital is the same under each: ideal."""
    axes = {"rule": config.rules, "digital": config.sets()}
    sets = config.sweep(simulate, config.training(), axes=axes, dims=DIMS)
    return {"sets": sets, "all": config.ideal(sets)}


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Accuracy, writes per weight of the network, digital words beside Adam's own."""
    sets, sizes = config.sets(), config.sizes()
    swept = taken(found["sets"], "update_ratio", "words", final="accuracy")
    names = ["+".join(str(n + 1) for n in one) or "none" for one in sets]
    swept = swept.assign_coords(digital=names)
    ideal = taken(found["all"], "words", final="all_accuracy").isel(chip=0, drop=True)
    share = xr.DataArray(
        [sizes[[*one]].sum() / sizes.sum() for one in sets], dims="digital"
    )
    own = (swept.words - ideal.words).mean(("seed", "chip"))
    ends = [(one[0], one[-1]) if len(one) in (1, 2) else (-1, -1) for one in sets]
    dataset = xr.Dataset(
        {
            "accuracy": swept.accuracy,
            "gain": swept.accuracy - swept.accuracy.sel(digital="none", drop=True),
            "all_accuracy": ideal.all_accuracy,
            "writes": swept.update_ratio * (1 - share),
            "words": share + own * (1 - share),
            "share": share,
            "layers": (("digital", "end"), ends),
            "size": ("layer", sizes),
        }
    )
    for name in dataset.data_vars:
        dataset[name].attrs["units"] = "1"
    return dataset.assign_attrs(config.facts())
