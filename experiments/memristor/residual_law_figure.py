"""The figure of `residual_law`: laws over simulation, and bits against writes."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from experiments.figures import style


def _writes(axes: Axes, dataset: xr.Dataset) -> None:
    for rule, line in (("eapu", "-"), ("residual", "--")):
        for n, signal in enumerate(dataset.signal.values):
            at: dict[str, Any] = {"rule": rule, "signal": signal}
            look: Any = style.look(n, linestyle="none")
            look |= {"mfc": "none"} if rule == "residual" else {}
            middle, error = style.middle_half(dataset.writes.sel(at), "learning_rate")
            axes.errorbar(dataset.learning_rate, 1000 * middle, 1000 * error, **look)
            law = 1000 * dataset.law.sel(at)
            axes.plot(dataset.rate, law, line, color=look["color"], lw=1)
    for n, signal in enumerate(dataset.signal.values):
        look = style.look(n, linestyle="none")
        axes.plot([], [], label=f"signal {signal:g}", **look)
    axes.plot([], [], "-", color="black", label="EaPU (full): its law")
    axes.plot([], [], "--", color="black", label="residual (hollow): its law")
    style.decades(axes, "xy")
    axes.set(xlabel="learning rate of Adam", title="how often they write")
    axes.set(ylabel="writes per weight and step (‰)")
    axes.xaxis.set_minor_formatter("")
    style.key(axes)


def _saved(axes: Axes, dataset: xr.Dataset) -> None:
    for n, signal in enumerate(dataset.signal.values):
        values, look = saved(dataset).sel(signal=signal), style.look(n)
        label = f"signal {signal:g}"
        style.band(axes, values.learning_rate, values, label=label, **look)
    style.decades(axes, "xy")
    axes.set(xlabel="learning rate of Adam", title="what a word per weight saves")
    axes.set(ylabel="writes of EaPU / of the residual")
    axes.xaxis.set_minor_formatter("")
    style.key(axes)


def saved(dataset: xr.Dataset) -> xr.DataArray:
    """How many times more EaPU writes; missing where the residual never does."""
    fewer = dataset.writes.sel(rule="residual")
    return dataset.writes.sel(rule="eapu") / fewer.where(fewer > 0)


def _bits(axes: Axes, dataset: xr.Dataset) -> None:
    for n, rate in enumerate(dataset.learning_rate.values):
        few = 1000 * dataset.few_writes.sel(learning_rate=rate)
        look: Any = style.look(n)
        style.band(axes, few.bits, few, label=f"learning rate {rate:g}", **look)
        word = 1000 * float(dataset.word_writes.sel(learning_rate=rate).median())
        place = 1.15 * few.bits.values[-1] + 0.5
        axes.plot(place, word, look["marker"], color=look["color"], mfc="none", ms=6)
    style.decades(axes, "y")
    axes.set_xlabel("digital bits per weight (0: EaPU; hollow: a word of 32)")
    axes.set(ylabel="writes per weight and step (‰)", title="how many bits it takes")
    style.key(axes, ncols=2)


_RULES = ("eapu", "residual")


def says(dataset: xr.Dataset) -> str:
    """What a word per weight saves, and how few bits save as much."""
    ratio = saved(dataset).median("chip")
    quiet, loud = (ratio.sel(signal=s) for s in dataset.signal.values[[0, -1]])
    few = dataset.few_writes.median("chip") / dataset.word_writes.median("chip")
    enough = few.bits.where((few < 1.1).all("learning_rate")).min()
    bits = f"{int(enough)} bits" if np.isfinite(enough) else "none of the short words"
    off = abs(_law(dataset) / dataset.writes.median("chip") - 1)
    worst = [100 * float(off.where(np.isfinite(off)).sel(rule=r).max()) for r in _RULES]
    return (
        "Without signal EaPU writes "
        f"{float(quiet.min()):.2g} to {float(quiet.max()):.3g} times as often as a "
        "residual with a word per weight, most at small rates; where the signal is "
        f"{float(loud.signal):g}, at most {float(loud.max()):.2f} times: the word "
        "averages noise away before it is written. As few writes as with the word, "
        f"within a tenth, take {bits}. Signal: mean of a gradient over its SD. The "
        f"law of EaPU is off by {worst[0]:.0f} % at most, that of the residual by "
        f"{worst[1]:.0f}. Gradients are normal, Adam (0.9, 0.999), "
        "threshold 2 µS at 1/80 per µS; what is asked is counted, no array simulated"
    )


def _law(dataset: xr.Dataset) -> xr.DataArray:
    """The law at the rates that were simulated."""
    near = [
        int(abs(dataset.rate - r).values.argmin()) for r in dataset.learning_rate.values
    ]
    law = dataset.law.isel(rate=near).rename(rate="learning_rate")
    return law.assign_coords(learning_rate=dataset.learning_rate)


plot = style.panels(
    (style.WIDTH, 7.8), [[_writes, _saved], [_bits, _bits]], says
)  # fmt: skip
