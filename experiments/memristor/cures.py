"""A network that is written onto a chip which drifts, and what is done about it.

Three cures that a retelling names for RRAM of UC San Diego, differential pairs,
closed-loop calibration and redundancy (they are NOT in the source that it names), and
two rivals that write nothing: one digital factor per layer, and two vectors.

- A single cell is held against a fixed reference in the middle of the window; a pair
  carries a weight on one of its cells, the other rests at the least conductance.
- Calibration reads every cell, and writes those anew that are off by more than a
  tolerance; so does nobody else.
- Redundancy is copies of every cell, whose mean counts.

Weights fill the window: the largest of a layer just fits (nothing is clipped).
"""

from dataclasses import replace
from typing import Annotated, Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr

import eapu_jax as ej
from eapu_jax import array
from eapu_jax.crossbar import crossbars_at
from eapu_jax.ledger import record
from eapu_jax.placement import on_array
from experiments.memristor.aging import chip_of, device_of
from experiments.validate import one_of


class Cure(NamedTuple):
    """What is done about drift.

    Attributes:
        pair: two cells per weight, not one against a fixed reference.
        redundant: every cell several times.
        calibrated: cells that are off are written anew.
    """

    pair: bool = False
    redundant: bool = False
    calibrated: bool = False


CURES = {
    "none": Cure(),
    "pair": Cure(pair=True),
    "redundancy": Cure(redundant=True),
    "calibration": Cure(calibrated=True),
    "all": Cure(pair=True, redundant=True, calibrated=True),
}
"""By name; rivals stand on each of them."""

CureName = Annotated[str, one_of(*CURES)]


def nominal(point: Any) -> ej.Crossbar:
    """The array of a cure, before any chip strays from it."""
    device, cure = device_of(point), CURES[point.cure]
    span = device.g_max - device.g_min
    if cure.pair:
        encoding, window = ej.DifferentialPair(rest=device.g_min), span
    else:
        encoding = ej.SingleCell(reference=device.g_min + span / 2)
        window = span / 2
    if cure.redundant:
        encoding = ej.Redundant(within=encoding, copies=point.copies)
    return ej.Crossbar(
        device=device, encoding=encoding, r_wg=ej.AbsmaxRange(window=window)
    )


def hardware(key: jax.Array, point: Any, params: Any) -> dict[str, ej.Crossbar]:
    """The crossbar of every layer of one chip, its scale fitted to the weights."""
    leaves = on_array(params)
    at = crossbars_at(chip_of(key, point, nominal(point), params), list(leaves))
    return {p: replace(at[p], r_wg=at[p].fit(w)) for p, w in leaves.items()}


def programmed(
    key: jax.Array, chip: dict[str, ej.Crossbar], wanted: dict[str, jax.Array]
) -> dict[str, ej.ArrayState]:
    """Fresh arrays, on which every cell that must move was written once."""
    found = {}
    for n, (path, w) in enumerate(wanted.items()):
        fresh, pulsed = jr.split(jr.fold_in(key, n))
        blank = array.deploy_one(fresh, chip[path], jnp.zeros_like(w))
        stands = chip[path].conductance(blank.cells)
        found[path] = _rewritten(pulsed, chip[path], blank, w, stands, 0.0)
    return found


def calibrated(
    key: jax.Array, chip: dict, wanted: dict, held: dict, tolerance: Any
) -> dict[str, ej.ArrayState]:
    """The arrays, each of their cells read, and written anew where it was off."""
    found = {}
    for n, (path, w) in enumerate(wanted.items()):
        read, pulsed = jr.split(jr.fold_in(key, n))
        device = chip[path].device
        seen = device.read(read, held[path].cells)
        allowed = tolerance * (device.g_max - device.g_min)
        found[path] = _rewritten(pulsed, chip[path], held[path], w, seen, allowed)
    return found


def _rewritten(key, crossbar, state, w, seen, allowed) -> ej.ArrayState:
    """The array, its cells that were seen off by more than `allowed` (µS) written."""
    missing = crossbar.encoding.to_cells(w, state.scale) - seen
    dg = jnp.where(jnp.abs(missing) > allowed, missing, 0)
    cells, pulses = crossbar.device.write(key, state.cells, dg)
    return state._replace(cells=cells, ledger=record(state.ledger, pulses))
