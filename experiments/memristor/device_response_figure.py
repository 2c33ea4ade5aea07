"""The figure of `device_response`."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.figures import style

_ACROSS = 5
_ALONE = 3  # cells drawn one by one


@style.styled
def plot(dataset: xr.Dataset) -> Figure:
    """One panel per preset: the way up, the way down, and single cells."""
    names = dataset.crossbar.values.tolist()
    down = -(-len(names) // _ACROSS)
    figure = Figure(figsize=(2.3 * _ACROSS, 2.1 * down + 0.6))
    panels = figure.subplots(down, _ACROSS, squeeze=False).ravel()
    for axes, name in zip(panels, names, strict=False):
        _curve(axes, dataset.sel(crossbar=name))
        axes.set_title(_title(dataset.sel(crossbar=name)))
    for axes in panels[len(names) :]:
        axes.set_axis_off()
    handles, labels = panels[0].get_legend_handles_labels()
    panels[-1].legend(handles, labels, loc="center")
    for axes in panels[::_ACROSS]:
        axes.set_ylabel("conductance, µS")
    for axes in panels[max(len(names) - _ACROSS, 0) : len(names)]:
        axes.set_xlabel("asked, share of the window")
    style.caption(
        figure, dataset, "thin: single cells; error: of one request, half way up"
    )
    return figure


def _curve(axes: Axes, dataset: xr.Dataset) -> None:
    turn = dataset.sizes["request"] // 2
    rise = dataset.isel(request=slice(turn + 1))
    fall = dataset.isel(request=slice(turn, None))
    for part, colour, label in ((rise, 0, "rising"), (fall, 1, "falling")):
        style.band(axes, part.asked, part.g, label=label, color=style.COLOURS[colour])
        for chip in range(min(_ALONE, dataset.sizes["chip"])):
            alone = part.g.isel(chip=chip)
            axes.plot(part.asked, alone, color=style.COLOURS[colour], lw=0.4, alpha=0.6)
    low, high = np.asarray(dataset.ends)
    axes.plot([0, 1], [low, high], color="black", ls=":", lw=1, label="asked for")


def _title(dataset: xr.Dataset) -> str:
    """The preset, how much a request errs, and what was published."""
    name, said = dataset.crossbar.item(), dataset.published.item()
    beside = "" if np.isnan(said) else f" (published {said:g})"
    error = f"error {float(dataset.error.median()):.2g} µS{beside}"
    return f"{name.lower().replace('_', ' ')}\n{error}"
