"""What each imperfection of a board costs, alone and together: theory, no sampling."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

from chipsweep import Keys, Listed
from experiments.claims import Claim
from experiments.contract import Sweep
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
from thermo.circuits import Converter, RLCBoard, Tolerances, draw_board

DIMS: dict[str, tuple[str, ...]] = {}
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
        rc: of a cell alone, us.
        quality: of a cell alone.
        capacitance: relative rms spread of the capacitors.
        resistance: of the resistors.
        inductance: of the coils.
        noise: of the noise powers.
        bits: of capacitors to ground and of couplers; 24 are exact.
        colour: correlation time of the noise, in units of RC; white when None.
        coil: series resistance of the coils, in units of R.
        adc_bits: of the converter; 24 are exact.
        amplifier: rms noise, in standard deviations of the largest voltage.
        full_scale: range of the converter, V; four standard deviations of the
            board's largest voltage when None.
    """

    rc: Positive = 1.0
    quality: Positive = 1.0
    capacitance: NonNegative = 0.0
    resistance: NonNegative = 0.0
    inductance: NonNegative = 0.0
    noise: NonNegative = 0.0
    bits: EffectiveBits = 24.0
    colour: Positive | None = None
    coil: NonNegative = 0.0
    adc_bits: EffectiveBits = 24.0
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


def defaults(config: Config) -> Imperfections:
    """The board of the budget, with all imperfections together."""
    ideal = Imperfections(rc=config.rc, quality=config.quality)
    return replace(ideal, **_budget(config)["all together"])


def simulate(point: Any, chip: Any, keys: Keys) -> dict[str, Any]:
    """The floor of one board, which has a matrix of its own: theory.

    Args:
        point: fields of `Imperfections`.
        chip: not used: its key tells boards apart.
        keys: the chip's: its matrix and components.

    Returns:
        Relative Frobenius errors of infinitely many samples: `floor`, and
        `fitted_floor` after the best single factor.
    """
    del chip
    board, target = _nominal(point, keys)
    rms = Tolerances(**{k: getattr(point, k) for k in imperfections.KINDS})
    made = draw_board(jr.split(keys.chip)[1], _coarse(point, board), rms)
    floor, fitted = imperfections.floor(
        _afflicted(point, made), target, _added(point, target)
    )
    return {"floor": floor, "fitted_floor": fitted}


def sensitivity(point: Any, chip: Any, keys: Keys) -> dict[str, Any]:
    """The slopes of the board of `simulate` when nothing is wrong with it.

    One board's error under a small deviation of one component is that deviation times
    this; under independent ones of equal rms, that rms times the root of the sum of
    squares. Arguments as in `simulate`; for what is returned see `slopes`.
    """
    del chip
    board, target = _nominal(point, keys)
    return slopes(board, target, point.rc)


def _nominal(point: Any, keys: Keys) -> machine.Nominal:
    key = jr.split(keys.chip)[0]
    return machine.nominal(key, machine.N_CELLS, point.rc, point.quality)


def _coarse(point: Any, board: RLCBoard) -> RLCBoard:
    """With capacitors of so many bits, over the range that the matrices come from."""
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
        full_scale=scale,
        amplifier_noise=point.amplifier * scale / 4,
    )
    return jnp.asarray(converter.added_variance())


class _Cases(NamedTuple):
    """Floors of one panel of the figure.

    Attributes:
        dims: name -> labels, of the points.
        changes: field -> value, what is wrong at each point.
    """

    dims: Mapping[str, list[Any]]
    changes: list[dict[str, float]]


def _cases(config: Config) -> dict[str, _Cases]:
    """Variable -> its points, the last dimension fastest."""
    c, budget = config, _budget(config)
    spread = [dict.fromkeys(k, p) for k in SOURCES.values() for p in c.tolerances]
    colours = [{"quality": q, "colour": x} for q in c.qualities for x in c.colours]
    return {
        "tolerance_error": _Cases(
            {"source": list(SOURCES), "tolerance": list(c.tolerances)}, spread
        ),
        "bits_error": _Cases({"bits": list(c.bits)}, [{"bits": b} for b in c.bits]),
        "colour_error": _Cases(
            {"quality": list(c.qualities), "colour": list(c.colours)}, colours
        ),
        "coil_error": _Cases({"coil": list(c.coils)}, [{"coil": r} for r in c.coils]),
        "adc_bits_error": _Cases(
            {"adc_bits": list(c.adc_bits)}, [{"adc_bits": b} for b in c.adc_bits]
        ),
        "budget_error": _Cases({"imperfection": list(budget)}, list(budget.values())),
    }


def _budget(config: Config) -> dict[str, dict[str, float]]:
    """One imperfection after another, then all of them."""
    c, p = config, config.budget_tolerance
    alone = {
        f"all components {p:.0%}": dict.fromkeys(imperfections.KINDS, p),
        f"{c.budget_bits}-bit capacitors": {"bits": c.budget_bits},
        f"noise colour {c.budget_colour:g} RC": {"colour": c.budget_colour},
        f"coil resistance {c.budget_coil:g} R": {"coil": c.budget_coil},
        f"{c.budget_adc_bits}-bit converter": {"adc_bits": c.budget_adc_bits},
        f"amplifier noise {c.budget_amplifier:.0%}": {"amplifier": c.budget_amplifier},
    }
    return alone | {
        "all together": {k: v for a in alone.values() for k, v in a.items()}
    }


def sweeps(config: Config) -> dict[str, Sweep]:
    """All floors, those under coloured noise apart; the slope of every component."""
    ideal = Imperfections(rc=config.rc, quality=config.quality)
    changes = [one for cases in _cases(config).values() for one in cases.changes]
    few = min(8, config.n_boards)
    slope = Sweep(simulate=sensitivity, base=ideal, chips=few, key=config.seed)
    n = config.n_boards
    whole = replace(slope, simulate=simulate, chips=n, chunk=n)
    coloured = [one for one in changes if "colour" in one]
    white = [one for one in changes if "colour" not in one]
    return {
        "white": replace(whole, **_listed(ideal, white)),
        "coloured": replace(whole, **_listed(ideal, coloured)),
        "slopes": slope,
    }


def _listed(ideal: Imperfections, changes: list[dict[str, float]]) -> dict[str, Any]:
    """Axes and design: an ideal board with these changes, one after another."""
    fields = list(dict.fromkeys(name for one in changes for name in one))
    points = [{f: one.get(f, getattr(ideal, f)) for f in fields} for one in changes]
    axes = {f: list(dict.fromkeys(p[f] for p in points)) for f in fields}
    return {"axes": axes, "design": Listed(tuple(points))}


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """The floors of every panel, and what the slopes say of many components."""
    rows = {}
    for name in ("white", "coloured"):
        both = [found[name][k].isel(seed=0) for k in ("floor", "fitted_floor")]
        rows[name] = iter(np.stack([b.transpose("point", "chip") for b in both], -1))
    floors = {}
    for name, (dims, changes) in _cases(config).items():
        each = [next(rows["coloured" if "colour" in c else "white"]) for c in changes]
        values = np.reshape(each, (*map(len, dims.values()), -1, 2))
        floors[name] = xr.DataArray(values, dims, (*dims, "board", "scaling"))
    scaling = {"scaling": ["T* known", "T* fitted"]}
    whole = xr.merge([xr.Dataset(floors, scaling), _slopes(found["slopes"])])
    return whole.assign_attrs(
        data=(
            "theory (Lyapunov), no sampling; ASSUMED: random M-matrices of 8 cells, "
            f"RC = {config.rc:g} us, Q = {config.quality:g}; bands: middle half of "
            f"{config.n_boards} boards; squares: the same by other code (derived, not "
            "published)"
        ),
    )


def _slopes(found: xr.Dataset) -> xr.Dataset:
    """The slopes of one board; over all of them, the root of the sum of squares."""
    kinds = {
        "resistance": "resistors",
        "inductance": "coils",
        "noise": "noise power",
        "coil_resistance": "coil resistance",
    }
    moved = {k: found[k].isel(seed=0).to_numpy() for k in ("capacitance", *kinds)}
    capacitors = np.zeros((machine.N_CELLS, machine.N_CELLS))
    capacitors[np.triu_indices(machine.N_CELLS)] = moved["capacitance"][0]
    squares = {k: np.sum(v**2, -1).mean() for k, v in moved.items()}
    total = [sum(squares[k] for k in fields) ** 0.5 for fields in SOURCES.values()]
    return xr.Dataset(
        {
            "capacitor_slope": (
                ("cell", "other"),
                capacitors + np.triu(capacitors, 1).T,
            ),
            "slope": (("kind", "cell"), np.stack([moved[k][0] for k in kinds])),
            "root_square_slope": ("source", total),
        },
        {"kind": list(kinds.values()), "source": list(SOURCES)},
    )


def claims(dataset: xr.Dataset) -> list[Claim]:
    """None: nothing was published about the parts of the error."""
    del dataset
    return []
