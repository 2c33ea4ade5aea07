"""The figure of `denoising` and `super_resolution`: curves, and strips of pictures."""

from typing import Any

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.deep.looks import NAMES, look
from experiments.figures import style

RULES = ("ideal", "noisy", "eapu")
LABELS = {"psnr": "PSNR (dB)", "ssim": "SSIM"}


def scored(dataset: xr.Dataset, score: str, rule: str) -> xr.DataArray:
    """One of `LABELS` after every epoch under "ideal", "noisy" or "eapu"."""
    if rule == "ideal":
        return dataset[f"{score}_ideal"]
    return dataset[score].sel(rule=rule)


@style.styled
def plot(dataset: xr.Dataset) -> Figure:
    """PSNR and SSIM after every epoch; below, what a reader can judge by eye."""
    n = dataset.sizes["picture"]
    figure = Figure(figsize=(7.0, 5.0 + 1.35 * n))
    parts: Any = figure.subfigures(2, 1, height_ratios=(3.6, 0.3 + 1.35 * n))
    above, below = parts
    for axes, score in zip(above.subplots(1, 2), LABELS, strict=True):
        _curves(axes, dataset, score)
    _strips(below, dataset)
    style.caption(figure, dataset, note(dataset))
    return figure


def note(dataset: xr.Dataset) -> str:
    """Scores after the last epoch, beside what was given."""
    after = {
        rule: {
            s: float(scored(dataset, s, rule).isel(epoch=-1).median()) for s in LABELS
        }
        for rule in RULES
    }
    given = {s: float(dataset[f"{s}_input"].median()) for s in LABELS}
    told = [
        f"{NAMES[rule]} {found['psnr']:.2f} dB and {found['ssim']:.3f}"
        for rule, found in after.items()
    ]
    better = {
        rule: "better" if found["psnr"] > given["psnr"] else "worse"
        for rule, found in after.items()
    }
    lost = after["ideal"]["psnr"] - after["eapu"]["psnr"]
    return (
        f"after the last epoch: {'; '.join(told)}; given ({dataset.attrs['given']}): "
        f"{given['psnr']:.2f} dB and {given['ssim']:.3f}. EaPU loses {lost:.2f} dB "
        f"against ideal and makes the input {better['eapu']}, noisy backpropagation "
        f"{better['noisy']}. Scores of test patches, clipped and rounded to bytes; "
        "pictures of the first seed and chip. Published SSIM: on hardware, from the "
        "press, its network and data unknown"
    )


def _curves(axes: Axes, dataset: xr.Dataset, score: str) -> None:
    for rule in RULES:
        style.band(axes, dataset.epoch, scored(dataset, score, rule), **look(rule))
    given = float(dataset[f"{score}_input"].median())
    label = f"input ({dataset.attrs['given']})"
    axes.axhline(given, color="grey", ls=(0, (1, 1)), lw=1.4, label=label)
    if score == "ssim":
        value = dataset.attrs["published_ssim"]
        how: Any = {"ls": (0, (6, 2)), "lw": 1, "marker": "D", "mfc": "none"}
        words = f"{value:g},\nhardware (press)"
        style.published_line(axes, value, words, markevery=[0, 1], **how)
    axes.set(
        title=LABELS[score], xlabel="epoch", ylabel=f"{LABELS[score]} of test images"
    )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    handles, _ = axes.get_legend_handles_labels()
    style.key(axes, handles=handles if score == "psnr" else handles[-1:])


def _strips(figure: Any, dataset: xr.Dataset) -> None:
    one = dataset.isel(seed=0, chip=0)
    columns = {
        dataset.attrs["given"]: one.given,
        "ideal": one.restored_ideal,
        "noisy\nbackpropagation": one.restored.sel(rule="noisy"),
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
            axes.spines[:].set_visible(False)
    for axes, name in zip(grid[0], columns, strict=True):
        axes.set_title(name)
    figure.suptitle(_title(dataset))


def _title(dataset: xr.Dataset) -> str:
    """The task and its network, by the name that readers know."""
    known = {"dncnn": "DnCNN", "srnet": "SRNet", "autoencoder": "auto-encoder"}
    title = str(dataset.attrs["title"])
    for ours, theirs in known.items():
        title = title.replace(ours, theirs)
    return title
