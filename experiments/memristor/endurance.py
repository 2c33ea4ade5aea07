"""Wear: writes per cell, and how much longer the array lives.

The lifetime factor is T / n: a cell that is written n times in T steps lasts
T / n times as long as if every step wrote it (INFERRED accounting; it matches
the published factor of about 1000). The mean cell sets the energy, the most
written cell dies first: both are shown. How many cells are worn out after many more
steps is extrapolated: as if the training were repeated, every cell writing as before.
A rule with several arrays has several cells per weight; its chip lasts as long as its
busiest array.
"""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from chipsweep import Keys
from eapu_jax import cost
from experiments.claims import Claim, above, judged, spread
from experiments.contract import Sweep
from experiments.memristor import training
from experiments.memristor.endurance_figure import PUBLISHED_LIFETIME, TITLES
from experiments.memristor.endurance_figure import plot as plot
from experiments.memristor.setting import LARGE, SMOKE, MlpSetting, taken
from experiments.memristor.setting import defaults as defaults
from experiments.memristor.training import Training, learn
from experiments.validate import Distinct, Several, Width, one_of

SEVERAL = {
    rule: {"rule": rule, "learning_rate": 0.1, "strength": 0.3}
    for rule in ("residual_learning", "multi_tile")
}
"""Rules with several arrays, as the experiment `rivals` tuned them on such cells."""
REPRODUCES = "EaPU, lifetime about 1000 times longer: writes per cell"
DIMS = training.DIMS | {"cells": ("writes",), "by_input": ("input",)}


class Config(MlpSetting):
    """Train an MLP and count the writes of every cell.

    Attributes:
        cases: which of "adam", "sgd" (both EaPU), "noisy", or a rival of EaPU:
            "mixed_precision", "pulse_train", "residual_learning", "multi_tile".
        learning_rate: of Adam; SGD takes twenty times as much.
    """

    cases: Distinct[Annotated[str, one_of(*TITLES)]] = ("adam", "sgd", "noisy")
    hidden: Several[Width] = (128, 64)
    pool: Width = 1

    def trainings(self) -> dict[str, Training]:
        """How every case is trained."""
        sgd = {"optimizer": "sgd", "schedule": "cosine"}
        changes: dict[str, Any] = {
            "adam": {"rule": "eapu"},
            "sgd": sgd | {"rule": "eapu", "learning_rate": 20 * self.learning_rate},
            **{case: sgd | SEVERAL[case] for case in SEVERAL},
        }
        return {
            case: self.training(**changes.get(case, {"rule": case}))
            for case in self.cases
        }


PRESETS = {
    "smoke": Config(**SMOKE, cases=("adam",), hidden=(16,), epochs=3),
    "rivals": Config(cases=tuple(TITLES)),
    "large": Config(**LARGE, hidden=(512, 256), epochs=100),
}


def simulate(point: Any, chip: Any, keys: Keys, trace: bool = False) -> dict[str, Any]:
    """Train one chip; also how often its cells were written, and how long it lives.

    Returns:
        Beside the outputs of `experiments.memristor.training.simulate`: what `wear`
        tells of all cells, and `by_input`, mean writes of the first layer's cells by
        input line.
    """
    del chip
    if point.rule == "ideal":
        raise ValueError("rule = 'ideal' writes no cell: it has no lifetime")
    curves, found = learn(point, keys, trace)
    first, steps = curves.writes[0], len(curves.loss)
    cells = jnp.concatenate([n.ravel() for n in curves.writes])
    lines = jnp.mean(first.astype(jnp.float32).reshape(-1, *first.shape[-2:]), (0, 2))
    return found | wear(cells, steps) | {"by_input": lines}


def wear(writes: jax.Array, steps: int) -> dict[str, jax.Array]:
    """How often cells were written in `steps` steps, and how long they live.

    Returns:
        `cells`: how many were written 0, 1 ... `steps` times; `lifetime`,
        `lifetime_99` and `lifetime_worst`: T / n of the mean, the 99th percentile
        and the most written cell, fewer than one write counting as one.
    """
    order = jnp.sort(writes)
    worn = order[-(-99 * order.size // 100) - 1]
    mean = jnp.sum(writes, dtype=jnp.float32) / writes.size
    return {
        "cells": jnp.bincount(writes.astype(jnp.int32), length=steps + 1),
        "lifetime": steps / jnp.maximum(mean, 1 / writes.size),
        "lifetime_99": steps / jnp.maximum(worn, 1),
        "lifetime_worst": steps / jnp.maximum(order[-1], 1),
    }


def sweeps(config: Config) -> dict[str, Sweep]:
    """The population of every case."""
    cases = config.trainings().items()
    return {case: config.sweep(simulate, base, dims=DIMS) for case, base in cases}


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """All cases side by side; the wear of the first layer as an image."""
    same = ("cells", "by_input", "lifetime", "lifetime_99", "lifetime_worst")
    parts = [taken(found[c], *same, final="accuracy") for c in config.cases]
    cases = xr.Variable("case", list(config.cases))
    dataset = xr.concat(parts, cases, join="exact")
    dataset = dataset.assign_coords(writes=np.arange(dataset.sizes["writes"]))
    images = config.images()
    shape = [n // config.pool for n in images.x_train.shape[1:3]]
    lines = dataset.by_input.mean("chip").transpose("case", "seed", "input")
    pixels = lines.values.reshape(*lines.shape[:2], *shape, -1).mean(-1)
    dataset["by_pixel"] = ("case", "seed", "row", "column"), pixels
    dataset = dataset.drop_vars("by_input")
    dataset["worn"] = _worn(dataset, dataset.sizes["writes"] - 1)
    dataset["lasts"] = _lasts(dataset)
    dataset.cells.attrs["units"] = "cells"
    dataset.by_pixel.attrs["units"] = "writes"
    return dataset.assign_attrs(config.facts())


def _worn(dataset: xr.Dataset, steps: int) -> xr.DataArray:
    """Share of the cells with more pulses than they bear, by steps of training."""
    known = cost.read_constants()
    bears, loop = known["endurance_rram"], known["pulses_per_write"].value
    ahead = xr.DataArray(np.geomspace(1e2, 1e9, 141), dims="ahead")
    ends = xr.DataArray([bears.low, bears.value], {"bears": ["low", "value"]})
    # written more than n times in these steps: more than they bear in those ahead
    most = np.floor(ends * steps / (loop * ahead)).clip(max=steps).astype(int)
    share = dataset.cells / dataset.cells.sum("writes")
    beyond = 1 - share.cumsum("writes").sel(writes=most)
    worn = beyond.drop_vars("writes").assign_coords(ahead=ahead)
    return worn.clip(min=0).assign_attrs(units="1")


def _lasts(dataset: xr.Dataset) -> xr.DataArray:
    """Steps until the most written cell is worn, and the 99th percentile.

    The low end is the lowest endurance with the longest loop; see `cost.lifetime`.
    """
    known = cost.read_constants()
    bears, loop = known["endurance_rram"], known["pulses_per_write"]
    writes = [bears.low / loop.high, bears.value / loop.value, bears.high / loop.low]
    ends = xr.DataArray(writes, {"end": ["low", "value", "high"]}, "end")
    worn = xr.Variable("worn_cells", ["first", "1 %"])
    factors = xr.concat([dataset.lifetime_worst, dataset.lifetime_99], worn)
    return (factors * ends).rename("lasts").assign_attrs(units="steps")


def claims(dataset: xr.Dataset) -> list[Claim]:
    """The lifetime."""
    case = "sgd" if "sgd" in dataset.case else dataset.case.values[0]
    lifetime = judged(
        dataset,
        "lifetime about 1000 times longer "
        "(ours: steps / mean writes, SGD, tiny network; trend: above 100)",
        "press coverage of the paper",
        spread(dataset.lifetime.sel(case=case), 0.05),
        partial(above, 100.0),
        published=PUBLISHED_LIFETIME,
        unit="times",
    )
    return [lifetime]
