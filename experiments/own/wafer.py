"""A constant of many devices as a map of their wafer."""

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from eapu_jax.fitting import Places
from experiments.figures import style

_FAILED = "0.75"
_LEAST = 4e-3
"""Side of a die, as a share of the wafer, however close two of them stand."""


def wafer_map(
    axes: Axes, values: np.ndarray, label: str, places: Places | None = None
) -> None:
    """A constant of many devices where they stand; grey: no fit.

    Without places the devices fill a square line by line, and the map says so.

    Args:
        axes: to draw on.
        values: of the constant, `(devices,)`; NaN where a device was not fitted.
        label: of the constant, with its unit.
        places: of the devices, in the same order.
    """
    colours = matplotlib.colormaps["viridis"].with_extremes(bad=_FAILED)
    dies = PatchCollection(_dies(places or _in_order(len(values))), cmap=colours)
    dies.set_array(np.ma.masked_invalid(values))
    axes.add_collection(dies)
    axes.autoscale_view()
    axes.set_aspect("equal")
    axes.grid(False)
    style.colorbar(axes, dies, label)
    if places is None:
        told = "in the order of the file (no places told)"
        axes.set(xticks=[], yticks=[], xlabel="line by line, from the top left")
    else:
        told, unit = "on the wafer", places.unit or "number of the die"
        axes.set(xlabel=f"x ({unit})", ylabel=f"y ({unit})")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(6, integer=not places.unit))
    axes.set_title(f"devices {told}" + "; grey: no fit" * bool(np.isnan(values).any()))


def _in_order(devices: int) -> Places:
    side = int(np.ceil(np.sqrt(devices)))
    return Places(x=np.arange(devices) % side, y=-(np.arange(devices) // side))


def _dies(places: Places) -> list[Rectangle]:
    """A rectangle a device, as wide and high as the closest ones are apart."""
    pitches = [_pitch(places.x), _pitch(places.y)]
    wide, high = (p or max(pitches) or 1.0 for p in pitches)  # all in one line: square
    corners = zip(places.x - wide / 2, places.y - high / 2, strict=True)
    return [Rectangle(corner, wide, high) for corner in corners]


def _pitch(at: np.ndarray) -> float:
    """The least distance between two that differ; 0 if none do."""
    apart = np.diff(np.unique(at))
    return max(float(apart.min()), _LEAST * float(np.ptp(at))) if apart.size else 0.0
