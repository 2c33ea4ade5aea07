"""The figure of `both_halves`: learning, what it writes, and noise of the board."""

from typing import Any

import xarray as xr
from matplotlib.axes import Axes

from experiments.figures import style

METHODS = {"relaxed": "natural gradient", "adam": "Adam", "sgd": "gradient descent"}
RULES = {"eapu": "EaPU", "noisy": "noisy writes"}


def _best(dataset: xr.Dataset, method: str, rule: str) -> xr.Dataset:
    at: Any = {"method": method, "rule": rule}
    one = dataset.sel(at)
    return one.isel(rate=int(one.best))


def _draw_learning(axes: Axes, dataset: xr.Dataset) -> None:
    steps = dataset.epoch * dataset.steps
    for i, (method, name) in enumerate(METHODS.items()):
        for rule, word in RULES.items():
            one, learns = _best(dataset, method, rule), rule == "eapu"
            label = f"{name} + {word}" if learns else "_hidden"
            look: Any = style.look(i, linestyle="-" if learns else ":")
            look["markerfacecolor"] = look["color"] if learns else "none"
            style.band(axes, steps, 100 * one.accuracy.assign_coords(epoch=steps),
                       label=label, **look)  # fmt: skip
    axes.plot([], [], "k:", label="the same + noisy writes (hollow)")
    axes.set(title="each at its best rate of three", xlabel="steps of training")
    axes.set(ylabel="test accuracy (%)", ylim=(0, 100))
    style.key(axes)


def _draw_writes(axes: Axes, dataset: xr.Dataset) -> None:
    for i, (method, name) in enumerate(METHODS.items()):
        one = _best(dataset, method, "eapu")
        x = one.pulses.median(("seed", "chip"))
        style.band(axes, x, 100 * one.accuracy, label=f"{name} + EaPU", **style.look(i))
    style.decades(axes, "x")
    axes.axhline(100 * dataset.target, color="0.4", lw=1, ls=":", label="target")
    axes.set(title="epoch by epoch", xlabel="writes per cell so far")
    axes.set(ylabel="test accuracy (%)")
    style.key(axes)


def _draw_rates(axes: Axes, dataset: xr.Dataset) -> None:
    last = dataset.isel(epoch=-1)
    for i, (method, name) in enumerate(METHODS.items()):
        for rule in RULES:
            at: Any = {"method": method, "rule": rule}
            one, learns = last.sel(at), rule == "eapu"
            middle, error = style.middle_half(100 * one.accuracy, "rate")
            x = one.pulses.median(("seed", "chip"))
            look: Any = style.look(i, lw=0.8, linestyle="-" if learns else ":")
            look["markerfacecolor"] = look["color"] if learns else "none"
            label = name if learns else "_hidden"
            axes.errorbar(x, middle, error, label=label, **look)
    axes.plot([], [], "k-", label="EaPU (full)")
    axes.plot([], [], "k:", label="noisy writes (hollow)")
    style.decades(axes, "x")
    axes.set(title="all rates, after the last epoch", xlabel="writes per cell")
    axes.set(ylabel="test accuracy (%)", ylim=(0, 100))
    style.key(axes, ncols=2, columnspacing=1)


def _draw_noise(axes: Axes, dataset: xr.Dataset) -> None:
    last = dataset.isel(epoch=-1)
    first = float(last.board_noise[1]) / 10  # where 0 is drawn, on an axis of decades
    x = last.board_noise.where(last.board_noise > 0, first)
    pulses = last.noise_pulses.assign_coords(board_noise=x)
    style.band(axes, x, pulses, label="writes per cell", **style.look(0))
    right = 100 * last.noise_accuracy.median(("seed", "chip"))
    for at, y, percent in zip(
        x.values, pulses.median(("seed", "chip")).values, right.values, strict=True
    ):
        axes.annotate(
            f"{percent:.0f} %", (at, y), (0, 7), textcoords="offset points",
            fontsize=style.SMALL, ha="center",
        )  # fmt: skip
    style.decades(axes, "xy")
    axes.margins(0.15)
    axes.set(xlabel="noise of the board (leftmost: 0)", ylabel="writes per cell")
    rate = f"rate {dataset.scan_rate:g}; labels: accuracies"
    axes.set_title(f"natural gradient + EaPU,\n{rate}")


def says(dataset: xr.Dataset) -> str:
    """What each method reaches with either rule, at how many writes."""
    told = []
    for method, name in METHODS.items():
        ends = {r: _best(dataset, method, r).isel(epoch=-1) for r in RULES}
        right = {r: 100 * float(one.accuracy.median()) for r, one in ends.items()}
        wrote = float(ends["eapu"].pulses.median())
        told.append(
            f"{name} reaches {right['eapu']:.0f} % with EaPU, {right['noisy']:.0f} % "
            f"with noisy writes, at {wrote:.3g} writes per cell"
        )
    pulses = dataset.isel(epoch=-1).noise_pulses.median(("seed", "chip"))
    ratio = float(pulses[-1] / pulses[0])
    return (
        f"{'; '.join(told)}. Noise of the board alone multiplies the writes of natural "
        f"gradients by {ratio:.2g} from none to the most. Best: highest median "
        "accuracy on the same chips"
    )


plot = style.panels(
    (style.WIDTH, 8.6),
    [[_draw_learning, _draw_writes], [_draw_rates, _draw_noise]],
    says,
)
