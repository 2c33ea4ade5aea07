"""The figure of `threshold`: loss, variance, update ratio by threshold; rivals."""

from typing import Any

import xarray as xr
from matplotlib.axes import Axes

from experiments.figures import style
from experiments.memristor.write_noise_figure import PUBLISHED_RESNET34

RIVALS = {
    "noisy": "noisy backpropagation",
    "drop_below": "ablation: drop below threshold",
    "lift_above": "ablation: drop below a fifth, lift rest",
}
"""Rules without a threshold to choose, or without chance, as the legend names them."""


def _against_ratio(axes: Axes, dataset: xr.Dataset) -> None:
    axes.set_xscale("log", base=2)
    axes.set_xlabel("threshold / write error (SD)")
    axes.set_xticks(dataset.ratio.values, [f"{r:g}" for r in dataset.ratio.values])
    axes.minorticks_off()


def _loss(axes: Axes, dataset: xr.Dataset) -> None:
    loss = 100 * (dataset.ideal_accuracy - dataset.accuracy)
    style.band(axes, dataset.ratio, loss, label="EaPU", **style.look(0))
    value = PUBLISHED_RESNET34["ideal"] - PUBLISHED_RESNET34["eapu"]
    style.published(axes, [1.0], [value], label="ResNet34, CIFAR-10")
    axes.axhline(0, color="black", ls="--", lw=1, label="ideal, no write error")
    top = max(4.0, 1.1 * float(loss.quantile(0.75, ("seed", "chip")).max()))
    axes.set(title="accuracy: loss against ideal", ylim=(-0.5, top))
    axes.set_ylabel("accuracy lost (points)")
    style.key(axes)
    _against_ratio(axes, dataset)


def _rivals(axes: Axes, dataset: xr.Dataset) -> None:
    at_one = dataset.sel(ratio=1.0, method="nearest")
    rows = {
        "ideal": (dataset.ideal_accuracy, None),
        "EaPU, threshold = SD": (at_one.accuracy, at_one.update_ratio),
    }
    for rule in dataset.rule.values:
        rival = dataset.sel(rule=rule)
        rows[RIVALS[rule]] = rival.rival_accuracy, rival.rival_update_ratio
    colours = ("0.5", *style.COLOURS)
    for place, (label, (accuracy, ratio)) in enumerate(rows.items()):
        middle, error = style.middle_half(100 * accuracy)
        axes.barh(place + 0.2, middle, 0.35, xerr=error[:, None], color=colours[place])
        words: Any = {"va": "center", "fontsize": style.SMALL}
        axes.annotate(label, (0, place - 0.2), **words)
        if ratio is not None:
            wrote = f"writes {1000 * float(ratio.mean()):,.4g} ‰"
            inside: Any = {"ha": "right", "color": "white"} if middle > 60 else {}
            start = middle + (-4 if inside else error[1] + 2)
            axes.annotate(wrote, (start, place + 0.2), **words, **inside)
    axes.set_title("rivals, and ablations of the authors")
    axes.set(xlabel="test accuracy (%)", xlim=(0, 100), yticks=[])
    axes.set_ylim(len(rows) - 0.4, -0.5)
    axes.grid(visible=False, axis="y")


def _update_ratio(axes: Axes, dataset: xr.Dataset) -> None:
    law = 1000 * dataset.written.mean(("seed", "chip"))
    found = 1000 * dataset.update_ratio
    style.band(axes, dataset.ratio, found, label="writes counted", **style.DOTS)
    axes.plot(dataset.ratio, law, color="black", lw=1, label="law: update / threshold")
    axes.set(title="update ratio", ylabel="cells written per step (‰)")
    axes.set_yscale("log")
    low, high = (float(f()) for f in (law.min, law.max))
    ticks = [m * 10.0**e for e in range(-4, 4) for m in (1, 2, 5)]
    ticks = [t for t in ticks if low / 1.5 <= t <= high * 1.5]
    axes.set_yticks(ticks, [f"{t:g}" for t in ticks])
    style.key(axes)
    _against_ratio(axes, dataset)


def _variance(axes: Axes, dataset: xr.Dataset) -> None:
    c, found = dataset.ratio, dataset.measured / dataset.least
    style.band(axes, c, found, label="measured on the array", **style.DOTS)
    exact = (dataset.law / dataset.least).mean(("seed", "chip"))
    axes.plot(c, exact, color="black", lw=1, label="law of these updates")
    small, label = (c + 1 / c) / 2, "(c + 1/c) / 2, small updates, c: x-axis"
    axes.plot(c, small, color="black", ls=":", label=label)
    axes.set(title="variance of one step", ylim=(0, None))
    axes.set_ylabel("times that at threshold = SD")
    style.key(axes)
    _against_ratio(axes, dataset)


def says(dataset: xr.Dataset) -> str:
    """How flat the loss is, where the variance is least, and what rivals reach."""
    loss = 100 * (dataset.ideal_accuracy - dataset.accuracy).median(("seed", "chip"))
    spread = (dataset.measured / dataset.least).median(("seed", "chip"))
    best = float(spread.ratio[int(spread.values.argmin())])
    at_one = dataset.sel(ratio=1.0, method="nearest")
    lost = float(loss.sel(ratio=1.0, method="nearest"))
    rivals = {
        RIVALS[rule]: 100 * float(dataset.rival_accuracy.sel(rule=rule).median())
        for rule in dataset.rule.values
    }
    told = "; ".join(f"{name} reaches {found:.0f} %" for name, found in rivals.items())
    ends = [f"{float(spread[n]):.2f}" for n in (0, -1)]
    return (
        f"With the threshold at the write error EaPU loses {lost:.1f} points against "
        f"training without error, and from {float(loss.min()):.1f} to "
        f"{float(loss.max()):.1f} over all thresholds shown. A step varies least at "
        f"{best:g} times the error and {ends[0]} and {ends[1]} times as much at the "
        "ends, as the law says, while a higher threshold writes less: "
        f"{1000 * float(at_one.update_ratio.median()):.2g} ‰ of the cells per step at "
        f"one. Of the rivals, {told}"
    )


plot = style.panels(
    (style.WIDTH, 8.0), [[_loss, _variance], [_update_ratio, _rivals]], says
)
