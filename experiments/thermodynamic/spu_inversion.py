"""Matrix inversion on three boards: error against samples, its floor, what fits."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import xarray as xr

from chipsweep import Structural
from experiments.claims import (
    Claim,
    above,
    below,
    both,
    judged,
    monotone,
    spread,
    within_reach,
)
from experiments.contract import Sweep, base_of
from experiments.thermodynamic import errors, machine, one_board, published_error
from experiments.thermodynamic.one_board import DIMS as DIMS
from experiments.thermodynamic.one_board import simulate as simulate
from experiments.thermodynamic.spu_inversion_figure import plot as plot
from experiments.validate import (
    Ascending,
    Count,
    Distinct,
    NonNegative,
    Positive,
    Width,
    check,
    refuse_unless,
)

REPRODUCES = "SPU: 4x4 and 8x8 inverse on three boards, error against samples"


@dataclass(frozen=True, kw_only=True)
class Config(one_board.Population):
    """Inverses by the covariance of voltages, on boards with component tolerances.

    Attributes:
        sizes: of the matrices, one board population each.
        tolerances: of the plane in which the published error is located.
        rcs: of the plane, us.
        plane_boards: boards at each point of the plane.
    """

    sizes: Distinct[Width] = (4, 8)
    tolerances: Ascending[NonNegative] = (
        *(0.0, 0.025, 0.05, 0.075, 0.1, 0.125, 0.15),
        *(0.175, 0.2, 0.225, 0.25, 0.275, 0.3),
    )
    rcs: Ascending[Positive] = (
        *(0.1, 0.2, 0.4, 0.7, 1.0, 1.5),
        *(2.0, 3.0, 4.0, 6.0, 10.0),
    )
    plane_boards: Count = 24

    def __post_init__(self):
        """Check every field; the plane begins with exact components."""
        check(self)
        ideal, words = self.tolerances[0] == 0, "the first must be 0"
        refuse_unless(ideal, self, "tolerances", words)
        defaults(self)


def defaults(config: Config) -> one_board.Experiment:
    """What one experiment on a board of the largest size depends on."""
    return base_of(one_board.Experiment, config, size=max(config.sizes))


PRESETS = {
    "smoke": Config(
        sizes=(2,),
        n_boards=3,
        n_samples=480,
        tolerances=(0.0, 0.1, 0.3),
        rcs=(0.3, 1.0),
        plane_boards=2,
    ),
    "large": Config(n_boards=1024, plane_boards=256),
}


def sweeps(config: Config) -> dict[str, Sweep]:
    """The ideal board and real ones; theory over tolerance and RC."""
    sizes, n = Structural(config.sizes), config.plane_boards
    boards = config.sweep(simulate, defaults(config), DIMS, size=sizes)
    axes = {"rc": config.rcs, "tolerance": config.tolerances}
    plane = replace(boards, simulate=published_error.law, axes=axes, dims={})
    return {"boards": boards, "plane": replace(plane, chips=n, chunk=n)}


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Errors and floors of the boards; where in the plane the published error lies."""
    names = ["error", "expected", "floor", "fitted_floor"]
    curves = one_board.boards(config, found["boards"])[names]
    plane = found["plane"][["floor", "fitted_floor", "statistical"]]
    plane = plane.isel(seed=0, drop=True).drop_vars("chip").load()
    plane = plane.rename({name: f"plane_{name}" for name in plane})
    plane = published_error.located(plane.rename(chip="plane_board"))
    plane.rc.attrs["units"] = "us"
    curves["measured_floor"] = ("size", "board"), _straight(config, curves)
    whole = xr.merge([curves, plane], combine_attrs="drop")
    return whole.assign_attrs(config.facts("random M-matrices"))


def _straight(config: Config, curves: xr.Dataset) -> np.ndarray:
    """Floor by a straight line through the stretches of at least 15 RC."""
    counts = curves.n_samples.to_numpy()
    long = counts * machine.SAMPLING_INTERVAL >= 15 * config.rc
    long[-2:] = True
    n = counts[long]
    error = curves.error.transpose("size", "board", "n_samples").to_numpy()
    return errors.fitted_floor(n, error[..., long].astype(float) ** 2, n[-1] / n)


def claims(dataset: xr.Dataset) -> list[Claim]:
    """The published statements on inversion, judged."""
    three = dataset.sel(board=slice(1, machine.N_PUBLISHED_BOARDS))
    large, small = dataset["size"].max(), dataset["size"].min()
    at = three.error.sel(size=large, n_samples=dataset.n_published)
    middle = 100 * float(np.mean(machine.ERROR_PUBLISHED))
    plane = dataset.sel(rc=dataset.assumed_rc, method="nearest")
    ends = [100 * float(plane[f"tolerance_{e}"]) for e in ("low", "high")]
    control = 100 * float(dataset.measured_floor.sel(size=small, board=0))
    falling = monotone(
        three.error.sel(size=small).median("board").to_numpy(), rising=False
    )
    return [
        judged(
            dataset,
            f"{int(large)}x{int(large)} inverse is off by 25-30 % at "
            f"{dataset.n_published:,} samples, three boards (ASSUMED: tolerance of "
            f"{dataset.assumed_tolerance:.1%} and RC of {dataset.assumed_rc:g} us; by "
            f"theory {ends[0]:.1f}-{ends[1]:.1f} % fit at this RC, and with no "
            f"tolerance RC of {float(dataset.rc_low):.1f}-{float(dataset.rc_high):.1f} "
            "us)",
            machine.PRESS,
            spread(100 * at),
            partial(within_reach, middle, tolerance=2.5),
            published=middle,
            unit="%",
        ),
        judged(
            dataset,
            f"{int(small)}x{int(small)} inverse: the error falls with samples, then "
            "saturates at a floor above zero (ours: fitted floor, three boards)",
            machine.REVIEW,
            spread(100 * three.measured_floor.sel(size=small)),
            lambda low, high: both(falling, above(control, low, high)),
            unit="%",
        ),
        judged(
            dataset,
            f"three boards agree (ours: {int(large)}x{int(large)} errors relative to "
            "their mean; within 30 % of it counts as agreement)",
            machine.REVIEW,
            spread(100 * np.abs(at / at.mean() - 1)),
            partial(below, 30.0),
            unit="%",
        ),
    ]
