"""A small experiment for the tests of the machinery: lines of a given slope."""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from experiments import style
from experiments.claims import Claim, within
from experiments.work import Work

REPRODUCES = "a toy: Fig. 0"
MINUTES = 0.01
CALLS: list[float] = []
"""Slopes computed so far, so that a test can count; and those that must fail."""
FAIL_AT: dict[float, BaseException] = {}


@dataclass(frozen=True, kw_only=True)
class Config:
    """Lines of several slopes.

    Attributes:
        slopes: one part each, 1/s.
        n_chips: points drawn at every slope.
        loud: whether to add one.
    """

    slopes: tuple[float, ...] = (1.0, 2.0, 3.0)
    n_chips: int = 4
    loud: bool = False

    def __post_init__(self):
        if self.n_chips < 1:
            raise ValueError(f"n_chips = {self.n_chips}: at least 1")


PRESETS = {"smoke": Config(slopes=(1.0,), n_chips=2)}


def run(config: Config, work: Work | None = None) -> xr.Dataset:
    work = work or Work()
    work.expect(len(config.slopes))
    lines = [
        work.part(f"slope {s}", lambda s=s: _line(s, config)) for s in config.slopes
    ]
    data = xr.concat(
        lines, xr.DataArray(list(config.slopes), dims="slope", name="slope")
    )
    return data.assign_attrs(data="toy data, made up")


def _line(slope: float, config: Config) -> xr.Dataset:
    CALLS.append(slope)
    if slope in FAIL_AT:
        raise FAIL_AT[slope]
    y = slope * np.arange(config.n_chips, dtype=np.float32) / 3 + config.loud
    return xr.Dataset({"y": ("chip", y.astype(np.float32), {"units": "m"})})


@style.styled
def plot(dataset: xr.Dataset) -> Figure:
    figure = Figure()
    axes = figure.add_subplot()
    style.band(axes, dataset.slope, dataset.y, label="toy")
    style.published(axes, [1.0], [0.5])
    axes.legend()
    style.caption(figure, dataset)
    return figure


def claims(dataset: xr.Dataset) -> list[Claim]:
    low, ours, high = (float(q) for q in dataset.y.quantile([0.25, 0.5, 0.75]))
    return [
        Claim(
            claim="the middle of the toy",
            source="nowhere, Fig. 0",
            published=1.0,
            ours=ours,
            low=low,
            high=high,
            unit="m",
            scale=dataset.attrs["scale"],
            verdict=within(1.0, low, high),
        )
    ]
