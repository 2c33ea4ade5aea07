"""The scheme: updates are smaller than the write error, so write seldom, fully.

Left: sizes of the updates that Adam asks for in a real training, beside the
error of one write. Right: what the rule does to one update, asked of many cells,
on its closed forms.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

import eapu_jax as ej
from chipsweep import Keys
from experiments.claims import Claim, above, below, judged, spread
from experiments.contract import Sweep, base_of
from experiments.memristor import training
from experiments.memristor.scheme_figure import plot as plot
from experiments.memristor.setting import LARGE, SMOKE, MlpSetting, taken
from experiments.memristor.setting import defaults as defaults
from experiments.memristor.training import Writing, crossbar, learn, thresholds
from experiments.validate import NonNegative, Plural, Positive

REPRODUCES = "EaPU, Fig. 1b and the scheme: update sizes and the probabilistic rule"
PHASES = ("early", "late")
"""Before and after the drop of the learning rate."""
DIMS = training.DIMS | {
    "share": ("phase", "magnitude"),
    "zero": ("phase",),
    "small": ("phase",),
}

EDGES = np.linspace(-8.0, 0.0, 81)
"""Edges of the histogram of log10 |ΔW|, ten bins per decade."""
MIDDLES = (EDGES[1:] + EDGES[:-1]) / 2


class Config(MlpSetting):
    """Watch the updates of a training, and ask many cells for single updates.

    Attributes:
        n_cells: of a chip that all ask for the same update.
        n_sizes: sizes of the update between 0 and 2 thresholds.
    """

    n_cells: Plural = 10_000
    n_sizes: Plural = 25


PRESETS = {
    "smoke": Config(**SMOKE, hidden=(16,), epochs=3, n_cells=200, n_sizes=5),
    "large": Config(
        **LARGE, hidden=(512, 256), pool=1, epochs=50, n_cells=1_000_000, n_sizes=100
    ),
}


def see_sizes(requested: Sequence[jax.Array]) -> dict[str, jax.Array]:
    """Counts of the requested updates by size, and how many are exactly zero.

    Returns:
        `counts` per bin of `EDGES` (the outer bins take what lies beyond), `zero`
        and `total`, numbers of cells.
    """
    d = jnp.abs(jnp.concatenate([x.ravel() for x in requested]))
    bins = len(EDGES) - 1
    place = jnp.floor((jnp.log10(d) - EDGES[0]) * (bins / (EDGES[-1] - EDGES[0])))
    place = jnp.where(d == 0, bins, jnp.clip(place, 0, bins - 1)).astype(jnp.int32)
    counts = jnp.bincount(place, length=bins + 1)
    return {"counts": counts[:-1], "zero": counts[-1], "total": jnp.int32(d.size)}


def simulate(point: Any, chip: Any, keys: Keys, trace: bool = False) -> dict[str, Any]:
    """Train one chip; also the sizes of the updates that were asked for.

    Returns:
        Beside the outputs of `experiments.memristor.training.simulate`, of the first
        two thirds of the training and of the rest: `share` of all updates per bin of
        `EDGES`; `zero`, the share of those that are exactly 0; and `small`, the share
        of the others that are below a tenth of SD(ε_cell).
    """
    del chip
    curves, found = learn(
        point, keys, trace, observe=lambda step: see_sizes(step.requested)
    )
    steps = len(curves.loss)
    early = jnp.arange(steps) < -(-2 * steps // 3)
    phases = jnp.stack([early, ~early]).astype(jnp.float32)
    sums = {
        name: phases @ value.reshape(steps, -1).astype(jnp.float32)
        for name, value in curves.observed.items()
    }
    total = jnp.maximum(sums["total"], 1)
    share = sums["counts"] / total
    tenth = jnp.log10(thresholds(point)[1] / 10)
    below = jnp.where(tenth > MIDDLES, share, 0).sum(1)
    small = below / jnp.maximum(share.sum(1), jnp.finfo(share.dtype).tiny)
    zero = (sums["zero"] / total)[:, 0]
    return found | {"share": share, "zero": zero, "small": small}


class Update(Writing):
    """What one update of many cells depends on.

    Attributes:
        asked: |ΔW| / ΔW_th.
        write_noise: SD(ε_cell), µS.
        n_cells: that all ask for the same update (structural).
    """

    asked: NonNegative = 0.5
    write_noise: Positive = 2.0
    n_cells: Plural = 10_000


def update(point: Any, chip: Any, keys: Keys) -> dict[str, jax.Array]:
    """Ask many cells of one chip for the same `Update`, once.

    Returns:
        `rate` of writes, `mean` and `sd` of the weight's change and `sd_pulse` of the
        pulse alone, in thresholds.
    """
    del chip
    key_rule, key_write = jr.split(keys.chip)
    theta, _ = thresholds(point)
    rule = ej.eapu(theta, key=key_rule)
    array = ej.program(crossbar(point), key=key_write)
    w = jnp.zeros((1, point.n_cells))
    asked = jnp.broadcast_to(jnp.asarray(theta * point.asked), w.shape)
    pulses, _ = rule.update(asked, rule.init(w))
    made, _ = array.update(pulses, array.init(w), w)
    pulses, made = jnp.asarray(pulses), jnp.asarray(made)
    return {
        "rate": jnp.mean((pulses != 0).astype(jnp.float32)),
        "mean": jnp.mean(made) / theta,
        "sd": jnp.std(made) / theta,
        "sd_pulse": jnp.std(pulses) / theta,
    }


def sweeps(config: Config) -> dict[str, Sweep]:
    """The training that is watched, and single updates of all sizes."""
    sizes = np.linspace(0.0, 2.0, config.n_sizes).tolist()
    axes, base = {"asked": sizes}, base_of(Update, config)
    updates = config.sweep(update, base, axes=axes, seeds=1, chunk=None)
    training = config.sweep(simulate, config.training(), dims=DIMS)
    return {"training": training, "updates": updates}


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Sizes of the updates by phase; what one update became, by its size."""
    watched = taken(found["training"], "share", "zero", "small")
    single = taken(found["updates"], "rate", "mean", "sd", "sd_pulse")
    single = single.isel(seed=0, drop=True)
    single.asked.attrs = {"long_name": "update asked / threshold", "units": "1"}
    dataset = xr.merge([watched, single], join="exact", compat="equals")
    magnitude = ("magnitude", MIDDLES, {"long_name": "log10 |dW|", "units": "1"})
    dataset = dataset.assign_coords(magnitude=magnitude, phase=list(PHASES))
    return dataset.assign_attrs(config.facts())


def claims(dataset: xr.Dataset) -> list[Claim]:
    """Updates are far below the noise; the mean of what is made is what was asked."""
    share = 100 * dataset.small.sel(phase="early")
    bias = (dataset["mean"] - dataset.asked).mean("chip")
    error = dataset["mean"].std("chip", ddof=1) / np.sqrt(dataset.sizes["chip"])
    worst = float(np.abs(bias / error.where(error > 0)).max())
    return [
        judged(
            dataset,
            "most updates are 10 to 100 times smaller than the write error "
            "(ours: share at least 10 times smaller, Adam)",
            "press coverage of the paper",
            spread(share, 0.05),
            partial(above, 50.0),
            unit="%",
        ),
        judged(
            dataset,
            "the probabilistic update equals backpropagation's in the mean "
            "(ours: largest bias, in standard errors; below 5)",
            "press coverage of the paper; exact for the published rule",
            (0.0, worst, worst),
            partial(below, 5.0),
            published=0.0,
            unit="standard errors",
        ),
    ]
