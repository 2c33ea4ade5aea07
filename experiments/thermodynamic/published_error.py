"""Which tolerances and time constants fit the published error, by theory.

The plane: the expected error of an inverse over component tolerance and RC, and where
in it the published 25 to 30 % lie.
"""

from typing import Any

import numpy as np
import xarray as xr

from chipsweep import Keys
from experiments.thermodynamic import errors, machine, one_board


def law(point: Any, chip: Any, keys: Keys) -> dict[str, Any]:
    """What theory says of the error of one board: no samples.

    As in `one_board.simulate`, a board is the same draw at every point.

    Returns:
        `floor`, `fitted_floor` and `statistical` part, see `one_board.measured`.
    """
    del chip
    board, target = one_board.board_of(point, keys)
    one = (point.n_samples,)
    found = errors.error_law(board.linear(), target, one, point.interval)
    return {
        "floor": found.floor,
        "fitted_floor": found.fitted_floor,
        "statistical": found.statistical[0],
    }


def located(plane: xr.Dataset) -> xr.Dataset:
    """Which part of the plane is consistent with the published band of errors.

    Args:
        plane: `plane_floor`, `plane_fitted_floor` and `plane_statistical`, over `rc`,
            `tolerance` (the first is 0) and `plane_board`.

    Returns:
        The plane with its median errors, and the tolerances and RCs at which the band
        begins and ends; NaN where it never does.
    """
    each: Any = [
        np.hypot(plane[name], plane.plane_statistical)
        for name in ("plane_floor", "plane_fitted_floor")
    ]
    middle, fitted = (error.median("plane_board") for error in each)
    found: dict[str, Any] = {"plane_error": middle, "plane_fitted_error": fitted}
    ideal = middle.isel(tolerance=0)
    for end, level in zip(("low", "high"), machine.ERROR_PUBLISHED, strict=True):
        found[f"tolerance_{end}"] = _crossing(middle, level)
        found[f"rc_{end}"] = _interpolated(level, ideal, plane.rc)
    possible = found["tolerance_high"].notnull()
    found["tolerance_low"] = found["tolerance_low"].fillna(0.0).where(possible)
    return plane.assign(found)


def _crossing(error: xr.DataArray, level: float) -> xr.DataArray:
    """Tolerance at which the error reaches a level, at each RC; NaN if never."""

    def first(row):
        return _interpolated(level, np.maximum.accumulate(row), error.tolerance)

    core = [["tolerance"]]
    at = xr.apply_ufunc(first, error, input_core_dims=core, vectorize=True)
    return at.assign_attrs(units="1, rms")


def _interpolated(level: float, rising: Any, at: Any) -> Any:
    """Where a rising curve has a level; NaN beyond its ends."""
    return np.interp(level, rising, at, left=np.nan, right=np.nan)
