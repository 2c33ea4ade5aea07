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
    return found._replace(statistical=found.statistical[0])._asdict()


def located(plane: xr.Dataset) -> xr.Dataset:
    """Which part of the plane is consistent with the published band of errors.

    Args:
        plane: `plane_floor`, `plane_fitted_floor` and `plane_statistical`, over `rc`,
            `tolerance` (the first is 0) and `plane_board`.

    Returns:
        The plane with its median errors, and the tolerances and RCs at which the band
        begins and ends; NaN where it never does.
    """
    each: Any = (plane.plane_floor, plane.plane_fitted_floor)
    each = (np.hypot(floor, plane.plane_statistical) for floor in each)
    middle, fitted = (error.median("plane_board") for error in each)
    found: dict[str, Any] = {"plane_error": middle, "plane_fitted_error": fitted}
    ideal = middle.isel(tolerance=0)
    for end, level in zip(("low", "high"), machine.ERROR_PUBLISHED, strict=True):
        reached = _reached(level, middle, "tolerance").assign_attrs(units="1, rms")
        found[f"tolerance_{end}"] = reached
        found[f"rc_{end}"] = _reached(level, ideal, "rc")
    possible = found["tolerance_high"].notnull()
    found["tolerance_low"] = found["tolerance_low"].fillna(0.0).where(possible)
    return plane.assign(found)


def _reached(level: float, error: xr.DataArray, dim: str) -> xr.DataArray:
    """Where along a dimension the error first has a level; NaN if nowhere."""

    def first(row):
        rising = np.maximum.accumulate(row)
        return np.interp(level, rising, error[dim], left=np.nan, right=np.nan)

    return xr.apply_ufunc(first, error, input_core_dims=[[dim]], vectorize=True)
