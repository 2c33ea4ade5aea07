"""What can be wrong with a board, and the error that it leaves for ever.

Populations: every leaf of `boards` has a leading board axis.
"""

import dataclasses
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from experiments.thermodynamic import errors, machine
from thermo import exact
from thermo.circuits import (
    Converter,
    RLCBoard,
    Tolerances,
    draw_board,
    quantise,
    uniform_levels,
)

KINDS = tuple(field.name for field in dataclasses.fields(Tolerances))
"""Of component."""


@partial(jax.jit, static_argnames=("n", "rc"))
def nominal(
    key: Key[Array, ""], n: int, rc: float, quality: jax.Array | float
) -> machine.Nominal:
    """Boards of `n` random matrices, and the covariances they should have.

    Args:
        key: of the matrices.
        n: boards.
        rc: of a cell alone, us.
        quality: of a cell alone.
    """

    def one(key):
        return machine.nominal(key, machine.N_CELLS, rc, quality)

    return jax.vmap(one)(jr.split(key, n))


@jax.jit
def spread(key: Key[Array, ""], boards: RLCBoard, tolerances: Tolerances) -> RLCBoard:
    """Each board with components off at random."""
    keys = jr.split(jr.fold_in(key, 1), len(boards.noise))
    return jax.vmap(draw_board, (0, 0, None))(keys, boards, tolerances)


def quantised(boards: RLCBoard, bits: int) -> RLCBoard:
    """Capacitors of 2**bits values over the range that the matrices come from."""
    between, ground = uniform_levels(0.0, 0.2, bits), uniform_levels(0.8, 1.2, bits)
    return jax.jit(partial(quantise, coupling=between, ground=ground))(boards)


def coloured(boards: RLCBoard, time: float) -> RLCBoard:
    """Noise with a correlation time, us."""
    times = jnp.full(len(boards.noise), time)
    return replace(boards, noise_correlation_time=times)


def resistive(boards: RLCBoard, resistance: float) -> RLCBoard:
    """Coils with a series resistance, kOhm."""
    return replace(boards, coil_resistance=jnp.full(len(boards.noise), resistance))


def read_noise(
    targets: Float[Array, "boards d d"], bits: int | None, amplifier: float = 0.0
) -> float:
    """V^2 that reading adds; the range is four standard deviations of the largest.

    Args:
        targets: covariances of the voltages, V^2.
        bits: of the converter; None is an ideal one.
        amplifier: rms noise, in standard deviations of the largest voltage.
    """
    rms = float(jnp.sqrt(jnp.max(targets)))
    converter = Converter(
        bits=bits,
        full_scale=None if bits is None else 4 * rms,
        amplifier_noise=amplifier * rms,
    )
    return float(converter.added_variance())


def on_grid(
    x: jax.Array, low: jax.Array | float, high: jax.Array | float, bits: Any
) -> jax.Array:
    """The nearest of 2**bits equally spaced values; all but `x` may be traced too.

    Example:
        >>> on_grid(jnp.array([0.1, 0.8]), 0.0, 3.0, 2)
        Array([0., 1.], dtype=float32)
    """
    top = 2.0**bits - 1
    step = (high - low) / top
    return low + step * jnp.clip(jnp.round((x - low) / step), 0, top)


def floor(
    board: RLCBoard, target: Float[Array, "d d"], added: jax.Array | float = 0.0
) -> Float[Array, "2"]:
    """Error of infinitely many samples: raw, and after the best single factor.

    Args:
        board: as it is.
        target: covariance of the voltages that was wanted, V^2.
        added: what the read-out adds to every variance, V^2.
    """
    form = board.linear()
    states = exact.lyapunov(form.drift, form.diffusion)
    covariance = form.readout @ states @ form.readout.T
    covariance = covariance + added * jnp.eye(len(target))
    fitted = errors.best_scale(covariance, target) * covariance
    return jnp.stack([errors.relative_error(c, target) for c in (covariance, fitted)])


@jax.jit
def floors(
    boards: RLCBoard,
    targets: Float[Array, "boards d d"],
    added: jax.Array | float = 0.0,
) -> Float[Array, "boards 2"]:
    """The `floor` of every board."""
    return jax.vmap(floor, (0, 0, None))(boards, targets, added)
