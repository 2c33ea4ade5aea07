"""The figure of `tngd`: over time, delay and noise."""

from typing import Any

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from experiments.figures import style
from experiments.figures.words import several

RIVALS = {"natural": "exact natural gradient", "adam": "Adam"}
LOOKS: dict[str, dict[str, Any]] = {
    "natural": {"color": "black", "linestyle": "-", "marker": "x", "zorder": 3},
    "adam": {"color": "0.6", "linestyle": "-", "marker": "+", "zorder": 1},
}


def _line(axes: Axes, x: xr.DataArray, values: xr.DataArray, **look) -> None:
    """Medians over seeds; bars at the last epoch alone, where curves part."""
    middle, bars = style.middle_half(values, *map(str, x.dims))
    every: Any = {"markevery": max(1, len(x) // 6), "linewidth": 1.1, "markersize": 4}
    axes.plot(x, middle, **{**every, **look})
    low, high = bars[:, -1]
    axes.errorbar(
        x[-1], middle[-1], [[low], [high]], capsize=2, color=look["color"], lw=1
    )


def _rivals(axes: Axes, dataset: xr.Dataset) -> None:
    for name, label in RIVALS.items():
        values = dataset.accuracy_rivals.sel(rival=name)
        if name == "adam":
            label = f"{label}, rate {dataset.adam_rate:g}"
        _line(axes, dataset.epoch, values, label=label, **LOOKS[name])


def _over(axes: Axes, dataset: xr.Dataset, scan: str, along: str, word: str) -> None:
    values = dataset[f"accuracy_{scan}"]
    for i, at in enumerate(values[along].to_numpy()):
        look = style.look(i, label=word.format(f"{at:g}"))
        _line(axes, dataset.epoch, values.sel({along: at}), **look)


def _finished(axes: Axes, title: str) -> None:
    axes.set(title=title, xlabel="epoch", ylabel="test accuracy (%)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    style.key(axes)


def _draw_times(axes: Axes, dataset: xr.Dataset) -> None:
    _over(axes, dataset, "times", "time", "{} time constants")
    _rivals(axes, dataset)
    _finished(axes, "time that the board relaxes")


def _draw_end(axes: Axes, dataset: xr.Dataset) -> None:
    last = dataset.isel(epoch=-1)
    values = last.accuracy_times
    style.whiskers(axes, values.time, values, label="reset to the gradient", **_END)
    for name, label in RIVALS.items():
        at = float(last.accuracy_rivals.sel(rival=name).median())
        line = {"natural": "-", "adam": "-."}[name]
        axes.axhline(at, color=LOOKS[name]["color"], ls=line, lw=1.2, label=label)
    axes.axvline(50, color="black", ls=":", lw=1, label="published: about exact")
    axes.set(title="after the last epoch", ylabel="test accuracy (%)")
    axes.set_xlabel("time that the board relaxes (time constants)")
    style.key(axes)


_END: Any = {"color": style.COLOURS[0], "marker": "o"}


def _draw_delays(axes: Axes, dataset: xr.Dataset) -> None:
    _over(axes, dataset, "delays", "delay", "never reset,\n{} time constants late")
    reset = dataset.accuracy_times.sel(time=dataset.delay_time)
    last = style.look(4, label="reset at every step")
    _line(axes, dataset.epoch, reset, **last)
    _rivals(axes, dataset)
    _finished(axes, f"delay, {dataset.delay_time:g} time constants")


def _draw_noises(axes: Axes, dataset: xr.Dataset) -> None:
    _over(axes, dataset, "noises", "board_noise", "noise {}")
    _finished(axes, f"noise of the board, {dataset.noise_time:g} time constants")


def note(dataset: xr.Dataset) -> str:
    """How near boards come to the exact gradient; what delay and noise cost."""
    last = dataset.isel(epoch=-1).median("seed")
    exact, adam = (
        float(last.accuracy_rivals.sel(rival=n)) for n in ("natural", "adam")
    )
    times = last.accuracy_times
    short, long = float(times[0]), float(times[-1])
    kept = last.accuracy_delays
    reset = float(times.sel(time=dataset.delay_time))
    noises = last.accuracy_noises
    near = [
        f"{float(t):g}"
        for t, x in zip(times.time, times, strict=True)
        if abs(float(x) - exact) < 1
    ]
    return (
        f"after the last epoch (medians): exact natural gradient {exact:.1f} %, Adam "
        f"{adam:.1f} %, the board {short:.1f} % after {float(times.time[0]):g} and "
        f"{long:.1f} % after {float(times.time[-1]):g} time constants (0: gradient "
        f"descent); within 1 % of exact: {several(near)}. Never reset it reaches "
        f"{float(kept.min()):.1f} to {float(kept.max()):.1f} % by delay, reset "
        f"{reset:.1f} %; the most noise costs {float(noises[0] - noises[-1]):.1f} %. "
        "Bars: middle half of the seeds, at the last epoch"
    )


plot = style.panels(
    (7.0, 9.4), [[_draw_times, _draw_end], [_draw_delays, _draw_noises]], note
)
