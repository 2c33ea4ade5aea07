"""Boards without coils: error against samples and bits; where 2 % is reached."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

import jax.random as jr
import numpy as np
import xarray as xr

from chipsweep import Keys
from experiments.claims import Claim, judged, within_reach
from experiments.contract import Seeded, Sweep, base_of, of_one_seed
from experiments.thermodynamic import errors, machine, one_board
from experiments.thermodynamic.coarse_board import CIRCUITS, program
from experiments.thermodynamic.one_board import DIMS as DIMS
from experiments.thermodynamic.one_board import UNITS as UNITS
from experiments.thermodynamic.spu_inductor_free_figure import ERROR_PUBLISHED
from experiments.thermodynamic.spu_inductor_free_figure import plot as plot
from experiments.validate import Bits, Count, Distinct, EffectiveBits, Positive, one_of

REPRODUCES = "SPU: simulated board without inductors, error of about 2 %"

Circuit = Annotated[str, one_of(*CIRCUITS)]


class CoarseRun(one_board.Sampled):
    """What one run of one board without coils depends on; any number may be swept.

    Attributes:
        circuit: "resistive", "capacitive", "op-amp" or "rlc".
        bits: of couplers and components to ground (ASSUMED).
        interval: between samples, µs.
    """

    circuit: Circuit = "resistive"
    bits: EffectiveBits = 4.0
    n_samples: errors.Record = 60_000
    interval: Positive = machine.SAMPLING_INTERVAL


class Config(Seeded, one_board.Sampled):
    """Circuits that need no coil (INFERRED: the published one is not known).

    Attributes:
        n_boards: matrices, each on a board of its own that is simulated.
        n_matrices: matrices behind the errors of coarse couplers.
        bits: of couplers and components to ground, in the simulation (ASSUMED).
        all_bits: for which the floor is computed.
        circuits: which; "resistive" is the one that is judged.
    """

    n_boards: Count = 16
    n_matrices: Count = 64
    n_samples: errors.Record = 60_000
    bits: Bits = 4
    all_bits: Distinct[Bits] = (1, 2, 3, 4, 5, 6, 7, 8)
    circuits: Distinct[Circuit] = CIRCUITS

    def __post_init__(self):
        """Check every field; what is judged must be among what is computed."""
        super().__post_init__()
        words = "resistive must be among them"
        self.require("resistive" in self.circuits, "circuits", words)
        words = f"one of {self.all_bits}, all_bits"
        self.require(self.bits in self.all_bits, "bits", words)


PRESETS = {
    "smoke": Config(
        n_boards=2,
        n_matrices=2,
        n_samples=480,
        all_bits=(2, 4),
        circuits=("resistive",),
    ),
    "large": Config(n_boards=256, n_matrices=1024),
}


def defaults(config: Config) -> CoarseRun:
    """What one run of one board of the judged circuit depends on."""
    return base_of(CoarseRun, config)


def simulate(point: Any, chip: Any, keys: Keys, trace: bool = False) -> dict[str, Any]:
    """Let one board of a `CoarseRun`, which has a matrix of its own, invert it.

    The chip's key draws the matrix and the noise. Returns: see `one_board.measured`.
    """
    del chip
    key_matrix, key_noise = jr.split(keys.chip)
    board, target = program(key_matrix, point.circuit, point.rc, point.bits)
    return one_board.measured(key_noise, board, target, point, trace)


def floor(point: Any, chip: Any, keys: Keys) -> dict[str, Any]:
    """Error of infinitely many samples of the board of `simulate`: `floor`."""
    del chip
    key_matrix = jr.split(keys.chip)[0]
    board, target = program(key_matrix, point.circuit, point.rc, point.bits)
    return {"floor": errors.relative_error(errors.settled(board.linear()), target)}


def sweeps(config: Config) -> dict[str, Sweep]:
    """Each circuit with coarse couplers; the floors of all bits by theory."""
    base, axes, n = defaults(config), {"circuit": config.circuits}, config.n_boards
    chunk = -(-n // 2)
    boards = config.sweep(simulate, base, axes=axes, dims=DIMS, chips=n, chunk=chunk)
    circuits, n = list(dict.fromkeys(_without_coils(config))), config.n_matrices
    axes = {"circuit": circuits, "bits": config.all_bits}
    floors = config.sweep(floor, base, axes=axes, chips=n, chunk=n)
    return {"boards": boards, "floors": floors}


def _without_coils(config: Config) -> list[str]:
    """The circuits, "capacitive" for "rlc": coils change nothing at a floor."""
    return ["capacitive" if c == "rlc" else c for c in config.circuits]


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Errors of the boards, floors, and the samples that the published error takes."""
    names, n = ("error", "expected", "statistical"), errors.stretches(config.n_samples)
    curves = of_one_seed(found["boards"], *names, chip="board")
    floors = of_one_seed(found["floors"], "floor", chip="matrix")
    floors = floors.sel(circuit=_without_coils(config)).drop_vars("circuit")
    parts = [curves.rename(length="n_samples"), floors]
    whole = xr.merge(parts, combine_attrs="drop")
    whole = whole.assign_coords(n_samples=n, bits=list(config.all_bits))
    return _reached(whole).assign_attrs(
        data=(
            "simulation and theory at 12 MHz; INFERRED circuits; ASSUMED: random "
            f"8 x 8 matrices, RC = {config.rc:g} µs, components on a uniform grid of "
            f"{config.bits} bits, otherwise ideal; bands: middle half of "
            f"{config.n_boards} boards (floors: {config.n_matrices} matrices)"
        ),
        assumed_bits=config.bits,
        assumed_rc=config.rc,
    )


def _reached(dataset: xr.Dataset) -> xr.Dataset:
    """Samples that bring the error to the published one, for each number of bits."""
    most = dataset.n_samples[-1]
    each = (dataset.statistical.isel(n_samples=-1) ** 2 * most).median("board")
    floor = dataset.floor.median("matrix")
    room = ERROR_PUBLISHED**2 - floor**2
    counts = xr.DataArray(np.geomspace(1e3, 1e8, 101), dims="plane_samples")
    return dataset.assign(
        per_sample=each,
        needed=(each / room).where(room > 0),
        needed_fine=each / ERROR_PUBLISHED**2,
        plane=np.hypot(floor, np.sqrt(each / counts)),
    ).assign_coords(plane_samples=counts)


def claims(dataset: xr.Dataset) -> list[Claim]:
    """The published error of a simulated board without coils."""
    one = dataset.sel(circuit="resistive")
    n = int(one.n_samples[-1])
    needed = float(one.needed.sel(bits=dataset.assumed_bits))
    published = 100 * ERROR_PUBLISHED
    return [
        judged(
            dataset,
            "a simulated board without inductors is off by about 2 % (ours: RC "
            f"cells joined by resistors, {dataset.assumed_bits} bits, {n:,} samples at "
            f"RC = {dataset.assumed_rc:g} µs, all ASSUMED; by theory 2 % takes "
            f"{needed:,.0f} samples)",
            machine.PRESS,
            100 * one.error.sel(n_samples=n),
            partial(within_reach, published, tolerance=0.5),
            published=published,
            unit="%",
        )
    ]
