"""The figure of `last_layer`: maps of two moons, AUROC and calibration by method."""

from functools import partial

import numpy as np
import xarray as xr

from experiments.figures import style

TITLES = {
    "plain": "none",
    "digital": "digital",
    "ideal board": "ideal\nboard",
    "real board": "real\nboards",
    "own basis": "own basis,\ngrown",
}
RULES = {"ideal": "trained ideally", "eapu": "trained with EaPU"}


def _draw_map(ax, dataset: xr.Dataset, name: str) -> None:
    tolerance = 0.0 if name == "ideal board" else dataset.assumed_tolerance
    values = dataset["map"].sel({"tolerance": tolerance}).isel(board=0)
    values = dataset.exact_map if name == "digital" else values
    top = float(dataset.exact_map.max())
    image = ax.pcolormesh(
        dataset.x, dataset.y, values, vmin=0, vmax=top, cmap="cividis"
    )
    image.set_rasterized(True)
    points = dataset.points.to_numpy()
    for label, colour in ((0, "white"), (1, "tab:red")):
        chosen = points[dataset.labels.to_numpy() == label]
        ax.plot(*chosen.T, ".", color=colour, markersize=2.5)
    title = f"two moons, {'board 1' if name == 'real board' else name}"
    if name != "digital":
        off = dataset.off.sel({"tolerance": tolerance})
        title += f": off by {100 * float(off.median()):.0f} %"
    ax.set(title=title, xlabel="x", ylabel="y")
    ax.grid(False)
    if name == "real board":
        style.colorbar(ax, image, "standard deviation of the logit")


def _draw_scores(ax, dataset: xr.Dataset, values: xr.DataArray, label: str) -> None:
    """Medians and middle halves of networks with a board each, by method and rule."""
    ways = [m for m in TITLES if not np.isnan(values.sel(way=m)).all()]
    for i, (rule, name) in enumerate(RULES.items()):
        at = values.sel(rule=rule, way=ways)
        middle, ends = style.middle_half(at, "way")
        x = np.arange(len(ways)) + 0.36 * (i - 0.5)
        ax.bar(x, middle, 0.34, yerr=ends, capsize=2, label=name, alpha=0.8)
    ax.set_xticks(np.arange(len(ways)), [TITLES[m] for m in ways], fontsize=7)
    ax.set(ylabel=label)


def _draw_auroc(ax, dataset: xr.Dataset, which: int) -> None:
    which = min(which, dataset.sizes["other"] - 1)
    other = str(dataset.other.to_numpy()[which])
    values = dataset.auroc.isel(other=which)
    _draw_scores(ax, dataset, values, "AUROC, most probable class")
    ax.axhline(0.5, color="black", linewidth=0.8)
    ax.set(ylim=(0, 1.2), title=f"{dataset.learned} or {other}?")
    ax.legend(fontsize="x-small", loc="upper center", ncols=2)


def _draw_variance(ax, dataset: xr.Dataset, which: int) -> None:
    which = min(which, dataset.sizes["other"] - 1)
    other = str(dataset.other.to_numpy()[which])
    values = dataset.variance_auroc.isel(other=which)
    values = values.where(dataset.way != "plain")
    _draw_scores(ax, dataset, values, "AUROC, variance of the logit")
    ax.axhline(0.5, color="black", linewidth=0.8)
    ax.set(ylim=(0, 1.2), title=f"{dataset.learned} or {other}?")


def _draw_ece(ax, dataset: xr.Dataset) -> None:
    _draw_scores(ax, dataset, 100 * dataset.ece, "expected calibration error (%)")
    ax.set(title="calibration on test images")


def _draw_accuracy(ax, dataset: xr.Dataset) -> None:
    _draw_scores(ax, dataset, 100 * dataset.accuracy, "accuracy (%)")
    ax.set(title="accuracy on test images", ylim=(0, 100))


def _draw_growth(ax, dataset: xr.Dataset) -> None:
    names = {"moons_own_growth": "moons, own basis", "moons_growth": "moons, turned"}
    values = [float(dataset[n]) for n in names]
    labels = [*names.values()]
    for rule, words in RULES.items():
        for n, basis in (("own_growth", "own basis"), ("growth", "turned")):
            values.append(float(dataset[n].sel(rule=rule).median()))
            labels.append(f"images {words.split()[-1]}, {basis}")
    ax.barh(labels, values, color=[style.COLOURS[1], style.COLOURS[0]] * 3)
    ax.axvline(1.0, color="black", linewidth=0.8)
    ax.invert_yaxis()
    ax.tick_params(axis="y", labelsize=7)
    ax.set(xlabel="factor on the diagonal", title="what passive couplers need")


_MAPS = [
    partial(_draw_map, name=name) for name in ("digital", "ideal board", "real board")
]
_NEAR, _FAR = (partial(_draw_auroc, which=which) for which in (0, 1))
_NEAR_WIDTH, _FAR_WIDTH = (partial(_draw_variance, which=which) for which in (0, 1))
plot = style.panels(
    (20.0, 8.0),
    [
        [*_MAPS, _draw_accuracy, _draw_ece],
        [_NEAR, _FAR, _NEAR_WIDTH, _FAR_WIDTH, _draw_growth],
    ],
    note=(
        "bars: median of networks with a board each, error bars: middle half. "
        "Variances are small beside the logits, so that accuracy, calibration and the "
        "most probable class hardly need them, and boards agree there. Where the "
        "diagonal has to grow for passive couplers (last panel), a board's posterior "
        "is too narrow, the ideal one's too, and tells images apart by the variance "
        "otherwise than the digital one; below 0.5 what was never seen looks surer"
    ),
)
