"""Boards without coils: error against samples and bits; where 2 % is reached."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

from experiments.claims import Claim, within_reach
from experiments.population import over_chips
from experiments.thermodynamic import errors, machine, one_board
from experiments.thermodynamic.coarse_board import CIRCUITS, program
from experiments.thermodynamic.spu_inductor_free_figure import ERROR_PUBLISHED
from experiments.thermodynamic.spu_inductor_free_figure import plot as plot
from experiments.validate import (
    Bits,
    Count,
    Distinct,
    EffectiveBits,
    Positive,
    Seed,
    bounds,
    check,
    one_of,
    refuse_unless,
)
from experiments.work import Work
from thermo import exact

REPRODUCES = "SPU: simulated board without inductors, error of about 2 %"
MINUTES = 0.6

Circuit = Annotated[str, one_of(*CIRCUITS)]


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What one experiment on one board depends on; any number may be swept.

    Attributes:
        batch: root of the matrices: another batch, others.
        circuit: "resistive", "capacitive", "op-amp" or "rlc".
        bits: of couplers and components to ground (ASSUMED).
        rc: of a cell alone, us (ASSUMED).
        n_samples: of the experiment (structural).
        interval: between samples, us.
    """

    batch: Seed = 0
    circuit: Circuit = "resistive"
    bits: EffectiveBits = 4.0
    rc: Positive = 1.0
    n_samples: Annotated[Count, bounds(machine.N_CELLS, 2**31 - 1)] = 60_000
    interval: Positive = machine.SAMPLING_INTERVAL

    __post_init__ = check


@dataclass(frozen=True, kw_only=True)
class Config:
    """Circuits that need no coil (INFERRED: the published one is not known).

    Attributes:
        seed: of matrices and noise.
        n_boards: matrices, each on a board of its own that is simulated.
        n_matrices: matrices behind the errors of coarse couplers.
        n_samples: a run is four times as long.
        bits: of couplers and components to ground, in the simulation (ASSUMED).
        all_bits: for which the floor is computed.
        rc: of a cell alone, us (ASSUMED).
        circuits: which; "resistive" is the one that is judged.
    """

    seed: Seed = 0
    n_boards: Count = 16
    n_matrices: Count = 64
    n_samples: errors.Record = 60_000
    bits: Bits = 4
    all_bits: Distinct[Bits] = (1, 2, 3, 4, 5, 6, 7, 8)
    rc: Positive = 1.0
    circuits: Distinct[Circuit] = CIRCUITS

    def __post_init__(self):
        """Check every field; what is judged must be among what is computed."""
        check(self)
        judged, words = "resistive" in self.circuits, "resistive must be among them"
        refuse_unless(judged, self, "circuits", words)
        known, words = self.bits in self.all_bits, f"one of {self.all_bits}, all_bits"
        refuse_unless(known, self, "bits", words)

    def base(self) -> Experiment:
        """What one experiment on one board of the judged circuit depends on."""
        return Experiment(
            batch=self.seed, bits=self.bits, rc=self.rc, n_samples=self.n_samples
        )


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


def one_chip(point: Any, chip: Any, key: Any, trace: bool = False) -> dict[str, Any]:
    """Let board number `chip`, which has a matrix of its own, invert it once.

    Args:
        point: fields of `Experiment`.
        chip: index of the matrix.
        key: noise of the experiment.
        trace: see `one_board.measured`, also for what is returned.
    """
    key_matrix = jr.fold_in(jr.split(jr.key(point.batch))[1], chip)
    board, target = program(key_matrix, point.circuit, point.rc, point.bits)
    return one_board.measured(key, board, target, point, trace)


def run(config: Config, work: Work | None = None) -> xr.Dataset:
    """Simulate each circuit with coarse couplers; then their floors by theory."""
    work = work or Work()
    names = xr.DataArray(list(config.circuits), dims="circuit", name="circuit")
    work.expect(2 * len(names))
    runs = [work.part(c, partial(_curve, config, c)) for c in config.circuits]
    floors = [
        work.part(f"{c}, bits", partial(_floors, config, c)) for c in config.circuits
    ]
    whole = xr.merge([xr.concat(runs, names), xr.concat(floors, names)])
    return _reached(whole).assign_attrs(
        data=(
            "simulation and theory at 12 MHz; INFERRED circuits; ASSUMED: random "
            f"8 x 8 matrices, RC = {config.rc:g} us, components on a uniform grid of "
            f"{config.bits} bits, otherwise ideal; bands: middle half of "
            f"{config.n_boards} boards (floors: {config.n_matrices} matrices)"
        ),
        assumed_bits=config.bits,
        assumed_rc=config.rc,
    )


def _curve(config: Config, circuit: str) -> xr.Dataset:
    """Errors of simulated boards, and their law."""
    counts = errors.stretches(config.n_samples)
    key_noise, key_matrix = jr.split(jr.key(config.seed))

    def one(key, key_matrix):
        board, target = program(key_matrix, circuit, config.rc, config.bits)
        return errors.measure(key, board, target, counts, machine.SAMPLING_INTERVAL)

    n = config.n_boards
    found, law = over_chips(one)(jr.split(key_noise, n), jr.split(key_matrix, n))
    mean_square = np.stack([np.mean(e**2, -1) for e in found], -1)
    each = ("board", "n_samples")
    return xr.Dataset(
        {
            "error": (each, np.sqrt(mean_square)),
            "expected": (each, law.total),
            "statistical": (each, law.statistical),
        },
        {"n_samples": counts},
    )


def _floors(config: Config, circuit: str) -> xr.Dataset:
    """Error of infinitely many samples, for each number of bits."""
    circuit = "capacitive" if circuit == "rlc" else circuit  # coils change nothing
    keys = jr.split(jr.fold_in(jr.key(config.seed), 1), config.n_matrices)
    bits = jnp.array(config.all_bits, jnp.float32)
    floors = _floor(keys, circuit, config.rc, bits)
    coords = {"bits": list(config.all_bits)}
    return xr.Dataset({"floor": (("bits", "matrix"), floors)}, coords)


@partial(jax.jit, static_argnames=("circuit", "rc"))
def _floor(keys, circuit, rc, bits):
    def one(key, bits):
        board, target = program(key, circuit, rc, bits)
        form = board.linear()
        state = exact.lyapunov(form.drift, form.diffusion)
        covariance = form.readout @ state @ form.readout.T
        return errors.relative_error(covariance, target)

    return jax.vmap(jax.vmap(one, (0, None)), (None, 0))(keys, bits)


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
    error = 100 * one.error.sel(n_samples=n)
    low, ours, high = (float(f(error)) for f in (np.min, np.median, np.max))
    needed = float(one.needed.sel(bits=dataset.assumed_bits))
    return [
        Claim(
            claim="a simulated board without inductors is off by about 2 % (ours: RC "
            f"cells joined by resistors, {dataset.assumed_bits} bits, {n:,} samples at "
            f"RC = {dataset.assumed_rc:g} us, all ASSUMED; by theory 2 % takes "
            f"{needed:,.0f} samples)",
            source="press on the SPU paper (SEED)",
            published=100 * ERROR_PUBLISHED,
            ours=ours,
            low=low,
            high=high,
            unit="%",
            scale=dataset.attrs.get("scale", "reduced"),
            verdict=within_reach(100 * ERROR_PUBLISHED, low, high, tolerance=0.5),
        )
    ]
