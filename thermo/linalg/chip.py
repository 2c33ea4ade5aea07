"""One real array: what its components make of the matrix that it is asked to hold."""

from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from thermo import checks
from thermo.circuits import OpAmpBoard, Tolerances, draw_board
from thermo.circuits.imperfections import MOST_BITS, nearest
from thermo.counts import check_count


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Chip:
    r"""An array of amplifiers whose components are off: any matrix that it is given.

    Asked for $\mathrm dx = (b - A x)\,\mathrm dt + N\,\mathrm dW$ it runs

    $$ c_i\,\mathrm dx_i = \Bigl(b_i - \sum_j g_{ij} A'_{ij} x_j\Bigr)\mathrm dt
       + \sum_k N_{ik} \sqrt{\kappa_k}\,\mathrm dW_k $$

    with A' the nearest matrix of `bits` bits an entry. Drawn by `draw_chip`.

    Attributes:
        conductance: g, size of each resistor relative to what was asked for, `(n, n)`.
        capacitance: c, likewise, `(n,)`.
        noise: kappa, noise power likewise, `(n,)`.
        bits: of an entry, sign included, over the range of the largest; None is any
            value.
    """

    conductance: jax.Array
    capacitance: jax.Array
    noise: jax.Array
    bits: int | None = field(default=None, metadata={"static": True})


def draw_chip(
    key: Key[Array, ""], size: int, tolerances: Tolerances, *, bits: int | None = None
) -> Chip:
    """A chip whose components are drawn, each off by its own random factor.

    As `thermo.draw_board` draws an op-amp board: a coupler $g_{ij} = g_{ji}$ is one
    component. `vmap` over keys makes many.

    Args:
        key: random key.
        size: n.
        tolerances: relative, of resistors, capacitors and noise powers.
        bits: of each entry of a matrix; None is any value.

    Raises:
        ValueError: naming what is wrong with an argument.

    Example:
        >>> import jax
        >>> from thermo import Tolerances
        >>> chip = draw_chip(jax.random.key(0), 2, Tolerances(resistance=0.1))
        >>> bool((chip.conductance == chip.conductance.T).all())
        True
        >>> chip.capacitance
        Array([1., 1.], dtype=float32)
    """
    check_count("size", size)
    check_bits(bits)
    one = jnp.ones(size)
    nominal = OpAmpBoard(
        conductance=jnp.ones((size, size)), ground_capacitance=one, noise=one
    )
    made = draw_board(key, nominal, tolerances)
    return Chip(
        conductance=made.conductance,
        capacitance=made.ground_capacitance,
        noise=made.noise,
        bits=bits,
    )


def checked_chip(chip: Any, n: int) -> Chip:
    """A chip of n cells, refused if it is none; the ideal one for None."""
    if chip is None:
        one = jnp.ones(n, jnp.float32)
        return Chip(conductance=jnp.ones((n, n), one.dtype), capacitance=one, noise=one)
    if not isinstance(chip, Chip):
        raise ValueError(f"chip = {chip!r:.60}: must be a Chip.")
    shapes = {"conductance": (n, n), "capacitance": (n,), "noise": (n,)}
    for name, shape in shapes.items():
        checks.shaped(f"chip.{name}", getattr(chip, name), shape, beside="matrix")
        checks.positive(f"chip.{name}", getattr(chip, name))
    check_bits(chip.bits, "chip.bits")
    return chip


def check_bits(bits: Any, name: str = "bits") -> None:
    """Refuse what is no number of bits of a signed entry."""
    if bits is None:
        return
    check_count(name, bits, 2)
    if bits > MOST_BITS:
        raise ValueError(f"{name} = {bits}: must be at most {MOST_BITS}.")


def conductances(
    matrix: Float[Array, "n n"], gain: Float[Array, "n n"], bits: int | None
) -> Float[Array, "n n"]:
    """What the chip holds of a matrix, in the unit of the matrix."""
    if bits is not None:
        unit = jnp.linspace(-1.0, 1.0, 2**bits - 1, dtype=matrix.dtype)
        matrix = nearest(matrix, jnp.max(jnp.abs(matrix)) * unit)
    return matrix * gain


def equation(
    matrix: Float[Array, "n n"],
    noise: Float[Array, "n n"],
    chip: tuple[Array, Array, Array],
    bits: int | None,
) -> tuple[Float[Array, "n n"], Float[Array, "n n"]]:
    """Drift and noise factor of the chip that is asked for a drift and a factor."""
    gain, capacitance, power = chip
    drift = conductances(matrix, gain, bits) / capacitance[:, None]
    return drift, noise * jnp.sqrt(power)[None, :] / capacitance[:, None]


__all__ = ["Chip", "draw_chip"]
