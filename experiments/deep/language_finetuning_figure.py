"""The figure of `language_finetuning`."""

from typing import Any

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from experiments.figures import style

RULES = ("noisy", "eapu", "eapu_adapters", "digital_adapters")
NAMES = {
    "ideal": "ideal",
    "noisy": "all weights, noisy backpropagation",
    "eapu": "all weights, EaPU",
    "eapu_adapters": "adapters, EaPU",
    "digital_adapters": "adapters, digital",
}
LOOKS = dict(
    zip(NAMES, ("black", *(style.COLOURS[n] for n in (1, 0, 2, 4))), strict=True)
)


def _curves(
    axes: Axes, dataset: xr.Dataset, rules: tuple[str, ...] = tuple(NAMES)
) -> None:
    for rule in rules:
        look: Any = {"label": NAMES[rule], "color": LOOKS[rule], "marker": "o"}
        style.band(axes, dataset.epoch, dataset.bits.sel(rule=rule), **look)
    noise = dataset.attrs["write_noise_uS"]
    axes.set(title=f"SD = threshold = {noise:g} µS", xlabel="epoch of other text")
    axes.set(ylabel="bits per character, held out")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _all(axes: Axes, dataset: xr.Dataset) -> None:
    _curves(axes, dataset, tuple(NAMES))
    axes.legend()


def _near(axes: Axes, dataset: xr.Dataset) -> None:
    _curves(axes, dataset, tuple(name for name in NAMES if name != "noisy"))
    axes.set(title="without noisy backpropagation")


def _writes(axes: Axes, dataset: xr.Dataset) -> None:
    gain = dataset.bits.isel(epoch=0) - dataset.bits.isel(epoch=-1)
    ideal = float(gain.sel(rule="ideal").median())
    axes.axhline(ideal, color="black", ls="--", lw=1, label="ideal")
    for rule in ("eapu", "eapu_adapters", "digital_adapters"):
        x, y = dataset.writes.sel(rule=rule), gain.sel(rule=rule)
        look: Any = {"label": NAMES[rule], "color": LOOKS[rule]}
        axes.plot(x.values.ravel(), y.values.ravel(), **style.DOTS, **look)
    axes.set_xscale("symlog", linthresh=100)
    axes.set(
        title=f"after {dataset.attrs['steps']:,} updates", xlabel="writes, all cells"
    )
    axes.set(ylabel="bits per character gained")
    axes.legend()


plot = style.panels(
    (10.2, 3.8),
    [[_all, _near, _writes]],
    "pre-trained without errors on the first half of the text, put onto the arrays as "
    "it is; adapters of rank 4",
)
