"""What each imperfection of a board costs, alone and together: theory, no sampling."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

from chipsweep import Keys
from experiments.claims import nothing_published as claims  # noqa: F401
from experiments.contract import Seeded, Sweep, listed, of_one_seed
from experiments.thermodynamic import errors, machine
from experiments.thermodynamic.coarse_board import coarse_capacitors
from experiments.thermodynamic.slopes import slopes
from experiments.thermodynamic.spu_error_budget_figure import plot as plot
from experiments.validate import (
    Bits,
    Checked,
    Count,
    Distinct,
    EffectiveBits,
    NonNegative,
    Positive,
)
from thermo.circuits import Converter, Tolerances, draw_board

DIMS: dict[str, tuple[str, ...]] = {}
REPRODUCES = "SPU: the floor that imperfections leave (no published figure)"

SOURCES = {
    "capacitors": ("capacitance",),
    "resistors": ("resistance",),
    "coils": ("inductance",),
    "noise power": ("noise",),
    "C, R and noise": ("capacitance", "resistance", "noise"),
}
"""What is spread, by the name in the figure."""


class Imperfections(Checked):
    """What is wrong with one board; any number may be swept.

    Attributes:
        rc: of a cell alone, µs.
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


class Config(Seeded):
    """Errors of infinitely many samples, over random matrices and boards.

    Attributes:
        n_boards: draws, each a matrix and a board of its own.
        rc: of a cell alone, µs.
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
    """The floor of one board of `Imperfections`: theory.

    The chip's key draws its matrix and its components.

    Returns:
        Relative Frobenius errors of infinitely many samples: `floor`, and
        `fitted_floor` after the best single factor.
    """
    del chip
    board, target = _nominal(point, keys)
    coarse = coarse_capacitors(board, 1.0, point.bits)
    rms = Tolerances(**{k: getattr(point, k) for k in machine.KINDS})
    made = draw_board(jr.split(keys.chip)[1], coarse, rms)
    colour = None if point.colour is None else jnp.asarray(point.colour * point.rc)
    coil = jnp.asarray(point.coil * point.rc)
    made = replace(made, coil_resistance=coil, noise_correlation_time=colour)
    covariance = errors.settled(made.linear())
    read = covariance + _added(point, target) * jnp.eye(len(target))
    return errors.floors(read, target)


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


def _added(point: Any, target: jax.Array) -> jax.Array:
    """What reading adds to every variance, V^2."""
    rms = jnp.sqrt(jnp.max(jnp.diagonal(target)))
    scale = 4 * rms if point.full_scale is None else point.full_scale
    noise = point.amplifier * scale / 4
    converter = Converter(bits=point.adc_bits, full_scale=scale, amplifier_noise=noise)
    return jnp.asarray(converter.added_variance())


def _panels(config: Config) -> xr.Dataset:
    """What is wrong at each point of each panel of the figure."""
    c, budget = config, _budget(config)
    spread = [[dict.fromkeys(f, t) for t in c.tolerances] for f in SOURCES.values()]
    colours = [[{"quality": q, "colour": t} for t in c.colours] for q in c.qualities]
    panels = {
        "tolerance_error": (("source", "tolerance"), spread),
        "bits_error": ("bits", [{"bits": n} for n in c.bits]),
        "colour_error": (("quality", "colour"), colours),
        "coil_error": ("coil", [{"coil": r} for r in c.coils]),
        "adc_bits_error": ("adc_bits", [{"adc_bits": n} for n in c.adc_bits]),
        "budget_error": ("imperfection", list(budget.values())),
    }
    labels = {"source": SOURCES, "tolerance": c.tolerances, "bits": c.bits}
    labels |= {"quality": c.qualities, "colour": c.colours, "coil": c.coils}
    labels |= {"adc_bits": c.adc_bits, "imperfection": budget}
    return xr.Dataset(panels, {dim: list(each) for dim, each in labels.items()})


def _budget(config: Config) -> dict[str, dict[str, float]]:
    """One imperfection after another, then all of them."""
    c, p = config, config.budget_tolerance
    alone = {
        f"all components {p:.0%}": dict.fromkeys(machine.KINDS, p),
        f"{c.budget_bits}-bit capacitors": {"bits": c.budget_bits},
        f"noise colour {c.budget_colour:g} RC": {"colour": c.budget_colour},
        f"coil resistance {c.budget_coil:g} R": {"coil": c.budget_coil},
        f"{c.budget_adc_bits}-bit converter": {"adc_bits": c.budget_adc_bits},
        f"amplifier noise {c.budget_amplifier:.0%}": {"amplifier": c.budget_amplifier},
    }
    together = {k: v for one in alone.values() for k, v in one.items()}
    return alone | {"all together": together}


def sweeps(config: Config) -> dict[str, Sweep]:
    """All floors, each colour of the noise a program; the slope of every component."""
    ideal = Imperfections(rc=config.rc, quality=config.quality)
    few, n = min(8, config.n_boards), config.n_boards
    panels = _panels(config).values()
    points = listed(ideal, [point for panel in panels for point in panel.values.flat])
    floors = config.sweep(simulate, ideal, **points, chips=n, chunk=n)
    return {"floors": floors, "slopes": config.sweep(sensitivity, ideal, chips=few)}


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """The floors of every panel, and what the slopes say of many components."""
    both = of_one_seed(found["floors"], "floor", "fitted_floor", chip="board")
    both = both.to_dataarray("scaling").transpose("point", "board", "scaling")
    rows, panels, floors = iter(both.to_numpy()), _panels(config), {}
    for name, panel in panels.items():
        each = [next(rows) for _ in range(panel.size)]
        values = np.reshape(each, (*panel.shape, -1, 2))
        floors[name] = (*panel.dims, "board", "scaling"), values
    scaling = {"scaling": ["temperature known", "temperature fitted"]}
    whole = panels.assign(floors).assign_coords(scaling)
    whole = whole.merge(_slopes(found["slopes"]))
    return whole.assign_attrs(
        data=(
            "theory (Lyapunov), no sampling; ASSUMED: random M-matrices of 8 cells, "
            f"RC = {config.rc:g} µs, Q = {config.quality:g}; bands: middle half of "
            f"{config.n_boards} boards; squares: the same by other code (derived, not "
            "published)"
        )
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
    half = moved["capacitance"][0]
    squares = {k: (v**2).sum() / len(v) for k, v in moved.items()}
    total = [sum(squares[k] for k in fields) ** 0.5 for fields in SOURCES.values()]
    return xr.Dataset(
        {
            "capacitor_slope": (("cell", "other"), half + np.triu(half, 1).T),
            "slope": (("kind", "cell"), np.stack([moved[k][0] for k in kinds])),
            "root_square_slope": ("source", total),
        },
        {"kind": list(kinds.values()), "source": list(SOURCES)},
    )
