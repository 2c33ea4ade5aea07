"""The figure of `denoising` and `super_resolution`: curves, and strips of pictures."""

from typing import Any

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.figures import style

NAMES = {"ideal": "ideal", "noisy": "noisy backpropagation", "eapu": "EaPU"}
LOOKS = {"ideal": "black", "noisy": style.COLOURS[1], "eapu": style.COLOURS[0]}
LABELS = {"psnr": "PSNR (dB)", "ssim": "SSIM"}

_NOTE = (
    "scores of test patches, clipped and rounded to bytes; pictures of the first seed "
    "and chip after the last epoch; published SSIM: on hardware, from the press, its "
    "network and data unknown"
)


def scored(dataset: xr.Dataset, score: str, rule: str) -> xr.DataArray:
    """One of `LABELS` after every epoch under "ideal", "noisy" or "eapu"."""
    if rule == "ideal":
        return dataset[f"{score}_ideal"]
    return dataset[score].sel(rule=rule)


@style.styled
def plot(dataset: xr.Dataset) -> Figure:
    """PSNR and SSIM after every epoch; below, what a reader can judge by eye."""
    n = dataset.sizes["picture"]
    figure = Figure(figsize=(8.4, 3.1 + 1.65 * n))
    parts: Any = figure.subfigures(2, 1, height_ratios=(2.9, 1.65 * n))
    above, below = parts
    for axes, score in zip(above.subplots(1, 2), LABELS, strict=True):
        _curves(axes, dataset, score)
    _strips(below, dataset)
    style.caption(figure, dataset, _NOTE)
    return figure


def _curves(axes: Axes, dataset: xr.Dataset, score: str) -> None:
    for rule, colour in LOOKS.items():
        look: Any = {"label": NAMES[rule], "color": colour}
        style.band(axes, dataset.epoch, scored(dataset, score, rule), **look)
    given = float(dataset[f"{score}_input"].median())
    label = f"input ({dataset.attrs['given']})"
    axes.axhline(given, color="grey", ls=":", lw=1.4, label=label)
    if score == "ssim":
        published = dataset.attrs["published_ssim"]
        style.published_line(axes, published, f"{published:g}, hardware (press)", lw=1)
    axes.set(title=dataset.attrs["title"], xlabel="epoch", ylabel=LABELS[score])
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    handles, _ = axes.get_legend_handles_labels()
    axes.legend(handles=handles if score == "psnr" else handles[-1:], loc="best")


def _strips(figure: Any, dataset: xr.Dataset) -> None:
    one = dataset.isel(seed=0, chip=0)
    columns = {
        dataset.attrs["given"]: one.given,
        "ideal": one.restored_ideal,
        "noisy backpropagation": one.restored.sel(rule="noisy"),
        "EaPU": one.restored.sel(rule="eapu"),
        "truth": one.truth,
    }
    grid = figure.subplots(dataset.sizes["picture"], len(columns), squeeze=False)
    for row, picture in zip(grid, dataset.picture.values, strict=True):
        for axes, images in zip(row, columns.values(), strict=True):
            shown = images.isel(picture=int(picture)).values
            axes.imshow(shown, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            axes.grid(visible=False)
    for axes, name in zip(grid[0], columns, strict=True):
        axes.set_title(name)
