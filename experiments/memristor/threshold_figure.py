"""The figure of `threshold`."""

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments import style

RIVALS = {
    "noisy": "noisy backpropagation",
    "drop_below": "ablation: drop below threshold",
    "lift_above": "ablation: drop below a fifth, lift rest",
}
"""Rules without a threshold to choose, or without chance, as the legend names them."""

PUBLISHED = {"ideal": 92.54, "eapu": 89.71, "noisy": 17.55}
"""ResNet34 on CIFAR-10, threshold = SD = 2 uS, R_wg 1/80, best epoch, test
accuracy in %. STATED: records and README of the authors' public code."""


@style.styled
def plot(dataset: xr.Dataset) -> Figure:
    """Loss, update ratio and variance of a step by threshold; the rivals."""
    figure = Figure(figsize=(9, 6.4))
    (left, right), (below_left, below_right) = figure.subplots(2, 2)
    _loss(left, dataset)
    _variance(right, dataset)
    _update_ratio(below_left, dataset)
    _rivals(below_right, dataset)
    for axes in (left, right, below_left):
        axes.set_xscale("log", base=2)
        axes.set_xlabel("threshold / SD(eps_cell)")
        axes.set_xticks(dataset.ratio.values, [f"{r:g}" for r in dataset.ratio.values])
        axes.minorticks_off()
    style.caption(figure, dataset)
    return figure


def _loss(axes: Axes, dataset: xr.Dataset) -> None:
    loss = 100 * (dataset.ideal_accuracy - dataset.accuracy)
    style.band(axes, dataset.ratio, loss, ("seed", "chip"), label="EaPU", marker="o")
    value = PUBLISHED["ideal"] - PUBLISHED["eapu"]
    style.published(axes, [1.0], [value], label="ResNet34, CIFAR-10")
    axes.axhline(0, color="black", ls="--", lw=1)
    top = max(4.0, 1.1 * float(loss.quantile(0.75, ("seed", "chip")).max()))
    axes.set(title="accuracy: loss against ideal", ylabel="points", ylim=(-0.5, top))
    axes.legend(loc="upper left")


def _rivals(axes: Axes, dataset: xr.Dataset) -> None:
    over = ("seed", "chip")
    at_one = dataset.sel(ratio=1.0, method="nearest")
    rows = {
        "ideal": (dataset.ideal_accuracy, ("seed",), None),
        "EaPU, threshold = SD": (at_one.accuracy, over, at_one.update_ratio),
    }
    for rule in dataset.rule.values:
        rival = dataset.sel(rule=rule)
        rows[RIVALS[rule]] = rival.rival_accuracy, over, rival.rival_update_ratio
    colours = ("0.5", *style.COLOURS)
    for place, (label, (accuracy, dims, ratio)) in enumerate(rows.items()):
        low, middle, high = 100 * accuracy.quantile([0.25, 0.5, 0.75], dims).values
        error = [[middle - low], [high - middle]]
        axes.barh(place, middle, xerr=error, color=colours[place], alpha=0.5)
        wrote = "" if ratio is None else f", writes {1000 * float(ratio.mean()):,.4g} ‰"
        inside = middle > 60
        axes.annotate(
            f"{label}{wrote}",
            (1.5 if inside else high + 1.5, place),
            va="center",
            fontsize=8,
        )
    axes.set(
        title="rivals, and the authors' deterministic ablations",
        xlabel="test accuracy (%)",
        xlim=(0, 100),
        yticks=[],
    )
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")


def _update_ratio(axes: Axes, dataset: xr.Dataset) -> None:
    over = ("seed", "chip")
    law = 1000 * dataset.written.mean(over)
    style.band(
        axes,
        dataset.ratio,
        1000 * dataset.update_ratio,
        over,
        label="writes counted",
        marker="o",
        ls="none",
    )
    axes.plot(dataset.ratio, law, color="black", lw=1, label="law: mean |dW| / dW_th")
    axes.set(
        title="update ratio", ylabel="cells written per step (per mille)", yscale="log"
    )
    low, high = (float(f()) for f in (law.min, law.max))
    ticks = [m * 10.0**e for e in range(-4, 4) for m in (1, 2, 5)]
    ticks = [t for t in ticks if low / 1.5 <= t <= high * 1.5]
    axes.set_yticks(ticks, [f"{t:g}" for t in ticks])
    axes.legend()


def _variance(axes: Axes, dataset: xr.Dataset) -> None:
    over = ("seed", "chip")
    style.band(
        axes,
        dataset.ratio,
        dataset.measured / dataset.least,
        over,
        label="measured on the array",
        marker="o",
        ls="none",
    )
    c = dataset.ratio
    exact = (dataset.law / dataset.least).mean(over)
    axes.plot(c, exact, color="black", lw=1, label="law of these updates")
    axes.plot(
        c, (c + 1 / c) / 2, color="black", ls=":", label="(c + 1/c) / 2, small updates"
    )
    axes.set(
        title="variance of one step",
        ylabel="times its minimum, at threshold = SD",
        ylim=(0, None),
    )
    axes.legend(loc="lower center")
