"""The figure of `both_halves`: learning, what it writes, and noise of the board."""

from typing import Any

import xarray as xr
from matplotlib.axes import Axes

from experiments.figures import style

METHODS = {"relaxed": "natural gradient", "adam": "Adam", "sgd": "gradient descent"}
RULES = {"eapu": ("EaPU", "-"), "noisy": ("noisy BP", ":")}


def _best(dataset: xr.Dataset, method: str, rule: str) -> xr.Dataset:
    at: Any = {"method": method, "rule": rule}
    one = dataset.sel(at)
    return one.isel(rate=int(one.best))


def _draw_learning(axes: Axes, dataset: xr.Dataset) -> None:
    steps = dataset.epoch * dataset.steps
    for i, (method, name) in enumerate(METHODS.items()):
        for rule, (word, line) in RULES.items():
            one = _best(dataset, method, rule)
            label = f"{name} + {word}" if rule == "eapu" else "_hidden"
            look: Any = {"color": style.COLOURS[i], "linestyle": line}
            style.band(axes, steps, 100 * one.accuracy.assign_coords(epoch=steps),
                       label=label, **look)  # fmt: skip
    axes.plot([], [], "k:", label="the same + noisy BP")
    axes.set(title="each at its best rate of three", xlabel="steps")
    axes.set(ylabel="test accuracy (%)", ylim=(0, 100))
    axes.legend(fontsize="x-small", loc="lower right")


def _draw_writes(axes: Axes, dataset: xr.Dataset) -> None:
    for i, (method, name) in enumerate(METHODS.items()):
        one = _best(dataset, method, "eapu")
        x = one.pulses.median(("seed", "chip"))
        look: Any = {"color": style.COLOURS[i], "marker": "o"}
        style.band(axes, x, 100 * one.accuracy, label=f"{name} + EaPU", **look)
    style.decades(axes, "x")
    axes.axhline(100 * dataset.target, color="0.6", lw=1, ls="--", label="target")
    axes.set(title="epoch by epoch", xlabel="writes per cell so far")
    axes.set(ylabel="test accuracy (%)")
    axes.legend(fontsize="x-small", loc="lower right")


def _draw_rates(axes: Axes, dataset: xr.Dataset) -> None:
    last = dataset.isel(epoch=-1)
    for i, (method, name) in enumerate(METHODS.items()):
        for rule, marker in {"eapu": "o", "noisy": "x"}.items():
            at: Any = {"method": method, "rule": rule}
            one = last.sel(at)
            middle, error = style.middle_half(100 * one.accuracy, "rate")
            x = one.pulses.median(("seed", "chip"))
            axes.errorbar(
                x, middle, error, fmt=f"{marker}-", lw=0.8, color=style.COLOURS[i],
                label=name if rule == "eapu" else "_hidden",
            )  # fmt: skip
    axes.plot([], [], "ko", label="EaPU")
    axes.plot([], [], "kx", label="noisy BP")
    style.decades(axes, "x")
    axes.set(title="all rates, after the last epoch", xlabel="writes per cell")
    axes.set(ylabel="test accuracy (%)", ylim=(0, 100))
    axes.legend(fontsize="x-small", loc="lower left")


def _draw_noise(axes: Axes, dataset: xr.Dataset) -> None:
    last = dataset.isel(epoch=-1)
    first = float(last.board_noise[1]) / 10  # where 0 is drawn, on an axis of decades
    x = last.board_noise.where(last.board_noise > 0, first)
    pulses = last.noise_pulses.assign_coords(board_noise=x)
    style.band(axes, x, pulses, label="writes per cell", marker="o")
    right = 100 * last.noise_accuracy.median(("seed", "chip"))
    for at, y, percent in zip(
        x.values, pulses.median(("seed", "chip")).values, right.values, strict=True
    ):
        axes.annotate(
            f"{percent:.1f} %", (at, y), (0, 7), textcoords="offset points",
            fontsize="x-small", ha="center",
        )  # fmt: skip
    style.decades(axes, "xy")
    axes.margins(0.15)
    axes.set(xlabel="kappa0 of the board (leftmost: 0)", ylabel="writes per cell")
    axes.set_title(f"natural gradient + EaPU, rate {dataset.scan_rate:g}, accuracies")


plot = style.panels(
    (10.0, 7.6),
    [[_draw_learning, _draw_writes], [_draw_rates, _draw_noise]],
    note="best: highest median accuracy on the same chips. At the default scale EaPU "
    "saves natural gradients from noisy writes as it saves others, but Adam needs "
    "fewer writes: noise of the board alone asks for many",
)
