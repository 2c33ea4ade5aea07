"""The figure of `write_noise`."""

from functools import partial

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.figures import style

NETWORKS = ("mlp", "cnn")
RULES = ("noisy", "eapu")
TITLES = {"mlp": "MLP", "cnn": "small CNN"}
NAMES = {"ideal": "ideal", "noisy": "noisy backpropagation", "eapu": "EaPU"}

PUBLISHED_RESNET34 = {"ideal": 92.54, "noisy": 17.55, "eapu": 89.71}
"""Test accuracy in %, best epoch, CIFAR-10, SD 2 µS, R_wg 1/80. STATED: records
and README of the authors' public code (github.com/LJinchang/Experiment_EaPU)."""
PUBLISHED_GAINS = {
    "ResNet34": (2.0, 72.16),
    "ResNet152": (2.4, 60.23),
    "Swin": (2.4, 88.78),
}
"""SD in µS, and EaPU minus original in points. STATED: the same, and Fig. 5c."""


def final(dataset: xr.Dataset, name: str, rule: str) -> xr.DataArray:
    """Test accuracy after the last epoch, %: by (write_noise,) seed and chip."""
    if rule == "ideal":
        return 100 * dataset[f"ideal_{name}"][..., -1]
    return 100 * dataset[f"accuracy_{name}"].sel(rule=rule)[..., -1]


def networks_of(dataset: xr.Dataset) -> list[str]:
    """Names of the networks that were trained."""
    return [n for n in NETWORKS if f"ideal_{n}" in dataset]


@style.styled
def plot(dataset: xr.Dataset) -> Figure:
    """Fig. 5a first (accuracy, gain), then Fig. 5b (training curves)."""
    names = networks_of(dataset)
    drawn = [partial(_accuracy, name=name) for name in names] + [_gain]
    drawn.append(partial(_curves, name=names[0], rule="noisy"))
    drawn += [partial(_curves, name=name, rule="eapu") for name in names]
    rows = -(-len(drawn) // 2)
    figure = Figure(figsize=(style.WIDTH, 3.1 * rows + 0.9))
    grid = figure.subplots(rows, 2).ravel()
    for draw, axes in zip(drawn, grid, strict=False):
        draw(axes, dataset)
    for axes in grid[len(drawn) :]:
        axes.set_axis_off()
    style.caption(figure, dataset, says(dataset))
    return figure


def says(dataset: xr.Dataset) -> str:
    """How much each rule loses at each network, and what EaPU gains."""
    told = []
    for name in networks_of(dataset):
        ideal = float(final(dataset, name, "ideal").median())
        lost = {
            rule: ideal - final(dataset, name, rule).median(("seed", "chip"))
            for rule in RULES
        }
        most = {rule: float(found[-1]) for rule, found in lost.items()}
        told.append(
            f"the {TITLES[name]} loses {most['eapu']:.1f} points with EaPU and "
            f"{most['noisy']:.0f} with noisy backpropagation"
        )
    name = networks_of(dataset)[0]
    noisy = 100 * dataset[f"accuracy_{name}"].sel(rule="noisy").isel(write_noise=-1)
    curve = noisy.median(("seed", "chip")).values
    fall = float(curve.max() - curve[-1])
    return (
        f"At a write error of {float(dataset.write_noise[-1]):g} µS "
        f"{', '.join(told)}, against the same training without error; longer training "
        f"{'does not mend' if fall > 0.5 else 'still helps'} it: the noisy "
        f"{TITLES[name]} ends {fall:.1f} points below its own best epoch. Light bands: "
        "all chips. Fig. 5b is the computation of Fig. 5a: only the products of the "
        "error and of the threshold with R_wg, the weight per µS, count"
    )


def _against_noise(axes: Axes, title: str, ylabel: str) -> None:
    axes.set(title=title, xlabel="write error, SD at $R_{wg}$ = 1/80 (µS)")
    axes.set(ylabel=ylabel, ylim=(0, 100))


def _accuracy(axes: Axes, dataset: xr.Dataset, name: str) -> None:
    x, ideal = dataset.write_noise, final(dataset, name, "ideal")
    axes.axhline(float(ideal.mean()), color="black", ls=":", lw=1, label="no error")
    for n, rule in enumerate(("eapu", "noisy")):
        values, look = final(dataset, name, rule), style.look(n)
        ends = values.min(("seed", "chip")), values.max(("seed", "chip"))
        axes.fill_between(x, *ends, color=look["color"], alpha=0.1, linewidth=0)
        style.band(axes, x, values, label=NAMES[rule], **look)
    for rule in ("noisy", "eapu") if name == "mlp" else ():
        known, marker = PUBLISHED_RESNET34[rule], {"noisy": "D", "eapu": "v"}[rule]
        label = f"ResNet34, CIFAR-10, {'EaPU' if rule == 'eapu' else 'noisy'}"
        style.published(axes, [2.0], [known], label=label, marker=marker, ms=6)
    _against_noise(axes, f"{TITLES[name]}, threshold = SD (5a)", "test accuracy (%)")
    style.key(axes, drop=38)


def _gain(axes: Axes, dataset: xr.Dataset) -> None:
    for n, name in enumerate(networks_of(dataset)):
        gain = final(dataset, name, "eapu") - final(dataset, name, "noisy")
        look = style.look(n)
        style.band(axes, dataset.write_noise, gain, label=TITLES[name], **look)
    for (label, (x, y)), marker in zip(PUBLISHED_GAINS.items(), "D^v", strict=True):
        style.published(axes, [x], [y], label=label, marker=marker, ms=6)
    _against_noise(axes, "EaPU over noisy backpropagation (5a)", "points gained")
    style.key(axes, drop=38, ncols=2, columnspacing=1)


def _curves(axes: Axes, dataset: xr.Dataset, name: str, rule: str) -> None:
    epoch = dataset[f"epoch_{name}"]
    ideal = 100 * dataset[f"ideal_{name}"].mean("seed")
    axes.plot(epoch, ideal, color="black", lw=1, label="$R_{wg}$ = 0")
    curves = 100 * dataset[f"accuracy_{name}"].sel(rule=rule)
    few = np.unique(np.linspace(0, dataset.sizes["write_noise"] - 1, 4).round())
    for n, i in enumerate(few.astype(int)):
        label = f"$R_{{wg}}$ = 1/{1 / dataset.equivalent_r_wg.values[i]:.0f}"
        values = curves.isel(write_noise=i)
        style.band(axes, epoch, values, label=label, **style.look(n, ms=3))
    axes.set(title=f"{TITLES[name]}: {NAMES[rule]}, SD 2 µS (5b)", xlabel="epoch")
    axes.title.set_fontsize(9)
    axes.set(ylabel="test accuracy (%)", ylim=(0, 100))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    style.key(axes, ncols=2)
