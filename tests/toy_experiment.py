"""A small experiment for the tests of the machinery: lines of a given slope."""

import sys
from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from experiments.claims import Claim, within
from experiments.contract import Sweep
from experiments.figures import style

REPRODUCES = "a toy: Fig. 0"
CALLS: list[float] = []
"""Slopes of the runs so far, so that a test can count; and those that must fail."""
FAIL_AT: dict[float, BaseException] = {}


@dataclass(frozen=True, kw_only=True)
class Config:
    """Lines of several slopes.

    Attributes:
        slopes: of the lines, 1/s.
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


@dataclass(frozen=True, kw_only=True)
class Line:
    slope: float = 1.0
    loud: bool = False


def simulate(point, chip, rng):
    del rng
    told = sys.modules["tests.toy_experiment"]  # its lists are no part of the program
    if chip == 0:
        told.CALLS.append(point.slope)
    stop = told.FAIL_AT.get(point.slope)
    if isinstance(stop, KeyboardInterrupt):
        raise stop
    return {"y": np.float32(point.slope * chip / 3 + point.loud)}


def defaults(config: Config) -> Line:
    return Line(loud=config.loud)


def sweeps(config: Config) -> dict[str, Sweep]:
    lines = Sweep(
        simulate=simulate,
        base=defaults(config),
        axes={"slope": config.slopes},
        chips=config.n_chips,
        outputs={"y": float},
        chunk=config.n_chips,
    )
    return {"lines": lines}


def derive(config: Config, found) -> xr.Dataset:
    lines = found["lines"]
    for slope in config.slopes:
        if slope in FAIL_AT:
            raise FAIL_AT[slope]
    y = lines.y.isel(seed=0, drop=True).astype(np.float32).assign_attrs(units="m")
    return xr.Dataset({"y": y}).assign_attrs(data="toy data, made up")


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
