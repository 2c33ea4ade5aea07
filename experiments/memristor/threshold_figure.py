"""The figure of `threshold`: loss, variance, update ratio by threshold; rivals."""

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
    style.band(axes, dataset.ratio, loss, label="EaPU", marker="o")
    value = PUBLISHED_RESNET34["ideal"] - PUBLISHED_RESNET34["eapu"]
    style.published(axes, [1.0], [value], label="ResNet34, CIFAR-10")
    axes.axhline(0, color="black", ls="--", lw=1)
    top = max(4.0, 1.1 * float(loss.quantile(0.75, ("seed", "chip")).max()))
    axes.set(title="accuracy: loss against ideal", ylabel="points", ylim=(-0.5, top))
    axes.legend(loc="upper left")
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
        axes.barh(place, middle, xerr=error[:, None], color=colours[place], alpha=0.5)
        wrote = "" if ratio is None else f", writes {1000 * float(ratio.mean()):,.4g} ‰"
        start = 1.5 if middle > 60 else middle + error[1] + 1.5
        axes.annotate(f"{label}{wrote}", (start, place), va="center", fontsize=8)
    axes.set_title("rivals, and the authors' deterministic ablations")
    axes.set(xlabel="test accuracy (%)", xlim=(0, 100), yticks=[])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")


def _update_ratio(axes: Axes, dataset: xr.Dataset) -> None:
    law = 1000 * dataset.written.mean(("seed", "chip"))
    found = 1000 * dataset.update_ratio
    style.band(axes, dataset.ratio, found, label="writes counted", **style.DOTS)
    axes.plot(
        dataset.ratio, law, color="black", lw=1, label="law: mean update / threshold"
    )
    axes.set(title="update ratio", ylabel="cells written per step (per mille)")
    axes.set_yscale("log")
    low, high = (float(f()) for f in (law.min, law.max))
    ticks = [m * 10.0**e for e in range(-4, 4) for m in (1, 2, 5)]
    ticks = [t for t in ticks if low / 1.5 <= t <= high * 1.5]
    axes.set_yticks(ticks, [f"{t:g}" for t in ticks])
    axes.legend()
    _against_ratio(axes, dataset)


def _variance(axes: Axes, dataset: xr.Dataset) -> None:
    c, found = dataset.ratio, dataset.measured / dataset.least
    style.band(axes, c, found, label="measured on the array", **style.DOTS)
    exact = (dataset.law / dataset.least).mean(("seed", "chip"))
    axes.plot(c, exact, color="black", lw=1, label="law of these updates")
    small, label = (c + 1 / c) / 2, "(c + 1/c) / 2, small updates"
    axes.plot(c, small, color="black", ls=":", label=label)
    axes.set(title="variance of one step", ylim=(0, None))
    axes.set_ylabel("times its minimum, at threshold = SD")
    axes.legend(loc="lower center")
    _against_ratio(axes, dataset)


plot = style.panels((9, 6.4), [[_loss, _variance], [_update_ratio, _rivals]])
