"""Which tolerances and time constants fit the published error, by theory.

The plane: the expected error of an inverse over component tolerance and RC, and where
in it the published 25 to 30 % lie.
"""

from typing import Any

import numpy as np
import xarray as xr

from chipsweep import Keys
from experiments.thermodynamic import errors, machine, one_board

_ENDS = dict(zip(("low", "high"), machine.ERROR_PUBLISHED, strict=True))


def law(point: Any, chip: Any, keys: Keys) -> dict[str, Any]:
    """What theory says of the error of one board: no samples.

    Args:
        point: fields of `one_board.Experiment`.
        chip: not used: its key tells boards apart.
        keys: the seed's matrix; the board's components, the same draw at every point.

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
        The plane with its median errors, the share of boards in the band, and the
        tolerances and RCs at which the band begins and ends; NaN where it never does.
    """
    low, high = machine.ERROR_PUBLISHED
    error = np.hypot(plane.plane_floor, plane.plane_statistical)
    middle = error.median("plane_board")
    fitted = np.hypot(plane.plane_fitted_floor, plane.plane_statistical)
    ends = {f"tolerance_{end}": _crossing(middle, e) for end, e in _ENDS.items()}
    possible = ends["tolerance_high"].notnull()
    ends["tolerance_low"] = ends["tolerance_low"].fillna(0.0).where(possible)
    ideal = middle.isel(tolerance=0).to_numpy()
    rcs = {
        f"rc_{end}": np.interp(e, ideal, plane.rc, left=np.nan, right=np.nan)
        for end, e in _ENDS.items()
    }
    share = ((error >= low) & (error <= high)).mean("plane_board")
    found: dict[str, Any] = {
        "plane_error": middle,
        "plane_fitted_error": fitted.median("plane_board"),
        "plane_share": share,
    }
    return plane.assign(found | ends | rcs)


def _crossing(error: xr.DataArray, level: float) -> xr.DataArray:
    """Tolerance at which the error reaches a level, at each RC; NaN if never."""
    rows = error.transpose("rc", "tolerance").to_numpy()
    at = [
        np.interp(level, row, error.tolerance, left=np.nan, right=np.nan)
        for row in np.maximum.accumulate(rows, axis=1)
    ]
    return xr.DataArray(at, {"rc": error.rc}, "rc", attrs={"units": "1, rms"})
