"""The figure of `spu_scaling`: time, energy, what they hang on, and standby."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator

from experiments.figures import style
from experiments.figures.words import several

CROSSOVER, LARGE, TIMES = 3000.0, 1e4, 10.0
"""Published: equally fast at `CROSSOVER` dimensions (STATED-2nd), `TIMES` faster at
`LARGE` (press)."""
SLOW_RATE = 50e9
"""bit/s: the transfer that a sister machine is STATED to have."""
_D = "dimensions d"
_BOARD, _DIGITAL = style.COLOURS[0], style.COLOURS[1]
_CONSTANTS = {
    "n_samples": "samples",
    "channel_rate": "transfer",
    "interval": "time between samples",
    "digital_factor_rate": "digital: factoring",
    "digital_product_rate": "digital: products",
    "digital_overhead": "digital: overhead",
}


def _digital(dataset: xr.Dataset) -> str:
    return "RTX A6000" if dataset.attrs["digital"] == "a6000" else "this machine"


def _filled(axes: Axes, band: xr.DataArray, colour: str) -> None:
    low, high = (band.sel(end=end) for end in ("low", "high"))
    axes.fill_between(band.dimension, low, high, color=colour, alpha=0.15, linewidth=0)


def _times(axes: Axes, dataset: xr.Dataset) -> None:
    d = dataset.dimension
    for name, words, colour, line in (
        ("board_time", "board", _BOARD, "-"),
        ("digital_time", _digital(dataset), _DIGITAL, "--"),
    ):
        _filled(axes, dataset[name], colour)
        axes.plot(d, dataset[f"own_{name}"], line, color=colour, label=words)
    if "measured" in dataset:
        at = dataset.measured
        axes.plot(at.measured_size, at, "o", c=_DIGITAL, label="measured here")
    if _published(dataset):
        axes.axvline(CROSSOVER, color="black", ls=":", label="published: crossover")
    n = dataset.attrs["n_samples"]
    style.decades(axes, "xy")
    axes.xaxis.set_major_locator(LogLocator(numticks=4))
    axes.set(xlabel=_D, ylabel="time (s)")
    axes.set_title(f"{n:,.0f} samples of a Gaussian")
    style.key(axes)


def _published(dataset: xr.Dataset) -> bool:
    return dataset.attrs["digital"] == "a6000"


def _ratio(axes: Axes, dataset: xr.Dataset) -> None:
    d = dataset.dimension
    _filled(axes, dataset.speedup, _BOARD)
    axes.plot(d, dataset.own_speedup, color=_BOARD, label="sampling")
    if _published(dataset):
        style.published(axes, [CROSSOVER, LARGE], [1.0, TIMES], label="sampling")
    for error, line in zip(dataset.error.values, ("-", "--", ":", "-."), strict=False):
        for name, words, colour, marker in (
            ("inverse", "sums digital", style.COLOURS[3], "s"),
            ("inverse_on_board", "sums on board", style.COLOURS[2], "^"),
        ):
            label = f"inverse to {100 * error:g} %, {words}"
            look: Any = {"color": colour, "marker": marker, "markevery": 6, "ms": 3}
            axes.plot(d, dataset[name].sel(error=error), line, label=label, **look)
    axes.axhline(1, color="0.5", linewidth=0.8)
    style.decades(axes, "xy")
    axes.xaxis.set_major_locator(LogLocator(numticks=4))
    axes.set(xlabel=_D, ylabel=f"time of {_digital(dataset)}\nover the board's")
    axes.set(title="times faster", ylim=(1e-6, 1e3))
    style.key(axes)


def _rates(axes: Axes, dataset: xr.Dataset) -> None:
    at, own = dataset.at_large, dataset.attrs["speed"]
    for i, n in enumerate(at.n_samples.values):
        one = at.sel(n_samples=n)
        x = one.rate / 1e9
        look = style.look(i, label=f"{n:,.0f} samples", markevery=6, markersize=3)
        axes.plot(x, one.sel(speed=own), **look)
        if n == dataset.attrs["n_samples"]:  # several bands would be one
            low, high = one.min("speed"), one.max("speed")
            axes.fill_between(x, low, high, color="0.85", linewidth=0)
    if _published(dataset):
        style.published_line(axes, TIMES, f"{TIMES:g} times")
    axes.axvline(
        SLOW_RATE / 1e9, color="0.5", ls=":", label="published: a sister machine"
    )
    style.decades(axes, "xy")
    axes.xaxis.set_major_locator(LogLocator(numticks=4))
    axes.set(xlabel="transfer to and from the board (Gb/s)", ylabel="times faster")
    axes.set_title(f"what {TIMES:g} times needs, d = {LARGE:,.0f}")
    style.key(axes)


def _energy(axes: Axes, dataset: xr.Dataset) -> None:
    _filled(axes, dataset.saving_band, _BOARD)
    for power, line in zip(
        dataset.power.values, ("--", "-", ":", "-.", (0, (6, 2))), strict=False
    ):
        at = dataset.saving.sel(power=power)
        axes.plot(at.dimension, at, line, c=_BOARD, label=f"a board of {power:g} W")
    words = "published: more at every d" if _published(dataset) else "as much"
    axes.axhline(1, color="black", ls=(0, (1, 1)), label=words)
    style.decades(axes, "xy")
    axes.xaxis.set_major_locator(LogLocator(numticks=4))
    axes.set(xlabel=_D, ylabel=f"energy of {_digital(dataset)}\nover the board's")
    axes.set_title("energy of sampling")
    style.key(axes)


def _standby(axes: Axes, dataset: xr.Dataset) -> None:
    for i, task in enumerate(dataset.task.values):
        for idle, line in zip(dataset.digital_idle.values, ("--", "-"), strict=False):
            at = dataset.standby.sel(task=task, digital_idle=idle)
            at = at.where(at > 0)
            label = f"d = {task:,.0f}; {idle:g} W" if at.notnull().any() else "_"
            look = style.look(i, linestyle=line, markevery=8, ms=3, label=label)
            axes.plot(at.duty, at, **look)
    style.decades(axes, "xy")
    axes.xaxis.set_major_locator(LogLocator(numticks=4))
    axes.set(xlabel="part of its time that the board works")
    axes.set(ylabel="board's break-even standby (W)", ylim=(1e-5, None))
    axes.set_xticks([1e-6, 1e-4, 1e-2, 1], ["1e-6", "1e-4", "0.01", "1"])
    axes.set_title("what it may draw between tasks")
    style.key(axes, title=f"dimensions; {_digital(dataset)} idles at", ncols=2)


def _hangs_on(axes: Axes, dataset: xr.Dataset) -> None:
    names = [_CONSTANTS.get(str(n), str(n)) for n in dataset.constant.values]
    places = np.arange(len(names))
    looks = (-0.2, "", _BOARD), (0.2, "///", style.COLOURS[4])
    pairs = zip(looks, dataset.quantity.values, strict=True)
    for (shift, hatch, colour), quantity in pairs:
        at = dataset.elasticity.sel(quantity=quantity)
        words = {"speed-up": f"speed-up at {LARGE:,.0f}"}.get(str(quantity), quantity)
        look: Any = {"height": 0.38, "label": words, "hatch": hatch, "color": colour}
        axes.barh(places + shift, at, **look)
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.axvline(0, color="0.5", linewidth=0.8)
    axes.set(xlabel="change (%) for 1 % more", title="what the anchors hang on")
    style.key(axes)


def note(dataset: xr.Dataset) -> str:
    """Where a board is faster and saves energy, and what both hang on."""
    faster, d = dataset.own_speedup, dataset.dimension
    won = d.where(faster > 1, drop=True)
    where = f"from d = {int(won[0]):,}" if won.size else "nowhere"
    low, high = (dataset.speedup.sel(end=end) for end in ("low", "high"))
    sure, maybe = (int((x > 1).sum()) for x in (low, high))
    hang = abs(dataset.elasticity).max("quantity")
    strongest = str(dataset.constant.values[int(hang.values.argmax())])
    words = _CONSTANTS.get(strongest, strongest)
    inverse = dataset.inverse.max("dimension")
    pays = [
        f"{100 * float(e):g} %"
        for e in dataset.error
        if float(inverse.sel(error=e)) > 1
    ]
    bound = float(dataset.own_power_bound.min())
    rival = f"the {_digital(dataset)}" if _published(dataset) else "this machine"
    return (
        f"the board samples faster than {rival} {where}; by the bands "
        f"at {sure} of {d.size} sizes for certain, at {maybe} perhaps. It saves energy "
        f"at every size only below {bound:.2g} W. The anchors hang most on: {words}. "
        "Inverses whose sums are made digitally are faster on the board for errors of: "
        f"{several(pays, 'none of those shown')}. Bands: samples, transfer, GPU speed "
        "(for the transfer: GPU speed alone), in energy also the board's power; two "
        "published anchors cannot fix eight constants: lines are one choice that meets "
        "them. Host, programming beyond the matrix and standby are left out of time "
        "and energy; where no line is, nothing may be drawn between tasks"
    )


plot = style.panels(
    (7.0, 12.0), [[_times, _ratio], [_rates, _energy], [_standby, _hangs_on]], note
)
