"""The figure of `denoising_chain`: samples, distances by updates, energy by writes."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from experiments.figures import style
from experiments.figures.words import several
from thermo.denoising.price import LEFT_OUT, Prices

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
    for i, t in enumerate(values.n_steps.values):
        at = values.sel(n_steps=t)
        low, middle, high = (at.quantile(q, population) for q in (0.0, 0.5, 1.0))
        bars = [middle - low, high - middle]
        drawn = style.look(i, label=_name(int(t)), capsize=2, elinewidth=1)
        axes.errorbar(int(t) * at[over], middle, bars, **drawn)
    style.decades(axes, "xy")
    axes.set(xlabel="sweeps in all\n(machines x sweeps of each)", ylabel=words)


def _small(axes: Axes, dataset: xr.Dataset) -> None:
    words = "divergence from the images (nats)"
    _by_updates(axes, dataset.divergence, "small_sweeps", "start", words)
    wide = dataset.wide_divergence.median("start")
    hidden = dataset.attrs["large_hidden"]
    label = f"one machine, {hidden} hidden spins"
    look = {"color": "black", "ls": (0, (6, 2)), "marker": "x"}
    axes.plot(wide.small_sweeps, wide, label=label, **look)
    axes.set_title("bars and stripes\non 10 spins: exact")
    style.key(axes, drop=46)


def _digits(axes: Axes, dataset: xr.Dataset) -> None:
    words = "squared kernel distance from test\nimages (1: independent pixels)"
    _by_updates(axes, dataset.distance, "sweeps", "chip", words)
    side = dataset.attrs["side"]
    axes.set_title(f"digits on {side} x {side} spins:\nsampled")
    style.key(axes, drop=46)


def _energy(axes: Axes, dataset: xr.Dataset) -> None:
    for i, t in enumerate(dataset.n_steps.values):
        at = dataset.energy.sel(n_steps=t)
        drawn = style.look(i, label=_name(int(t)), markevery=max(1, len(at) // 6))
        axes.plot(at.per_write, 1e9 * at, **drawn)
        never = {"color": style.COLOURS[i], "ls": (0, (1, 3)), "linewidth": 1}
        axes.axhline(1e9 * float(at[-1]), **never)
    axes.plot([], [], color="0.3", ls=(0, (1, 3)), lw=1, label="never written anew")
    style.decades(axes, "xy")
    axes.set(xlabel="samples between two writings", ylabel="energy of a sample (nJ)")
    axes.set_title(f"by SPICE prices, {int(dataset.sweeps[-1])} sweeps a machine")
    style.key(axes, ncols=4)


def _best(values: xr.DataArray, population: str) -> list[tuple[str, float]]:
    """The least distance that each chain reaches."""
    least = values.median(population)
    least = least.min([d for d in least.dims if d != "n_steps"])
    return [(_name(int(t)), float(least.sel(n_steps=t))) for t in values.n_steps.values]


def note(dataset: xr.Dataset) -> str:
    """Which chain comes nearest, and what is in the energies."""
    price: Any = Prices()
    digits = _best(dataset.distance, "chip")
    small = _best(dataset.divergence, "start")
    told = several(f"{x:.3g} ({name})" for name, x in digits)
    exact = several(f"{x:.3g} ({name})" for name, x in small)
    name, _ = min(digits, key=lambda pair: pair[1])
    energy = dataset.energy.isel(per_write=-1)
    nj = several(
        f"{1e9 * float(energy.sel(n_steps=t)):.3g}" for t in energy.n_steps.values
    )
    return (
        f"least distance of digits by chain: {told}; nearest: {name}. On ten spins, "
        f"nats: {exact}. A chain pays where it is below one machine at the same number "
        "of sweeps in all. Marks: medians, bars: all chips or first couplings. Energy "
        f"of a sample never written anew: {nj} nJ. Prices: "
        f"{price.update * 1e15:.3g} fJ an update, {price.read * 1e12:.3g} pJ a read, "
        f"{price.write * 1e12:.4g} pJ a write of a cell, before silicon (published, "
        "STATED at second hand); left out: "
        f"{LEFT_OUT}"
    )


plot = style.panels(
    (7.0, 12.2),
    [[_images, _images], [_small, _digits], [_energy, _energy]],
    note,
    height_ratios=(1.15, 1.2, 0.8),
)
