"""The figure of `residual_law`: laws over simulation, and bits against writes."""

from typing import Any

import xarray as xr
from matplotlib.axes import Axes

from experiments.figures import style

RULES = {"eapu": "EaPU", "residual": "digital residual"}


def _writes(axes: Axes, dataset: xr.Dataset) -> None:
    for rule, marker in (("eapu", "o"), ("residual", "s")):
        for n, signal in enumerate(dataset.signal.values):
            at: dict[str, Any] = {"rule": rule, "signal": signal}
            colour = style.COLOURS[n]
            middle, error = style.middle_half(dataset.writes.sel(at), "learning_rate")
            axes.errorbar(
                dataset.learning_rate, 1000 * middle, 1000 * error, fmt=marker,
                color=colour, mfc="none" if rule == "residual" else None,
            )  # fmt: skip
            line = "-" if rule == "eapu" else "--"
            axes.plot(dataset.rate, 1000 * dataset.law.sel(at), line, color=colour)
    for n, signal in enumerate(dataset.signal.values):
        axes.plot([], [], "-", color=style.COLOURS[n], label=f"signal {signal:g}")
    axes.plot([], [], "ko-", label="EaPU, law")
    axes.plot([], [], "ks--", mfc="none", label="digital residual, law")
    style.decades(axes, "xy")
    axes.set(
        xlabel="learning rate of Adam", title="signal: mean of a gradient / its SD"
    )
    axes.set(ylabel="writes per weight and step (per mille)")
    axes.legend(fontsize=7)


def _saved(axes: Axes, dataset: xr.Dataset) -> None:
    fewer = dataset.writes.sel(rule="residual")
    ratio = dataset.writes.sel(rule="eapu") / fewer.where(fewer > 0)
    for signal in dataset.signal.values:
        values = ratio.sel(signal=signal)
        style.band(
            axes, values.learning_rate, values, label=f"signal {signal:g}", marker="o"
        )
    style.decades(axes, "xy")
    axes.set(xlabel="learning rate of Adam", title="what a word per weight saves")
    axes.set(ylabel="writes of EaPU / of the residual")
    axes.legend(fontsize=7)


def _bits(axes: Axes, dataset: xr.Dataset) -> None:
    for n, rate in enumerate(dataset.learning_rate.values):
        few = 1000 * dataset.few_writes.sel(learning_rate=rate)
        look: Any = {"color": style.COLOURS[n], "marker": "o"}
        style.band(axes, few.bits, few, label=f"learning rate {rate:g}", **look)
        word = 1000 * float(dataset.word_writes.sel(learning_rate=rate).median())
        place = 1.15 * few.bits.values[-1] + 0.5
        axes.plot(place, word, "s", color=look["color"], mfc="none")
    axes.plot([], [], "ks", mfc="none", label="a whole word (32 bits)")
    style.decades(axes, "y")
    axes.set(xlabel="digital bits per weight (0: EaPU)", title="no signal")
    axes.set(ylabel="writes per weight and step (per mille)")
    axes.set_ylim(200 * float(dataset.word_writes.min()))
    axes.legend(fontsize=7, loc="lower left", ncols=2)


plot = style.panels(
    (11, 3.9),
    [[_writes, _saved, _bits]],
    note="gradients are normal noise with signal, Adam (0.9, 0.999), threshold 2 µS at "
    "R_wg = 1/80; what is asked is counted, no array is simulated",
)
