"""Boards whose couplers and components to ground have only so many bits."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Key

from experiments.thermodynamic import machine
from thermo.circuits import AbstractBoard, program_precision
from thermo.circuits.units import Scalar

CIRCUITS = ("resistive", "capacitive", "op-amp", "rlc")


def on_grid(x: jax.Array, low: Scalar, high: Scalar, bits: Any) -> jax.Array:
    """The nearest of 2**bits equally spaced values; all but `x` may be traced too.

    Example:
        >>> on_grid(jnp.array([0.1, 0.8]), 0.0, 3.0, 2)
        Array([0., 1.], dtype=float32)
    """
    top = 2.0**bits - 1
    step = (high - low) / top
    return low + step * jnp.clip(jnp.round((x - low) / step), 0, top)


def _matrix(key, circuit: str):
    """An M-matrix; for op-amps a positive definite one with entries of both signs."""
    d = machine.N_CELLS
    if circuit != "op-amp":
        return machine.random_matrix(key, d)
    factor = jr.normal(key, (d, 4 * d)) / (4 * d) ** 0.5
    return factor @ factor.T + 0.5 * jnp.eye(d)


def program(
    key: Key[Array, ""], circuit: str, rc: float, bits: Scalar
) -> tuple[AbstractBoard, machine.Matrix]:
    """A board with components of so many bits, and the covariance wanted, V^2.

    Args:
        key: of the matrix.
        circuit: one of `CIRCUITS`.
        rc: of a cell alone, µs.
        bits: of couplers and components to ground.
    """
    matrix = _matrix(key, circuit)
    unit = 1.0 if circuit in ("capacitive", "rlc") else 1 / rc
    made = program_precision(
        matrix,
        circuit=circuit,
        temperature=unit,
        resistance=rc if circuit in ("rlc", "capacitive") else None,
        inductance=rc**2 if circuit == "rlc" else None,
        scale=unit,
        component_range=(0.0, float("inf")),
    )
    return _coarse(made.board, circuit, unit, bits), jnp.linalg.inv(matrix)


def _coarse(board, circuit: str, unit: float, bits):
    """Couplers, and what goes to ground, each on a grid over the range in use."""
    if circuit == "op-amp":
        mine = jnp.eye(board.n_cells, dtype=bool)
        diagonal = on_grid(board.conductance, 0.8 * unit, 2.6 * unit, bits)
        between = on_grid(board.conductance, -0.6 * unit, 0.6 * unit, bits)
        return replace(board, conductance=jnp.where(mine, diagonal, between))
    if circuit == "resistive":
        coupler = on_grid(board.coupling_conductance, 0.0, 0.2 * unit, bits)
        to_ground = 1 / on_grid(1 / board.resistance, 0.8 * unit, 1.2 * unit, bits)
        return replace(board, coupling_conductance=coupler, resistance=to_ground)
    return coarse_capacitors(board, unit, bits)


def coarse_capacitors(board: Any, unit: float, bits: Any) -> Any:
    """A board with capacitors on a grid over the range that matrices come from."""
    coupling = on_grid(board.coupling, 0.0, 0.2 * unit, bits)
    ground = on_grid(board.ground_capacitance, 0.8 * unit, 1.2 * unit, bits)
    return replace(board, coupling=coupling, ground_capacitance=ground)
