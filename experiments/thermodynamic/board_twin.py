"""Boards are identified from their voltages, set anew, and err less."""

from collections.abc import Mapping
from typing import Annotated

import numpy as np
import xarray as xr

from experiments.claims import nothing_published as claims  # noqa: F401
from experiments.contract import Seeded, Sweep, base_of, of_one_seed
from experiments.thermodynamic import errors, machine, one_board, twins
from experiments.thermodynamic.board_twin_figure import plot as plot
from experiments.thermodynamic.one_board import DIMS as DIMS
from experiments.thermodynamic.one_board import UNITS as UNITS
from experiments.thermodynamic.one_board import simulate as simulate
from experiments.validate import Ascending, CountOrZero, Distinct, Width, bounds
from thermo.identify import identified

REPRODUCES = "SPU: three boards off by 25-30 %, set anew (not published)"

Record = Annotated[int, bounds(1000, 2**26)]
"""Samples of a record."""


class Config(Seeded, one_board.Board):
    """Three synthetic boards, a record of each, and the same boards set anew.

    Attributes:
        size: cells.
        boards: draws of tolerances, by number; these are the first three that by theory
            are off by 25 to 30 % at 12,000 samples, as published.
        n_records: samples from which a board is identified; the error against samples
            is shown for the first that is at least four times `n_samples`, or the last.
    """

    size: Width = machine.N_CELLS
    boards: Distinct[CountOrZero] = (2, 3, 5)
    n_records: Ascending[Record] = (12_000, 48_000, 192_000, 768_000)

    def __post_init__(self):
        """Check every field, beside each other too."""
        super().__post_init__()
        self.require(self.tolerance > 0, "tolerance", "more than 0")
        defaults(self)

    @property
    def shown(self) -> int:
        """The record of the curves."""
        long = [n for n in self.n_records if n >= 4 * self.n_samples]
        return (long or self.n_records[-1:])[0]


def defaults(config: Config) -> one_board.Run:
    """What one run of a board depends on."""
    return base_of(one_board.Run, config)


PRESETS = {
    "smoke": Config(size=2, n_samples=480, rc=0.2, n_records=(2400, 4800)),
    "large": Config(boards=tuple(range(32))),
}


def sweeps(config: Config) -> dict[str, Sweep]:
    """Boards as they were set, and their twins by the length of the record."""
    base, chips = defaults(config), list(config.boards)
    boards = config.sweep(simulate, base, chips=chips, dims=DIMS)
    of = base_of(twins.Twin, base, root=config.seed, n_record=config.shown)
    found = config.sweep(
        twins.twin,
        vars(of),
        axes={"n_record": config.n_records},
        chips=chips,
        outputs=twins.outputs(config.size, config.n_samples),
        dims={
            "error": ("length",),
            "true_factor": ("component",),
            "found_factor": ("component",),
            "standard_error": ("component",),
            "tolerance_true": ("kind",),
            "tolerance_found": ("kind", "end"),
        },
    )
    return {"boards": boards, "twins": found}


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Errors before and after; what was predicted, what was found of components."""
    before = of_one_seed(found["boards"], "error", chip="board")
    whole = of_one_seed(found["twins"], *map(str, found["twins"]), chip="board")
    whole["error_before"] = before.error
    whole = whole.rename(length="n_samples")
    whole["identified"] = whole.standard_error < identified.VAGUE
    off = np.abs(whole.found_factor - whole.true_factor) / whole.standard_error
    near = (off < 1.96) & whole.identified
    whole["held"] = near.sum("component") / whole.identified.sum("component")
    counts = np.array(errors.stretches(config.n_samples))
    whole = whole.assign_coords(
        board=1 + np.arange(whole.sizes["board"]),
        n_samples=counts,
        kind=list(twins.KINDS),
        end=["estimate", "low", "high"],
    )
    return whole.assign_attrs(
        data=(
            f"simulation at 12 MHz; ASSUMED: a random M-matrix, tolerance "
            f"{config.tolerance:.1%} rms on C, R, L and noise power, RC = "
            f"{config.rc:g} µs, Q = {config.quality:g}, temperature known, one "
            "resistor measured by hand; synthetic boards, chosen for errors of 25-30 %"
        ),
        n_published=config.n_samples,
        shown=config.shown,
        longest=config.n_records[-1],
        assumed_tolerance=config.tolerance,
    )
