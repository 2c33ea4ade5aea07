"""What is published of a board's time and energy, held against `spu_scaling`."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import xarray as xr

from experiments.claims import Claim, above, judged, within_reach
from experiments.thermodynamic import digital
from experiments.thermodynamic.machine import PRESS, REVIEW
from experiments.thermodynamic.spu_scaling_figure import (
    CROSSOVER,
    LARGE,
    SLOW_RATE,
    TIMES,
)

BAND = ("n_samples", "channel_rate", "speed")
"""What is not known of a task, and spans a band."""


def claims(dataset: xr.Dataset) -> list[Claim]:
    """The published statements on time and energy; of an RTX A6000 only."""
    if dataset.attrs["digital"] != digital.PUBLISHED:
        return []
    own = {name: dataset.attrs[name] for name in BAND}
    return [_crossover(dataset, own), *_large(dataset), _energy(dataset)]


def _ours(band: xr.DataArray, own: Any) -> tuple[float, float, float]:
    return float(band.min()), float(own), float(band.max())


def _crossover(dataset: xr.Dataset, own: Mapping[str, float]) -> Claim:
    rate = own["channel_rate"]
    return judged(
        dataset,
        "sampling beats an RTX A6000 above this many dimensions (ours: INFERRED "
        f"constants chosen to meet it; {own['n_samples']:,.0f} samples, "
        f"{rate / 1e12:g} Tb/s; the band is that of samples, transfer and GPU speed)",
        REVIEW,
        _ours(dataset.crossover, dataset.crossover.sel(own)),
        partial(within_reach, CROSSOVER),
        published=CROSSOVER,
        unit="dimensions",
    )


def _large(dataset: xr.Dataset) -> list[Claim]:
    if LARGE not in dataset.dimension:
        return []
    slow = dataset.at_large.sel(rate=SLOW_RATE).max()
    return [
        judged(
            dataset,
            f"{TIMES:g} times faster than an RTX A6000 at d = 10,000 (ours: INFERRED "
            f"constants chosen to meet it; with {SLOW_RATE / 1e9:g} Gb/s, STATED for a "
            f"sister machine, at most {float(slow):.1f} in the band)",
            PRESS,
            _ours(
                dataset.speedup.sel(dimension=LARGE),
                dataset.own_speedup.sel(dimension=LARGE),
            ),
            partial(within_reach, TIMES),
            published=TIMES,
            unit="x",
        )
    ]


def _energy(dataset: xr.Dataset) -> Claim:
    bound = dataset.own_power_bound.min()
    own = dataset.saving.sel(power=dataset.attrs["power"]).min()
    return judged(
        dataset,
        "less energy than an RTX A6000 at every dimension (ours: times less, where it "
        f"is least; a board of {dataset.attrs['power']:g} W, ASSUMED; it holds below "
        f"{float(bound):.1f} W; host and standby left out)",
        PRESS,
        _ours(dataset.saving_band, own),
        partial(above, 1.0),
        unit="x",
    )
