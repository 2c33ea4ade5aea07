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
    "own basis": "own\nbasis,\ngrown",
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
    for label, colour, marker in ((0, "white", "o"), (1, "tab:red", "^")):
        chosen = points[dataset.labels.to_numpy() == label]
        words = f"class {label + 1}"
        ax.plot(*chosen.T, marker, color=colour, markersize=2, label=words)
    title = f"moons, {'board 1' if name == 'real board' else name}"
    ax.set(title=title, xlabel="x", ylabel="y")
    ax.grid(False)
    if name == "real board":
        style.colorbar(ax, image, "deviation of the logit")
    if name == "ideal board":
        look = {"frameon": True, "facecolor": "0.5", "labelcolor": "white"}
        style.key(ax, ncols=2, markerscale=2, **look)


def _off(dataset: xr.Dataset, tolerance: float) -> float:
    """Median error of the map, %."""
    return 100 * float(dataset.off.sel({"tolerance": tolerance}).median())


def _draw_scores(ax, dataset: xr.Dataset, values: xr.DataArray, label: str) -> None:
    """Medians and middle halves of networks with a board each, by method and rule."""
    ways = [m for m in TITLES if not np.isnan(values.sel(way=m)).all()]
    for i, (rule, name) in enumerate(RULES.items()):
        at = values.sel(rule=rule, way=ways)
        middle, ends = style.middle_half(at, "way")
        x = np.arange(len(ways)) + 0.36 * (i - 0.5)
        look = {"color": style.COLOURS[(0, 4)[i]], "hatch": ("", "///")[i]}
        ax.bar(x, middle, 0.34, yerr=ends, capsize=2, label=name, **look)
    names = [TITLES[m].replace(" ", "\n") for m in ways]
    ax.set_xticks(np.arange(len(ways)), names, fontsize=style.SMALL)
    style.key(ax, ncols=2, drop=42, columnspacing=1, handlelength=1.5)
    ax.set(ylabel=label)


def _draw_auroc(ax, dataset: xr.Dataset, which: int) -> None:
    which = min(which, dataset.sizes["other"] - 1)
    other = str(dataset.other.to_numpy()[which])
    values = dataset.auroc.isel(other=which)
    _draw_scores(ax, dataset, values, "area under the curve,\nmost probable class")
    ax.axhline(0.5, color="black", linewidth=0.8)
    ax.set(ylim=(0, 1.05), title=f"{dataset.learned} or {other}?")


def _draw_variance(ax, dataset: xr.Dataset, which: int) -> None:
    which = min(which, dataset.sizes["other"] - 1)
    other = str(dataset.other.to_numpy()[which])
    values = dataset.variance_auroc.isel(other=which)
    values = values.where(dataset.way != "plain")
    _draw_scores(ax, dataset, values, "area under the curve,\nvariance of the logit")
    ax.axhline(0.5, color="black", linewidth=0.8)
    ax.set(ylim=(0, 1.05), title=f"{dataset.learned} or {other}?")


def _draw_ece(ax, dataset: xr.Dataset) -> None:
    _draw_scores(ax, dataset, 100 * dataset.ece, "expected calibration\nerror (%)")
    ax.set(title="calibration on test images")


def _draw_accuracy(ax, dataset: xr.Dataset) -> None:
    _draw_scores(ax, dataset, 100 * dataset.accuracy, "accuracy (%)")
    ax.set(title="accuracy on test images", ylim=(0, 100))


def _draw_growth(ax, dataset: xr.Dataset) -> None:
    names = {"moons_own_growth": "moons,\nown basis", "moons_growth": "moons,\nturned"}
    values = [float(dataset[n]) for n in names]
    labels = [*names.values()]
    for rule, words in RULES.items():
        for n, basis in (("own_growth", "own basis"), ("growth", "turned")):
            values.append(float(dataset[n].sel(rule=rule).median()))
            labels.append(f"{words},\n{basis}")
    bars = ax.barh(labels, values, color=[style.COLOURS[4], style.COLOURS[0]] * 3)
    for bar in bars[::2]:
        bar.set_hatch("///")
    ax.axvline(1.0, color="black", linewidth=0.8)
    ax.invert_yaxis()
    ax.tick_params(axis="y", labelsize=style.SMALL)
    ax.set(
        xlabel="factor on the diagonal",
        title="what passive couplers need: growth of the diagonal",
    )


_MAPS = [
    partial(_draw_map, name=name) for name in ("digital", "ideal board", "real board")
]
_NEAR, _FAR = (partial(_draw_auroc, which=which) for which in (0, 1))
_NEAR_WIDTH, _FAR_WIDTH = (partial(_draw_variance, which=which) for which in (0, 1))


def note(dataset: xr.Dataset) -> str:
    """How far boards are off, and by how much they tell apart what was never seen."""
    real, ideal = (_off(dataset, t) for t in (dataset.assumed_tolerance, 0.0))
    ways = dataset.way.to_numpy()
    told = []
    for i, other in enumerate(dataset.other.to_numpy()):
        found = dataset.variance_auroc.isel(other=i).sel(rule="eapu")
        found = {str(w): float(found.sel(way=w).median()) for w in ways}
        told.append(
            f"{other} {found['digital']:.2f} digital, {found['ideal board']:.2f} ideal "
            f"board, {found['real board']:.2f} real ones"
        )
    right = 100 * dataset.accuracy.sel(rule="eapu")
    spread = [float(right.sel(way=w).median()) for w in ways if w != "own basis"]
    grown = float(dataset.growth.sel(rule="eapu").median())
    return (
        f"on two moons the ideal board is off by {ideal:.0f} %, real ones by "
        f"{real:.0f} %. Area under the ROC curve of the variance (0.5: chance, below: "
        "what was never seen looks surer), networks trained with EaPU: "
        f"{'; '.join(told)}. Accuracy hardly needs variances: medians of all ways lie "
        f"within {max(spread) - min(spread):.2g} % of one another. Passive couplers "
        f"need {grown:.2g} times the diagonal: where it has to grow a board's "
        "posterior is too narrow, the ideal one's too. Bars: medians of networks "
        "with a board each, error bars: middle half"
    )


plot = style.panels(
    (7.0, 15.6),
    [
        [map_ for map_ in _MAPS for _ in range(2)],
        [_draw_growth] * 6,
        [_NEAR] * 3 + [_FAR] * 3,
        [_NEAR_WIDTH] * 3 + [_FAR_WIDTH] * 3,
        [_draw_accuracy] * 3 + [_draw_ece] * 3,
    ],
    note,
)
