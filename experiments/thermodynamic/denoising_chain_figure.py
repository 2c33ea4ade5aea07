"""The figure of `denoising_chain`: samples, distances by updates, energy by writes."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from experiments.figures import style
from thermo.denoising.price import LEFT_OUT

_GAP = 1


def _name(steps: int) -> str:
    return "one machine" if steps == 1 else f"{steps} machines"


def _images(axes: Axes, dataset: xr.Dataset) -> None:
    rows = [dataset.test_image.values]
    rows += [dataset.image.sel(n_steps=t).values for t in dataset.n_steps.values]
    side = round(rows[0].shape[-1] ** 0.5)
    pitch, most = side + _GAP, max(len(row) for row in rows)
    whole = np.full((len(rows) * pitch - _GAP, most * pitch - _GAP), np.nan)
    for y, row in enumerate(rows):
        for x, image in enumerate(row):
            at = slice(y * pitch, y * pitch + side), slice(x * pitch, x * pitch + side)
            whole[at] = image.reshape(side, side)
    axes.imshow(whole, cmap="gray", vmin=-1, vmax=1)
    names = ["test images", *(_name(int(t)) for t in dataset.n_steps)]
    axes.set_yticks(np.arange(len(rows)) * pitch + side / 2, names)
    axes.set_xticks([])
    axes.grid(False)
    axes.set_title(f"samples, {int(dataset.sweeps[-1])} sweeps of each machine")


def _by_updates(
    axes: Axes, values: xr.DataArray, over: str, population: str, words: str
) -> None:
    for t, colour in zip(values.n_steps.values, style.COLOURS, strict=False):
        at = values.sel(n_steps=t)
        low, middle, high = (at.quantile(q, population) for q in (0.0, 0.5, 1.0))
        x = int(t) * at[over]
        axes.plot(x, middle, "o-", color=colour, label=_name(int(t)))
        axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
    style.decades(axes, "xy")
    axes.set(xlabel="sweeps in all (machines x sweeps of each)", ylabel=words)


def _small(axes: Axes, dataset: xr.Dataset) -> None:
    words = "divergence from the images (nats)"
    _by_updates(axes, dataset.divergence, "small_sweeps", "start", words)
    wide = dataset.wide_divergence.median("start")
    hidden = dataset.attrs["large_hidden"]
    label = f"one machine, {hidden} hidden spins"
    axes.plot(wide.small_sweeps, wide, "k--", label=label)
    axes.set_title("bars and stripes on 10 spins: exact")
    axes.legend()


def _digits(axes: Axes, dataset: xr.Dataset) -> None:
    words = "squared MMD from test images\n(1: independent pixels)"
    _by_updates(axes, dataset.distance, "sweeps", "chip", words)
    side = dataset.attrs["side"]
    axes.set_title(f"digits on {side} x {side} spins: sampled")
    axes.legend()


def _energy(axes: Axes, dataset: xr.Dataset) -> None:
    for t, colour in zip(dataset.n_steps.values, style.COLOURS, strict=False):
        at = dataset.energy.sel(n_steps=t)
        axes.plot(at.per_write, 1e9 * at, color=colour, label=_name(int(t)))
        axes.axhline(1e9 * float(at[-1]), color=colour, ls=":", linewidth=1)
    style.decades(axes, "xy")
    axes.set(xlabel="samples between two writings", ylabel="energy of a sample (nJ)")
    axes.set_title(f"by SPICE prices, {int(dataset.sweeps[-1])} sweeps a machine")
    axes.legend()


plot = style.panels(
    (11, 7.5),
    [[_images, _small], [_digits, _energy]],
    note="lines: medians, bands: all chips or first couplings. A chain pays where it "
    "is below one machine at the same number of sweeps in all: on ten spins the two "
    "hardly differ, and no image here is as good as a digit. Energies: "
    "7.09 fJ an update, 1.69 pJ a read, 153.6 pJ a write of a cell, before silicon "
    f"(STATED-2nd); dotted: never written anew; left out: {LEFT_OUT}",
)
