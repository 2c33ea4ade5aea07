"""What each imperfection of a board costs, alone and together: theory, no sampling."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

from experiments.claims import Claim
from experiments.thermodynamic import imperfections, machine
from experiments.thermodynamic.slopes import slopes
from experiments.thermodynamic.spu_error_budget_figure import plot as plot
from experiments.validate import (
    Bits,
    Count,
    Distinct,
    EffectiveBits,
    NonNegative,
    Positive,
    Seed,
    check,
)
from experiments.work import Work
from thermo.circuits import Converter, RLCBoard, Tolerances, draw_board

REPRODUCES = "SPU: the floor that imperfections leave (no published figure)"
MINUTES = 0.3

SOURCES = {
    "capacitors": ("capacitance",),
    "resistors": ("resistance",),
    "coils": ("inductance",),
    "noise power": ("noise",),
    "C, R and noise": ("capacitance", "resistance", "noise"),
}
"""What is spread, by the name in the figure."""


@dataclass(frozen=True, kw_only=True)
class Imperfections:
    """What is wrong with one board; any number may be swept.

    Attributes:
        batch: root of matrices and boards: another batch, others.
        rc: of a cell alone, us.
        quality: of a cell alone.
        capacitance: relative rms spread of the capacitors.
        resistance: of the resistors.
        inductance: of the coils.
        noise: of the noise powers.
        bits: of capacitors to ground and of couplers; exact when None.
        colour: correlation time of the noise, in units of RC; white when None.
        coil: series resistance of the coils, in units of R.
        adc_bits: of the converter; exact when None.
        amplifier: rms noise, in standard deviations of the largest voltage.
        full_scale: range of the converter, V; four standard deviations of the
            board's largest voltage when None.
    """

    batch: Seed = 0
    rc: Positive = 1.0
    quality: Positive = 1.0
    capacitance: NonNegative = 0.0
    resistance: NonNegative = 0.0
    inductance: NonNegative = 0.0
    noise: NonNegative = 0.0
    bits: EffectiveBits | None = None
    colour: Positive | None = None
    coil: NonNegative = 0.0
    adc_bits: EffectiveBits | None = None
    amplifier: NonNegative = 0.0
    full_scale: Positive | None = None

    __post_init__ = check


@dataclass(frozen=True, kw_only=True)
class Config:
    """Errors of infinitely many samples, over random matrices and boards.

    Attributes:
        seed: of matrices and boards.
        n_boards: draws, each a matrix and a board of its own.
        rc: of a cell alone, us.
        quality: of a cell alone.
        tolerances: relative rms spread of components.
        bits: of capacitors to ground and of couplers, over their full range.
        colours: correlation time of the noise, in units of RC.
        qualities: at which the colour is tried.
        coils: series resistance of the coils, in units of R.
        adc_bits: of the converter; its range is four standard deviations.
        budget_tolerance: of all components, in the budget.
        budget_bits: of the capacitors, in the budget.
        budget_colour: correlation time, in the budget.
        budget_coil: series resistance, in the budget.
        budget_adc_bits: of the converter, in the budget.
        budget_amplifier: rms noise relative to the signal, in the budget.
    """

    seed: Seed = 0
    n_boards: Count = 64
    rc: Positive = 1.0
    quality: Positive = 1.0
    tolerances: Distinct[Positive] = (0.02, 0.05, 0.1, 0.2)
    bits: Distinct[Bits] = (1, 2, 3, 4, 5, 6)
    colours: Distinct[Positive] = (0.03, 0.1, 0.3, 1.0)
    qualities: Distinct[Positive] = (0.3, 1.0, 3.0)
    coils: Distinct[Positive] = (0.01, 0.03, 0.1, 0.3)
    adc_bits: Distinct[Bits] = (3, 4, 5, 6, 8, 10)
    budget_tolerance: Positive = 0.05
    budget_bits: Bits = 3
    budget_colour: Positive = 0.1
    budget_coil: Positive = 0.03
    budget_adc_bits: Bits = 6
    budget_amplifier: Positive = 0.1

    __post_init__ = check

    def base(self) -> Imperfections:
        """The board of the budget, with all imperfections together."""
        return Imperfections(
            batch=self.seed,
            rc=self.rc,
            quality=self.quality,
            **dict.fromkeys(imperfections.KINDS, self.budget_tolerance),
            bits=self.budget_bits,
            colour=self.budget_colour,
            coil=self.budget_coil,
            adc_bits=self.budget_adc_bits,
            amplifier=self.budget_amplifier,
        )


PRESETS = {
    "smoke": Config(
        n_boards=3,
        tolerances=(0.05, 0.1),
        bits=(2,),
        colours=(0.1,),
        qualities=(1.0,),
        coils=(0.1,),
        adc_bits=(4,),
    ),
    "large": Config(n_boards=1024),
}


def one_chip(point: Any, chip: Any, key: Any) -> dict[str, Any]:
    """The floor of board number `chip`, which has a matrix of its own: theory.

    Args:
        point: fields of `Imperfections`.
        chip: index of the board.
        key: not used: no sample is taken.

    Returns:
        Relative Frobenius errors of infinitely many samples: `floor`, and
        `fitted_floor` after the best single factor.
    """
    del key
    root = jr.key(point.batch)
    board, target = machine.nominal(
        jr.fold_in(root, chip), machine.N_CELLS, point.rc, point.quality
    )
    rms = Tolerances(**{k: getattr(point, k) for k in imperfections.KINDS})
    key_board = jr.fold_in(jr.fold_in(root, 1), chip)
    board = _afflicted(point, draw_board(key_board, _coarse(point, board), rms))
    floor, fitted = imperfections.floor(board, target, _added(point, target))
    return {"floor": floor, "fitted_floor": fitted}


def _coarse(point: Any, board: RLCBoard) -> RLCBoard:
    """With capacitors of so many bits, over the range that the matrices come from."""
    if point.bits is None:
        return board
    ground = imperfections.on_grid(board.ground_capacitance, 0.8, 1.2, point.bits)
    between = imperfections.on_grid(board.coupling, 0.0, 0.2, point.bits)
    return replace(board, coupling=between, ground_capacitance=ground)


def _afflicted(point: Any, board: RLCBoard) -> RLCBoard:
    """With coloured noise and coils that resist."""
    board = replace(board, coil_resistance=jnp.asarray(point.coil * point.rc))
    if point.colour is None:
        return board
    return replace(board, noise_correlation_time=jnp.asarray(point.colour * point.rc))


def _added(point: Any, target: jax.Array) -> jax.Array:
    """What reading adds to every variance, V^2."""
    rms = jnp.sqrt(jnp.max(jnp.diagonal(target)))
    scale = 4 * rms if point.full_scale is None else point.full_scale
    converter = Converter(
        bits=point.adc_bits,
        full_scale=None if point.adc_bits is None else scale,
        amplifier_noise=point.amplifier * scale / 4,
    )
    return jnp.asarray(converter.added_variance())


def run(config: Config, work: Work | None = None) -> xr.Dataset:
    """Every imperfection by Lyapunov's equation, and the slope of every component."""
    work = work or Work()
    parts = {
        "tolerances": _tolerances,
        "quantisation": _quantisation,
        "colour": _colour,
        "coils": _coils,
        "converter": _converter,
        "budget": _budget,
        "sensitivity": _sensitivity,
    }
    work.expect(len(parts))
    done = [work.part(name, partial(f, config)) for name, f in parts.items()]
    return xr.merge(done).assign_attrs(
        data=(
            "theory (Lyapunov), no sampling; ASSUMED: random M-matrices of 8 cells, "
            f"RC = {config.rc:g} us, Q = {config.quality:g}; bands: middle half of "
            f"{config.n_boards} boards; squares: the same by other code (derived, not "
            "published)"
        ),
    )


def _drawn(config: Config, quality: float | None = None):
    quality = config.quality if quality is None else quality
    key = jr.key(config.seed)
    return imperfections.nominal(key, config.n_boards, config.rc, quality)


def _dataset(name: str, dims: dict, values) -> xr.Dataset:
    """Floors over `dims`, then boards, then the two ways to look at them."""
    shape = (*map(len, dims.values()), -1, 2)
    values = np.reshape(np.stack(values), shape)
    coords = {**dims, "scaling": ["T* known", "T* fitted"]}
    return xr.Dataset({name: ((*dims, "board", "scaling"), values)}, coords)


def _tolerances(config: Config) -> xr.Dataset:
    (boards, targets), found = _drawn(config), []
    for kinds in SOURCES.values():
        for p in config.tolerances:
            rms = {k: p if k in kinds else 0.0 for k in imperfections.KINDS}
            key = jr.key(config.seed)
            real = imperfections.spread(key, boards, Tolerances(**rms))
            found.append(imperfections.floors(real, targets))
    dims = {"source": list(SOURCES), "tolerance": list(config.tolerances)}
    return _dataset("tolerance_error", dims, found)


def _quantisation(config: Config) -> xr.Dataset:
    boards, targets = _drawn(config)
    coarse = [imperfections.quantised(boards, b) for b in config.bits]
    found = [imperfections.floors(board, targets) for board in coarse]
    return _dataset("bits_error", {"bits": list(config.bits)}, found)


def _colour(config: Config) -> xr.Dataset:
    found = []
    for quality in config.qualities:
        boards, targets = _drawn(config, quality)
        for colour in config.colours:
            real = imperfections.coloured(boards, colour * config.rc)
            found.append(imperfections.floors(real, targets))
    dims = {"quality": list(config.qualities), "colour": list(config.colours)}
    return _dataset("colour_error", dims, found)


def _coils(config: Config) -> xr.Dataset:
    boards, targets = _drawn(config)
    real = [imperfections.resistive(boards, r * config.rc) for r in config.coils]
    found = [imperfections.floors(board, targets) for board in real]
    return _dataset("coil_error", {"coil": list(config.coils)}, found)


def _converter(config: Config) -> xr.Dataset:
    boards, targets = _drawn(config)
    added = [imperfections.read_noise(targets, b) for b in config.adc_bits]
    found = [imperfections.floors(boards, targets, v) for v in added]
    return _dataset("adc_bits_error", {"adc_bits": list(config.adc_bits)}, found)


def _budget(config: Config) -> xr.Dataset:
    """One imperfection after another, then all of them."""
    c, p = config, config.budget_tolerance
    boards, targets = _drawn(c)
    coloured = partial(imperfections.coloured, time=c.budget_colour * c.rc)
    resistive = partial(imperfections.resistive, resistance=c.budget_coil * c.rc)
    coarse = imperfections.quantised(boards, c.budget_bits)
    everywhere = Tolerances(**dict.fromkeys(imperfections.KINDS, p))
    real = imperfections.spread(jr.key(c.seed), boards, everywhere)
    made = imperfections.spread(jr.key(c.seed), coarse, everywhere)
    adc = imperfections.read_noise(targets, c.budget_adc_bits)
    amplifier = imperfections.read_noise(targets, None, c.budget_amplifier)
    cases = {
        f"all components {p:.0%}": (real, 0.0),
        f"{c.budget_bits}-bit capacitors": (coarse, 0.0),
        f"noise colour {c.budget_colour:g} RC": (coloured(boards), 0.0),
        f"coil resistance {c.budget_coil:g} R": (resistive(boards), 0.0),
        f"{c.budget_adc_bits}-bit converter": (boards, adc),
        f"amplifier noise {c.budget_amplifier:.0%}": (boards, amplifier),
        "all together": (coloured(resistive(made)), adc + amplifier),
    }
    found = [imperfections.floors(b, targets, extra) for b, extra in cases.values()]
    return _dataset("budget_error", {"imperfection": list(cases)}, found)


def _sensitivity(config: Config) -> xr.Dataset:
    """Relative change of the covariance per relative change of each component.

    One board's error under a small deviation of one component is that deviation times
    this; under independent ones of equal rms, that rms times the root of the sum of
    squares. Coil resistance counts in units of R.
    """
    boards, targets = _drawn(config)
    some = jax.tree.map(lambda x: x[: min(8, config.n_boards)], (boards, targets))

    def one(nominal):
        return slopes(nominal[0], nominal[1], config.rc)

    moved = jax.jit(partial(jax.lax.map, one))(some)
    capacitors = np.zeros((machine.N_CELLS, machine.N_CELLS))
    capacitors[np.triu_indices(machine.N_CELLS)] = np.asarray(moved["capacitors"])[0]
    whole = capacitors + np.triu(capacitors, 1).T
    kinds = ("resistors", "coils", "noise power", "coil resistance")
    squares = {k: np.sum(np.asarray(v) ** 2, -1).mean() for k, v in moved.items()}
    squares["C, R and noise"] = sum(
        squares[k] for k in ("capacitors", "resistors", "noise power")
    )
    return xr.Dataset(
        {
            "capacitor_slope": (("cell", "other"), whole),
            "slope": (("kind", "cell"), np.stack([moved[k][0] for k in kinds])),
            "root_square_slope": ("source", [squares[s] ** 0.5 for s in SOURCES]),
        },
        {"kind": list(kinds), "source": list(SOURCES)},
    )


def claims(dataset: xr.Dataset) -> list[Claim]:
    """None: nothing was published about the parts of the error."""
    del dataset
    return []
