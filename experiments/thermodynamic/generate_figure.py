"""The figure of `generate`: samples, their likeness, their heat, and energy's parts."""

from textwrap import fill
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.figures import style
from experiments.thermodynamic import generate_energy as energy

WORDS = {
    "untrained": "untrained: chance",
    "batch": "trained in batches",
    "online": "trained online",
    "exact": "exact least squares",
}
LOOK = {
    "untrained": {"color": "0.4", "linestyle": ":"},
    "batch": {"color": style.COLOURS[0]},
    "online": {"color": style.COLOURS[1], "linestyle": "--"},
    "exact": {"color": style.COLOURS[2], "linestyle": "-."},
}
_GAP = 1


def _tiles(rows: list[np.ndarray], side: int) -> np.ndarray:
    """Rows of images in one, each scaled by its largest pixel; NaN between them."""
    pitch, most = side + _GAP, max(len(row) for row in rows)
    whole = np.full((len(rows) * pitch - _GAP, most * pitch - _GAP), np.nan)
    for y, row in enumerate(rows):
        for x, image in enumerate(row):
            scaled = image.reshape(side, side) / np.abs(image).max()
            at = slice(y * pitch, y * pitch + side), slice(x * pitch, x * pitch + side)
            whole[at] = scaled
    return whole


def _draw_images(axes: Axes, dataset: xr.Dataset) -> None:
    """First the learned images, then samples, as they come, of the first machine."""
    side = round(dataset.sizes["pixel"] ** 0.5)
    learned = 2 * dataset.prototype_image.to_numpy() - 1
    trainings = list(dataset.training.to_numpy())
    rows = [learned, *(dataset.image.sel(training=m).to_numpy() for m in trainings)]
    drawn = axes.imshow(_tiles(rows, side), cmap="RdBu_r", vmin=-1, vmax=1)
    middle = side / 2 + (side + _GAP) * np.arange(len(rows))
    names = ["learned", *(WORDS[m] for m in trainings)]
    axes.set_yticks(middle, [fill(name, 14) for name in names])
    axes.set_xticks([])
    axes.grid(False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title("samples of one machine, as they come")
    look = {"location": "bottom", "shrink": 0.5, "aspect": 40}
    style.colorbar(axes, drawn, "pixel, of its image's largest", **look)


def _sorted(values: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
    """Shares of the samples, %, and the values that so many stay below, by chip."""
    values = values.transpose("chip", "sample")
    ordered = values.copy(data=np.sort(values.to_numpy(), 1))
    n = values.sizes["sample"]
    return xr.DataArray(100 * (np.arange(n) + 0.5) / n, dims="sample"), ordered


def _draw_likeness(axes: Axes, dataset: xr.Dataset) -> None:
    for method in dataset.training.to_numpy():
        share, found = _sorted(dataset.likeness.sel(training=method))
        style.band(axes, share, found, label=WORDS[method], **LOOK[method])
    share, other = _sorted(dataset.other.sel(training="batch"))
    look = {"color": "black", "linewidth": 0.8, "linestyle": (0, (1, 3))}
    style.band(axes, share, other, label="batches: digits not learned", **look)
    axes.set(xlabel="samples that are below (%)", ylim=(0, 1.05))
    axes.set_ylabel("best correlation with an\nimage, either sign")
    axes.set_title("likeness of samples, sorted")
    style.key(axes)


def _draw_heat(axes: Axes, dataset: xr.Dataset) -> None:
    units = dataset.attrs["units"]
    for method in dataset.training.to_numpy():
        share, found = _sorted(dataset.heat.sel(training=method) / units)
        style.band(axes, share, found, label=WORDS[method], **LOOK[method])
    style.published_line(axes, energy.HEAT / energy.UNITS, "second hand")
    again = {"color": "0.4", "linestyle": (0, (1, 1)), "linewidth": 2}
    label = "rebuilt elsewhere (derived)"
    axes.axhline(energy.AGAIN / energy.UNITS, label=label, **again)
    axes.set(xlabel="samples that are below (%)")
    axes.set_ylabel("heat per sample and unit (kT)")
    axes.set_title("heat of the units, sorted")
    style.key(axes)


def _draw_energy(axes: Axes, dataset: xr.Dataset) -> None:
    heat = dataset.heat_energy.sel(training="batch")
    middle, error = style.middle_half(heat)
    names = ["heat of units", "read-out, 1 pJ a pixel (ASSUMED)", "digital denoiser"]
    names += ["control, parameters, standby: left out"]
    found = [float(middle), float(dataset.read_energy), float(dataset.digital_energy)]
    place = np.array([3, 2, 0, 1])
    colours = [style.COLOURS[0], style.COLOURS[4], "0.4"]
    bars = axes.barh(place[:3], found, 0.6, color=colours)
    axes.errorbar(found[0], place[0], xerr=error.reshape(2, 1), color="black")
    axes.bar_label(bars, [f"{x:.2g} J" for x in found], padding=3)
    axes.set_yticks(place, names)
    axes.set(xscale="log", xlabel="energy per image (J)")
    axes.set_title("the energy claim, in parts")
    axes.set_xlim(max(found[0], energy.KT) / 30, 300 * found[-1])
    axes.grid(visible=False, axis="y")


@style.styled
def plot(dataset: xr.Dataset) -> Figure:
    """Samples above; below likeness, heat and energy."""
    figure = Figure(figsize=(7.0, 10.4))
    parts: Any = figure.subfigures(3, 1, height_ratios=[4.2, 3.9, 2.3])
    above, middle, below = parts.flat
    _draw_images(above.subplots(), dataset)
    likeness, heat = middle.subplots(1, 2)
    _draw_likeness(likeness, dataset)
    _draw_heat(heat, dataset)
    _draw_energy(below.subplots(), dataset)
    style.caption(figure, dataset, _note(dataset))
    return figure


def _note(dataset: xr.Dataset) -> str:
    """What the panels show, in numbers, and what the energy leaves out."""
    seen = dataset.likeness.mean("sample").median("chip")
    named = [m for m in WORDS if m in seen.training]
    words = ", ".join(f"{float(seen.sel(training=m)):.2f} {WORDS[m]}" for m in named)
    heat = float(dataset.heat_energy.sel(training="batch").median())
    digital = float(dataset.digital_energy)
    with_reading = digital / (heat + float(dataset.read_energy))
    return (
        f"mean best correlation: {words}; an image comes as often inverted, for no "
        f"visible unit has a bias. Published heat: {energy.HEAT:g} kT of "
        f"{energy.UNITS:,} units (PRL, second hand), {energy.AGAIN:g} kT "
        "(rebuilt, DERIVED). "
        f"The digital denoiser needs {digital / heat:.2g} times the heat of the units: "
        f"the published claim counts heat only and leaves out {energy.LEFT_OUT}. "
        f"With a read-out of 1 pJ a pixel (ASSUMED) {with_reading:.2g} times are left"
    )
