"""The figure of `language_finetuning`: learning curves, and what writes have bought."""

from typing import Any

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from experiments.figures import style
from experiments.figures.words import several

NAMES = {
    "ideal": "ideal",
    "noisy": "all weights, noisy backpropagation",
    "eapu": "all weights, EaPU",
    "eapu_adapters": "adapters, EaPU",
    "digital_adapters": "adapters, digital",
}
_COLOURS = ("black", *(style.COLOURS[n] for n in (1, 0, 2, 4)))
_LINES = ("--", ":", "-", "-.", (0, (6, 2)))
LOOKS: dict[str, Any] = {
    name: {"label": words, "color": colour, "ls": line, "marker": marker}
    for (name, words), colour, line, marker in zip(
        NAMES.items(), _COLOURS, _LINES, "s^oDv", strict=True
    )
}
RULES = ("noisy", "eapu", "eapu_adapters", "digital_adapters")
ARRAYS = ("eapu", "eapu_adapters", "digital_adapters")


def _curves(axes: Axes, dataset: xr.Dataset, rules: tuple[str, ...]) -> None:
    for rule in rules:
        middle, bars = style.middle_half(dataset.bits.sel(rule=rule), "epoch")
        axes.errorbar(dataset.epoch, middle, bars, capsize=2, **LOOKS[rule])
    axes.set(xlabel="epoch of other text", ylabel="bits per character, held out")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _all(axes: Axes, dataset: xr.Dataset) -> None:
    _curves(axes, dataset, tuple(NAMES))
    noise = dataset.attrs["write_noise_uS"]
    axes.set(title=f"SD = threshold = {noise:g} µS")
    style.key(axes)


def _near(axes: Axes, dataset: xr.Dataset) -> None:
    _curves(axes, dataset, tuple(name for name in NAMES if name != "noisy"))
    axes.set(title="without noisy backpropagation")
    style.key(axes)


def _gain(dataset: xr.Dataset) -> xr.DataArray:
    return dataset.bits.isel(epoch=0) - dataset.bits.isel(epoch=-1)


def _writes(axes: Axes, dataset: xr.Dataset) -> None:
    gain = _gain(dataset)
    ideal = float(gain.sel(rule="ideal").median())
    axes.axhline(ideal, color="black", ls="--", lw=1, label="ideal")
    for rule in ARRAYS:
        x, y = dataset.writes.sel(rule=rule), gain.sel(rule=rule)
        dots: dict[str, Any] = {**LOOKS[rule], "ls": "none"}
        axes.plot(x.values.ravel(), y.values.ravel(), **dots)
    axes.set_xscale("symlog", linthresh=100)
    axes.set_xlabel("writes of all cells together (linear to 100, then logarithmic)")
    axes.set_title(f"after {dataset.attrs['steps']:,} updates")
    axes.set_ylabel("bits per character gained")
    style.key(axes, ncols=2)


def note(dataset: xr.Dataset) -> str:
    """What each way gains, and for how many writes."""
    over = ("seed", "chip")
    gain, writes = _gain(dataset).median(over), dataset.writes.median(over)
    ideal = float(gain.sel(rule="ideal"))
    told = [
        f"{NAMES[rule]} {float(gain.sel(rule=rule)):+.3f} for "
        f"{float(writes.sel(rule=rule)):,.0f} writes"
        for rule in ARRAYS
    ]
    worse = [NAMES[rule] for rule in NAMES if float(gain.sel(rule=rule)) < 0]
    return (
        f"bits per character gained by fine-tuning (medians): ideal {ideal:+.3f}; "
        f"{'; '.join(told)}. Worse than before fine-tuning: {several(worse)}. "
        "Pre-trained without errors on the first half of the text, put onto the arrays "
        "as it is; adapters of rank 4"
    )


plot = style.panels(
    (7.0, 6.8), [[_all, _near], [_writes, _writes]], note, height_ratios=(2, 1.1)
)
