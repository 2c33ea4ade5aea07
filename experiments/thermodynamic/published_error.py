"""Which tolerances and time constants fit the published error, by theory.

The plane: the expected error of an inverse over component tolerance and RC, and where
in it the published 25 to 30 % lie.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array, Float, Key

from experiments.thermodynamic import errors, machine

_ENDS = dict(zip(("low", "high"), machine.ERROR_PUBLISHED, strict=True))


@partial(jax.jit, static_argnames=("d", "quality", "tolerances", "boards", "n_samples"))
def error_laws(
    key_matrix: Key[Array, ""],
    key_boards: Key[Array, ""],
    rc: Float[Array, ""],
    *,
    d: int,
    quality: float,
    tolerances: tuple[float, ...],
    boards: int,
    n_samples: int,
) -> errors.ErrorLaw:
    """Laws of the error, `(tolerances, boards)`.

    Board i is the same draw at every tolerance and RC.

    Args:
        key_matrix: of the matrix.
        key_boards: of the components.
        rc: of a cell alone, us.
        d: cells.
        quality: of a cell alone.
        tolerances: relative rms spread of the components.
        boards: how many are drawn.
        n_samples: at `machine.SAMPLING_INTERVAL`.
    """
    board, target = machine.nominal(key_matrix, d, rc, quality)

    def law(board):
        n, dt = (n_samples,), machine.SAMPLING_INTERVAL
        return errors.error_law(board.linear(), target, n, dt)

    def row(tolerance):
        drawn = machine.draw(key_boards, board, jnp.full(boards, tolerance))
        return jax.vmap(law)(drawn)

    return jax.lax.map(row, jnp.array(tolerances))


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
