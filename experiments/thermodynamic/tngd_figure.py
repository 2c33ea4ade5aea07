"""The figure of `tngd`: over time, delay and noise."""

from typing import Any

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from experiments.figures import style

RIVALS = {"natural": "exact natural gradient", "adam": "Adam"}
LOOKS = {"natural": "black", "adam": "0.55"}


def _rivals(axes: Axes, dataset: xr.Dataset) -> None:
    for name, label in RIVALS.items():
        values = dataset.accuracy_rivals.sel(rival=name)
        if name == "adam":
            label = f"{label}, rate {dataset.adam_rate:g}"
        look: Any = {"color": LOOKS[name], "linestyle": "--"}
        style.band(axes, dataset.epoch, values, label=label, **look)


def _over(axes: Axes, dataset: xr.Dataset, scan: str, along: str, word: str) -> None:
    values = dataset[f"accuracy_{scan}"]
    for i, at in enumerate(values[along].to_numpy()):
        look: Any = {"color": style.COLOURS[i % len(style.COLOURS)]}
        label = word.format(f"{at:g}")
        style.band(axes, dataset.epoch, values.sel({along: at}), label=label, **look)


def _finished(axes: Axes, title: str) -> None:
    axes.set(title=title, xlabel="epoch", ylabel="test accuracy (%)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(fontsize="x-small", loc="lower right")


def _draw_times(axes: Axes, dataset: xr.Dataset) -> None:
    _over(axes, dataset, "times", "time", "{} tau")
    _rivals(axes, dataset)
    _finished(axes, "how long the board relaxes (0: gradient descent)")


def _draw_end(axes: Axes, dataset: xr.Dataset) -> None:
    last = dataset.isel(epoch=-1)
    values = last.accuracy_times
    style.band(axes, values.time, values, label="reset to the gradient", marker="o")
    for name, label in RIVALS.items():
        at = float(last.accuracy_rivals.sel(rival=name).median())
        axes.axhline(at, color=LOOKS[name], ls="--", lw=1, label=label)
    axes.axvline(50, color="0.7", ls=":", lw=1, label="published: about exact")
    axes.set(title="after the last epoch", xlabel="time that the board relaxes (tau)")
    axes.set(ylabel="test accuracy (%)")
    axes.legend(fontsize="x-small", loc="lower right")


def _draw_delays(axes: Axes, dataset: xr.Dataset) -> None:
    _over(axes, dataset, "delays", "delay", "never reset, {} tau late")
    reset = dataset.accuracy_times.sel(time=dataset.delay_time)
    style.band(
        axes, dataset.epoch, reset, label="reset at every step", color=style.COLOURS[4]
    )
    _rivals(axes, dataset)
    _finished(axes, f"delay, {dataset.delay_time:g} tau")


def _draw_noises(axes: Axes, dataset: xr.Dataset) -> None:
    _over(axes, dataset, "noises", "board_noise", "kappa0 = {}")
    _finished(axes, f"noise of the board, {dataset.noise_time:g} tau")


plot = style.panels(
    (10.0, 7.6),
    [[_draw_times, _draw_end], [_draw_delays, _draw_noises]],
    note="lines: median over seeds, bands: middle half. At the default scale a longer "
    "relaxation comes close to the exact natural gradient; that a board is never reset "
    "gains more than any delay does",
)
