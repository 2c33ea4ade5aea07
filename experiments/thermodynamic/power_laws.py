"""Slopes of errors in double logarithmic plots, and whether they are as wanted."""

from collections.abc import Callable

import numpy as np
import xarray as xr

from experiments.claims import both, within


def slope(error: xr.DataArray, along: str) -> xr.DataArray:
    """Of ln error against ln of a coordinate, by least squares.

    Example:
        >>> at = {"x": [1.0, 2.0, 4.0]}
        >>> x = xr.DataArray([1.0, 10.0, 100.0], dims="x", coords=at)
        >>> round(float(slope(x, "x")), 3)  # ten times for every doubling
        3.322
    """
    x = np.log(error[along])
    x = x - x.mean()
    return (x * np.log(error)).sum(along) / (x**2).sum()


def ends(values: xr.DataArray) -> tuple[float, float, float]:
    """Least, middle and largest of them."""
    return float(values.min()), float(values.median()), float(values.max())


def near(wanted: float, tolerance: float) -> Callable[[float, float], str]:
    """A rule of `claims.judged`: both ends of the band near a value."""

    def rule(low: float, high: float) -> str:
        return both(*(within(wanted, x, x, tolerance=tolerance) for x in (low, high)))

    return rule
