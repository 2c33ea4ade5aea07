"""The figure of `write_noise`."""

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
LOOKS = {"ideal": "black", "noisy": style.COLOURS[1], "eapu": style.COLOURS[0]}

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
    """Fig. 5a above (accuracy, gain), Fig. 5b below (training curves)."""
    names = networks_of(dataset)
    figure = Figure(figsize=(3.3 * (1 + len(names)), 6.4))
    above, below = figure.subplots(2, 1 + len(names))
    for axes, name in zip(above, names, strict=False):
        _accuracy(axes, dataset, name)
    _gain(above[-1], dataset)
    _curves(below[0], dataset, names[0], "noisy")
    for axes, name in zip(below[1:], names, strict=True):
        _curves(axes, dataset, name, "eapu")
    style.caption(figure, dataset, _NOTE)
    return figure


_NOTE = (
    "light bands in 5a: all chips; 5b and 5a are one computation, since only "
    "the products of R_wg with SD and threshold enter"
)


def _against_noise(axes: Axes, title: str, ylabel: str) -> None:
    axes.set(title=title, xlabel="write error (SD) at R_wg = 1/80 (µS)")
    axes.set(ylabel=ylabel, ylim=(0, 100))


def _accuracy(axes: Axes, dataset: xr.Dataset, name: str) -> None:
    x, ideal = dataset.write_noise, final(dataset, name, "ideal")
    axes.axhline(float(ideal.mean()), color="black", ls="--", lw=1, label="ideal")
    for rule in ("eapu", "noisy"):
        values, colour = final(dataset, name, rule), LOOKS[rule]
        ends = values.min(("seed", "chip")), values.max(("seed", "chip"))
        axes.fill_between(x, *ends, color=colour, alpha=0.1, linewidth=0)
        style.band(axes, x, values, label=NAMES[rule], color=colour, marker="o")
    for rule in ("noisy", "eapu") if name == "mlp" else ():
        at, look = PUBLISHED_RESNET34[rule], {"color": LOOKS[rule]}
        drawn = style.published(axes, [2.0], [at], label="ResNet34, CIFAR-10", **look)
        if rule == "noisy":  # one of both is enough for the legend
            drawn.set_label("_hidden")
    _against_noise(axes, f"5a  {TITLES[name]}: threshold = SD", "test accuracy (%)")
    axes.legend(loc="center right", bbox_to_anchor=(1, 0.6))


def _gain(axes: Axes, dataset: xr.Dataset) -> None:
    for name, marker in zip(networks_of(dataset), "os", strict=False):
        gain = final(dataset, name, "eapu") - final(dataset, name, "noisy")
        style.band(axes, dataset.write_noise, gain, label=TITLES[name], marker=marker)
    for (label, (x, y)), marker in zip(PUBLISHED_GAINS.items(), "D^v", strict=True):
        style.published(axes, [x], [y], label=label, marker=marker)
    _against_noise(axes, "5a  gain of EaPU over noisy BP", "points")
    axes.legend(loc="lower right")


def _curves(axes: Axes, dataset: xr.Dataset, name: str, rule: str) -> None:
    epoch = dataset[f"epoch_{name}"]
    ideal = 100 * dataset[f"ideal_{name}"].mean("seed")
    axes.plot(epoch, ideal, color="black", label="R_wg = 0")
    curves = 100 * dataset[f"accuracy_{name}"].sel(rule=rule)
    few = np.unique(np.linspace(0, dataset.sizes["write_noise"] - 1, 4).round())
    for i, colour in zip(few.astype(int), style.COLOURS, strict=False):
        label = f"R_wg = 1/{1 / dataset.equivalent_r_wg.values[i]:.0f}"
        values = curves.isel(write_noise=i)
        style.band(axes, epoch, values, label=label, color=colour)
    axes.set(title=f"5b  {TITLES[name]}: {NAMES[rule]}, SD 2 µS", xlabel="epoch")
    axes.set(ylabel="test accuracy (%)", ylim=(0, 100))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if rule == "eapu":  # room for it; the colours are the same in all panels
        axes.legend(loc="center right")
