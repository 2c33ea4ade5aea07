"""A board, its twin on paper, and the board set anew as the twin says.

The twin is identified from voltages alone, and from one resistor that was measured by
hand: voltages have no absolute impedance.
"""

from dataclasses import fields
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from chipsweep.replicate import keys_of
from experiments.thermodynamic import errors, machine, one_board
from experiments.validate import Seed
from thermo import propagate
from thermo.circuits import RLCBoard
from thermo.identify import calibrated, identify_spectra
from thermo.identify.components import components

MEASURED = "resistance[0]"
"""By hand."""
KINDS = machine.KINDS
"""Of component, each with a tolerance."""
_RECORD = 1 << 20
"""Folded into a chip's key for its record: far from the numbers of its other draws."""


class Twin(one_board.Run):
    """One run of a board, a record of it, and a run of it as set anew.

    Attributes:
        root: of the random draws; with it a board is that of `simulate`.
        n_record: samples from which the twin is identified (structural).
    """

    root: Seed = 0
    n_record: int = 4 * machine.N_SAMPLES


def outputs(size: int, n_samples: int) -> dict[str, Any]:
    """What `twin` returns, by shape."""
    lengths, n = len(errors.stretches(n_samples)), n_components(size)
    one = ("floor_before", "floor", "predicted", "predicted_before", "residual")
    one += ("statistical", "predicted_statistical")
    each = ("true_factor", "found_factor", "standard_error")
    many: dict[str, Any] = {name: (float, (n,)) for name in each}
    many["tolerance_true"] = (float, (len(KINDS),))
    many["tolerance_found"] = (float, (len(KINDS), 3))
    return {"error": (float, (lengths,))} | dict.fromkeys(one, float) | many


def n_components(size: int) -> int:
    """Sought in a board of so many cells: but for one, all of them."""
    return size * (size - 1) // 2 + 4 * size - 1


def twin(point: Any, chip: int, rng: Any) -> dict[str, Any]:
    """Identify one board from a record, set it anew and run it again.

    Plain Python, in double precision but for the runs.

    Returns:
        `error` of the board as set anew, rms over disjoint stretches, `(lengths,)`;
        its true `floor_before` and `floor`, what the twin `predicted` of them (with
        the `residual` that no capacitor cures), the `statistical` part at `n_samples`
        and what was predicted of that; of each component the logarithm of its
        `true_factor`, the one that was found, its standard error, `(n,)`; of each kind
        the rms of these, `(kinds,)`, the tolerance that was found and its 95 %
        interval, `(kinds, 3)`.
    """
    del rng
    keys = keys_of(jr.key(point.root), point.seed, chip)
    drawn = machine.nominal(
        keys.seed, point.size, point.rc, point.quality, point.coupling
    )
    real, target = one_board.board_of(point, keys)
    paper = _measured_by_hand(drawn.board, real)
    v = record(jr.fold_in(keys.chip, _RECORD), real, point.n_record, point.interval)
    found = identify_spectra(paper, v, point.interval, known=(MEASURED,))
    better = calibrated(paper, found, target)
    after = set_anew(real, paper, better.board)
    run = _run(point.n_samples, point.interval)
    key = jr.split(keys.chip)[1]
    seen = jax.tree.map(np.asarray, run(key, after, target))
    return {
        "error": seen["error"],
        "floor_before": _floor(real, target),
        "floor": seen["floor"],
        "predicted_before": better.floor_before,
        "predicted": better.floor,
        "residual": better.residual,
        "statistical": seen["statistical"][-3],
        "predicted_statistical": better.statistical(point.interval, point.n_samples),
        "true_factor": true_factors(real, paper),
        "found_factor": found.log_factors,
        "standard_error": found.standard_errors,
        "tolerance_true": true_tolerances(real, paper),
        "tolerance_found": tolerances(found),
    }


def record(key: Any, board: Any, n: int, dt: float) -> np.ndarray:
    """Voltages of a board, V, `(n, d)`."""
    return np.asarray(propagate.trajectory(key, propagate.propagator(board, dt), n))


def set_anew(real: RLCBoard, paper: RLCBoard, setting: Any) -> RLCBoard:
    """The real board at another setting: each component off by the same factor."""

    def one(is_, was, now):
        was, now = np.asarray(was, float), np.asarray(now, float)
        there = was > 0
        made = np.where(there, np.asarray(is_, float) / np.where(there, was, 1), 1)
        return jnp.asarray(made * now, jnp.float32)

    return jax.tree.map(one, real, paper, setting)


def true_factors(real: RLCBoard, paper: RLCBoard) -> np.ndarray:
    """Logarithms of what components are over what they are on paper."""
    sought = components([paper], (MEASURED,))
    both = [
        [np.asarray(getattr(board, c.field), float)[c.place] for c in sought]
        for board in (real, paper)
    ]
    return np.log(both[0]) - np.log(both[1])


def true_tolerances(real: RLCBoard, paper: RLCBoard) -> np.ndarray:
    """Rms of the true factors of each kind, `(kinds,)`."""
    of = [paper.component_kinds[c.field] for c in components([paper], (MEASURED,))]
    square = true_factors(real, paper) ** 2
    return np.array([np.sqrt(square[np.array(of) == kind].mean()) for kind in KINDS])


def tolerances(found: Any) -> np.ndarray:
    """Of each kind, `(kinds, 3)`: estimate, low and high end of 95 %."""
    told = found.tolerances()
    return np.array([told.get(kind, (np.nan,) * 3) for kind in KINDS])


def _measured_by_hand(paper: RLCBoard, real: RLCBoard) -> RLCBoard:
    values = {field.name: getattr(paper, field.name) for field in fields(paper)}
    values["resistance"] = values["resistance"].at[0].set(real.resistance[0])
    return RLCBoard(**values)


def _floor(board: RLCBoard, target: Any) -> np.ndarray:
    return np.asarray(errors.floors(errors.settled(board.linear()), target)["floor"])


@cache
def _run(n_samples: int, interval: float) -> Any:
    """One run of a board, compiled once."""
    point = one_board.Run(n_samples=n_samples, interval=interval)

    def run(key, board, target):
        return one_board.measured(key, board, target, point)

    return jax.jit(run)
