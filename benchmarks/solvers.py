"""Solvers of diffrax on the RLC board: cost of one step, against the exact map's."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.random as jr

from benchmarks.clock import interleaved, row
from experiments.thermodynamic.solvers import EXACT, SOLVERS, nominal, system, voltages
from experiments.thermodynamic.spu_solvers import Simulation

CHIPS, SAMPLES, STEPS = 64, 1000, 4


def rows() -> list[dict[str, Any]]:
    """One line per solver; the exact map takes one step per sample, at any bias."""
    keys = jr.split(jr.key(0), CHIPS)
    runs = {name: partial(_run(name), keys) for name in (EXACT, *SOLVERS)}
    took = interleaved(runs, 5)
    per = took[EXACT] / (CHIPS * SAMPLES)
    lines = [row("Exact map, one chip-step", 1e6 * per, "core-us")]
    for name in SOLVERS:
        step = took[name] / took[EXACT] / STEPS
        lines.append(row(f"{name}, one chip-step over the exact map's", step, "x"))
    return lines


def _run(name: str) -> Callable[[jax.Array], jax.Array]:
    """Many chips side by side on an ideal board."""
    point = Simulation(solver=name, n_samples=SAMPLES, steps=STEPS)
    made = system(name, nominal(point.batch, point.quality).board, point.interval)
    return jax.jit(jax.vmap(lambda key: voltages(key, made, point)))
