"""The threshold that fits the noise: variance is least where it equals the write error.

Thresholds at fixed write noise: accuracy, update ratio, and the variance of one step
as the array made it, beside its law. Also the two deterministic rules that stand
disabled in the authors' code, which under Adam never write at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import xarray as xr

import eapu_jax as ej
from chipsweep import Keys
from experiments.claims import STAKE, Claim, at_stake, below, judged, spread
from experiments.contract import Sweep
from experiments.memristor.setting import LARGE, SMOKE, MlpSetting, taken
from experiments.memristor.setting import defaults as defaults
from experiments.memristor.threshold_figure import RIVALS
from experiments.memristor.threshold_figure import plot as plot
from experiments.memristor.training import DIMS as DIMS
from experiments.memristor.training import learn, thresholds
from experiments.validate import Ascending, Count, Distinct, Positive, one_of

FLAT = 2.0
"""Points that accuracies nearly the same may differ by."""
REPRODUCES = "EaPU, the choice threshold = SD (public code) and its two ablations"


class Config(MlpSetting):
    """Train an MLP at several thresholds under one write noise.

    Attributes:
        write_noise: SD(ε_cell), µS.
        ratios: threshold / SD, ascending.
        rivals: rules without a threshold to choose, or without chance.
    """

    ratios: Ascending[Positive] = (0.25, 0.5, 1.0, 1.5, 2.0, 4.0)
    rivals: Distinct[Annotated[str, one_of(*RIVALS)]] = tuple(RIVALS)
    epochs: Count = 8


PRESETS = {
    "smoke": Config(
        **SMOKE, ratios=(0.5, 1.0, 2.0), rivals=("lift_above",), hidden=(16,), epochs=3
    ),
    "large": Config(
        **LARGE,
        ratios=(0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 8.0),
        hidden=(512, 256),
        pool=1,
        epochs=50,
    ),
}

_VARIANCES = ("measured", "law", "least", "written")


def see_variance(
    requested: Sequence[jax.Array],
    applied: Sequence[jax.Array],
    threshold: jax.Array | float,
    write_error: jax.Array | float,
) -> dict[str, jax.Array]:
    """What one step did, per cell of the array, and what the laws expect of it.

    Returns:
        `measured`: mean square of (applied - requested); `law`: its expectation
        for these very requests; `least`: the same at threshold = SD; `written`:
        expected fraction of written cells.
    """

    def mean(f):
        values = [jnp.sum(f(d, a)) for d, a in zip(requested, applied, strict=True)]
        return sum(values, jnp.float32(0)) / sum(d.size for d in requested)

    return {
        "measured": mean(lambda d, a: (a - d) ** 2),
        "law": mean(lambda d, a: ej.laws.total_variance(d, threshold, write_error)),
        "least": mean(lambda d, a: ej.laws.total_variance(d, write_error, write_error)),
        "written": mean(lambda d, a: ej.laws.write_probability(d, threshold)),
    }


def simulate(point: Any, chip: Any, keys: Keys, trace: bool = False) -> dict[str, Any]:
    """Train one chip; also the means over the training of `see_variance`.

    Its laws are those of the probabilistic rule, whatever the rule of the point. All
    else is as in `experiments.memristor.training.simulate`.
    """
    del chip
    scales = thresholds(point)
    curves, found = learn(
        point,
        keys,
        trace,
        observe=lambda step: see_variance(step.requested, step.applied, *scales),
    )
    return found | {name: value.mean() for name, value in curves.observed.items()}


def sweeps(config: Config) -> dict[str, Sweep]:
    """The thresholds; the rivals, and no noise at all, once each."""
    chosen = {"threshold": [ratio * config.write_noise for ratio in config.ratios]}
    eapu = config.sweep(simulate, config.training(), axes=chosen, dims=DIMS)
    rivals = replace(eapu, axes={"rule": config.rivals})
    return {"eapu": eapu, "rivals": rivals, "ideal": config.ideal(eapu)}


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Thresholds in units of the noise, beside the rivals and the ideal."""
    swept = taken(found["eapu"], "update_ratio", *_VARIANCES, final="accuracy")
    swept = swept.rename(threshold="ratio").assign_coords(ratio=list(config.ratios))
    rival = {"final": "rival_accuracy", "update_ratio": "rival_update_ratio"}
    ideal = taken(found["ideal"], final="ideal_accuracy").isel(chip=0, drop=True)
    dataset = xr.merge(
        [swept, taken(found["rivals"], **rival), ideal], join="exact", compat="equals"
    )
    dataset.ratio.attrs = {"units": "1", "long_name": "threshold / SD(eps_cell)"}
    return dataset.assign_attrs(config.facts())


def claims(dataset: xr.Dataset) -> list[Claim]:
    """Accuracy is nearly flat around threshold = SD."""
    near = dataset.accuracy.sel(ratio=slice(0.5, 1.5)).mean("chip")
    range_ = 100 * (near.max("ratio") - near.min("ratio"))
    low, ours, high = (float(f()) for f in (range_.min, range_.mean, range_.max))
    learnt = 100 * (near.max("ratio") - dataset.attrs["chance"])
    return [
        judged(
            dataset,
            "accuracy is nearly flat for thresholds of 0.5 to 1.5 SD "
            "(ours: largest minus smallest mean over chips; flat: within "
            f"{FLAT:g} points, where accuracy beats chance by over {STAKE * FLAT:g})",
            "records of the authors' public code",
            (low, ours, high),
            partial(below, FLAT),
            unit="points",
            also=[at_stake(FLAT, *spread(learnt, 0.05)[::2])],
        )
    ]
