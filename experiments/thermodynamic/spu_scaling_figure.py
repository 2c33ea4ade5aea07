"""The figure of `spu_scaling`: time, energy, what they hang on, and standby."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from experiments.figures import style

CROSSOVER, LARGE, TIMES = 3000.0, 1e4, 10.0
"""Published: equally fast at `CROSSOVER` dimensions (STATED-2nd), `TIMES` faster at
`LARGE` (press)."""
SLOW_RATE = 50e9
"""bit/s: the transfer that a sister machine is STATED to have."""
_D = "dimensions d"
_BOARD, _DIGITAL = style.COLOURS[0], style.COLOURS[1]


def _digital(dataset: xr.Dataset) -> str:
    return "RTX A6000" if dataset.attrs["digital"] == "a6000" else "this machine"


def _filled(axes: Axes, band: xr.DataArray, colour: str) -> None:
    low, high = (band.sel(end=end) for end in ("low", "high"))
    axes.fill_between(band.dimension, low, high, color=colour, alpha=0.15, linewidth=0)


def _times(axes: Axes, dataset: xr.Dataset) -> None:
    d = dataset.dimension
    for name, words, colour in (
        ("board_time", "board", _BOARD),
        ("digital_time", _digital(dataset), _DIGITAL),
    ):
        _filled(axes, dataset[name], colour)
        axes.plot(d, dataset[f"own_{name}"], color=colour, label=words)
    if "measured" in dataset:
        at = dataset.measured
        axes.plot(at.measured_size, at, "o", c=_DIGITAL, label="measured here")
    if _published(dataset):
        axes.axvline(CROSSOVER, color="black", ls="--", label="published: crossover")
    n = dataset.attrs["n_samples"]
    style.decades(axes, "xy")
    axes.set(xlabel=_D, ylabel="time (s)")
    axes.set_title(f"{n:,.0f} samples of a Gaussian")
    axes.legend()


def _published(dataset: xr.Dataset) -> bool:
    return dataset.attrs["digital"] == "a6000"


def _ratio(axes: Axes, dataset: xr.Dataset) -> None:
    d = dataset.dimension
    _filled(axes, dataset.speedup, _BOARD)
    axes.plot(d, dataset.own_speedup, color=_BOARD, label="sampling")
    if _published(dataset):
        style.published(axes, [CROSSOVER, LARGE], [1.0, TIMES], label="sampling")
    for error, line in zip(dataset.error.values, ("-", "--", ":", "-."), strict=False):
        for name, words, colour in (
            ("inverse", "sums digital", style.COLOURS[3]),
            ("inverse_on_board", "sums on board", style.COLOURS[2]),
        ):
            label = f"inverse to {100 * error:g} %, {words}"
            at = dataset[name].sel(error=error)
            axes.plot(d, at, line, color=colour, label=label)
    axes.axhline(1, color="0.5", linewidth=0.8)
    style.decades(axes, "xy")
    axes.set(xlabel=_D, ylabel=f"time of {_digital(dataset)} over the board's")
    axes.set(title="times faster", ylim=(1e-6, 1e3))
    axes.legend(fontsize=7)


def _rates(axes: Axes, dataset: xr.Dataset) -> None:
    at, own = dataset.at_large, dataset.attrs["speed"]
    for n, colour in zip(at.n_samples.values, style.COLOURS * 3, strict=False):
        one = at.sel(n_samples=n)
        x = one.rate / 1e9
        axes.plot(x, one.sel(speed=own), color=colour, label=f"{n:,.0f} samples")
        low, high = one.min("speed"), one.max("speed")
        axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
    if _published(dataset):
        style.published_line(axes, TIMES, f"{TIMES:g} times")
    axes.axvline(SLOW_RATE / 1e9, color="0.5", ls=":", label="a sister machine: 50")
    style.decades(axes, "xy")
    axes.set(xlabel="transfer to and from the board (Gb/s)", ylabel="times faster")
    axes.set_title(f"at d = {LARGE:,.0f}: what 10 times needs")
    axes.legend()


def _energy(axes: Axes, dataset: xr.Dataset) -> None:
    _filled(axes, dataset.saving_band, _BOARD)
    for power, line in zip(
        dataset.power.values, ("--", "-", ":", "-.", "-"), strict=False
    ):
        at = dataset.saving.sel(power=power)
        axes.plot(at.dimension, at, line, c=_BOARD, label=f"a board of {power:g} W")
    words = "published: more at every d" if _published(dataset) else "as much"
    axes.axhline(1, color="black", ls="--", label=words)
    style.decades(axes, "xy")
    bound = float(dataset.own_power_bound.min())
    axes.set(xlabel=_D, ylabel=f"energy of {_digital(dataset)} over the board's")
    axes.set_title(f"at every d only below {bound:.2g} W")
    axes.legend()


def _standby(axes: Axes, dataset: xr.Dataset) -> None:
    for task, colour in zip(dataset.task.values, style.COLOURS, strict=False):
        for idle, line in zip(dataset.digital_idle.values, ("--", "-"), strict=False):
            at = dataset.standby.sel(task=task, digital_idle=idle)
            label = f"d = {task:,.0f}, {_digital(dataset)} idles at {idle:g} W"
            axes.plot(at.duty, at.where(at > 0), line, color=colour, label=label)
    style.decades(axes, "xy")
    axes.set(xlabel="duty: part of its time that the board works")
    axes.set(ylabel="board's break-even standby (W)", ylim=(1e-5, None))
    axes.set_title("what it may draw between tasks (no line: nothing)")
    axes.legend(fontsize=7)


def _hangs_on(axes: Axes, dataset: xr.Dataset) -> None:
    names = [str(n).replace("digital_", "digital: ") for n in dataset.constant.values]
    places = np.arange(len(names))
    for shift, quantity in zip((-0.2, 0.2), dataset.quantity.values, strict=True):
        at = dataset.elasticity.sel(quantity=quantity)
        words = {"speed-up": f"speed-up at {LARGE:,.0f}"}.get(str(quantity), quantity)
        look: Any = {"height": 0.38, "label": words}
        axes.barh(places + shift, at, **look)
    axes.set_yticks(places, [name.replace("_", " ") for name in names])
    axes.invert_yaxis()
    axes.axvline(0, color="0.5", linewidth=0.8)
    axes.set(xlabel="% of change for 1 % more", title="what the anchors hang on")
    axes.legend()


plot = style.panels(
    (13, 8),
    [[_times, _ratio, _rates], [_energy, _standby, _hangs_on]],
    note="bands: samples, transfer, GPU speed, in energy also the board's power; two "
    "published anchors cannot fix eight constants: lines are one choice that meets "
    "them. Host, programming beyond the matrix and standby are left out of time and "
    "energy. Inverses to 1 and 10 % do not pay where their sums are made digitally: "
    "these are dearer than the inverse",
)
