"""Slopes of errors in double logarithmic plots, and whether they are as wanted."""

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from experiments.claims import both, within


def slope(error: xr.DataArray, against: xr.DataArray, along: str) -> xr.DataArray:
    """Of ln error against ln of something else, by least squares along a dimension.

    NaN where an error is.

    Example:
        >>> x = xr.DataArray([1.0, 2.0, 4.0], dims="x")
        >>> round(float(slope(x**-0.5, x, "x")), 3)
        -0.5
    """
    x: Any = np.log(against)
    x = x - x.mean(along)
    y: Any = np.log(error)
    return (x * y).sum(along, skipna=False) / (x**2).sum(along)


def ends(values: xr.DataArray) -> tuple[float, float, float]:
    """Least, middle and largest of them."""
    return float(values.min()), float(values.median()), float(values.max())


def near(wanted: float, tolerance: float) -> Callable[[float, float], str]:
    """A rule of `claims.judged`: both ends of the band near a value."""

    def rule(low: float, high: float) -> str:
        return both(*(within(wanted, x, x, tolerance=tolerance) for x in (low, high)))

    return rule
