"""The figure of `device_response`."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.figures import style

_ACROSS = 3
_ALONE = 3  # cells drawn one by one

NAMES = {
    "PUBLIC_CODE": "public code of EaPU",
    "FIGURE_5C": "EaPU, its Fig. 5c",
    "RELAXING": "relaxing after a write",
    "SOFT_BOUNDS": "soft bounds",
    "RERAM_MEASURED": "ReRAM, fitted",
    "RERAM_EXPONENTIAL": "ReRAM, exponential steps",
    "PHASE_CHANGE": "phase change",
    "FERROELECTRIC": "ferroelectric",
    "MAGNETIC": "magnetic, two states",
    "BULK_RRAM": "bulk RRAM",
    "ELECTROCHEMICAL": "electrochemical",
    "CMO_HFOX": "conductive metal oxide",
    "INT4": "levels of 4 bits",
    "INT2": "levels of 2 bits",
}
"""What a reader calls a preset; others keep the name that they have."""


@style.styled
def plot(dataset: xr.Dataset) -> Figure:
    """One panel per preset: the way up, the way down, and single cells."""
    names = dataset.crossbar.values.tolist()
    down = -(-(len(names) + 1) // _ACROSS)  # and one for the key
    figure = Figure(figsize=(style.WIDTH, 1.9 * down + 1.1))
    panels = figure.subplots(down, _ACROSS, squeeze=False).ravel()
    for axes, name in zip(panels, names, strict=False):
        _curve(axes, dataset.sel(crossbar=name))
        axes.set_title(_title(dataset.sel(crossbar=name)), fontsize=style.SMALL)
    for axes in panels[len(names) :]:
        axes.set_axis_off()
    handles, labels = panels[0].get_legend_handles_labels()
    panels[-1].legend(handles, labels, loc="center")
    for axes in panels[: len(names) : _ACROSS]:
        axes.set_ylabel("conductance (µS)")
    for axes in panels[max(len(names) - _ACROSS, 0) : len(names)]:
        axes.set_xlabel("asked (share of window)")
    style.caption(figure, dataset, says(dataset))
    return figure


def _curve(axes: Axes, dataset: xr.Dataset) -> None:
    turn = dataset.sizes["request"] // 2
    rise = dataset.isel(request=slice(turn + 1))
    fall = dataset.isel(request=slice(turn, None))
    for part, n, label in ((rise, 0, "rising"), (fall, 1, "falling")):
        look = style.look(n, marker=None)
        style.band(axes, part.asked, part.g, label=f"{label}: median", **look)
        for chip in range(min(_ALONE, dataset.sizes["chip"])):
            alone = part.g.isel(chip=chip)
            axes.plot(part.asked, alone, color=look["color"], lw=0.4, alpha=0.6)
    axes.plot([], [], color="0.6", lw=0.4, label="single cells")
    low, high = np.asarray(dataset.ends)
    axes.plot([0, 1], [low, high], color="black", ls=":", lw=1, label="asked for")


def _called(name: str) -> str:
    return NAMES.get(name, name.lower().replace("_", " "))


def _title(dataset: xr.Dataset) -> str:
    """The preset, how much a request errs, and what was published."""
    name, told = dataset.crossbar.item(), dataset.published.item()
    beside = "" if np.isnan(told) else f" (published: {told:g})"
    error = f"error {float(dataset.error.median()):.2g} µS{beside}"
    return f"{_called(name)}\n{error}"


def gap(dataset: xr.Dataset) -> xr.DataArray:
    """Most between the medians up and down at one request, as a share of the window."""
    up_down = dataset.g.median("chip").transpose("request", ...)
    gaps = abs(up_down - up_down.values[::-1]).max("request")
    return gaps / abs(dataset.ends.isel(end=1) - dataset.ends.isel(end=0))


def says(dataset: xr.Dataset) -> str:
    """Whose way back is another than the way there, and how a single request errs."""
    window = abs(dataset.ends.isel(end=1) - dataset.ends.isel(end=0))
    error, gaps = 100 * (dataset.error.median("chip") / window), 100 * gap(dataset)
    worst = error.crossbar.values[int(error.values.argmax())]
    far = [
        f"{_called(name)} ({float(gaps.sel(crossbar=name)):.0f} %)"
        for name in gaps.crossbar.values[np.argsort(-gaps.values, kind="stable")]
        if float(gaps.sel(crossbar=name)) > 10
    ]
    words = f"in {len(far)} of {gaps.size} presets"
    which = f", most in {', '.join(far[:3])}" if far else ""
    return (
        f"Cells are asked for more and more, then for less and less. Way up and way "
        f"down part by more than a tenth of the window {words}{which}: there a rule "
        "that trusts the sum of its requests is misled. One request half way up errs "
        f"by at most {float(error.max()):.1f} % of the window ({_called(worst)})"
    )
