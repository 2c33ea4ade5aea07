"""From numbers to voltages, and from currents to numbers."""

from dataclasses import field
from typing import Any

import jax
import jax.numpy as jnp

from eapu_jax.checks import quantity, whole
from eapu_jax.constants import constants
from eapu_jax.devices.base import Scalar


@constants
class Dac:
    r"""Digital to analog: inputs become voltages of a few levels.

    $$ v = Q\left(x / C\right) \in [-1, 1] $$

    Voltages are normalised: the largest the converter can give is 1 V. $C$ is either
    fixed, and larger inputs are clipped; or it is the largest input of every vector
    (alignment, as in arXiv 2609.36584), multiplied back after the product.

    Attributes:
        bits: of the input code, 2 to 24; None: infinitely fine.
        full_scale: $C$ in the unit of $x$; None: aligned to every vector.
    """

    bits: int | None = field(default=8, metadata={"static": True})
    full_scale: Scalar | None = quantity(None, above=0)

    def __check__(self):
        check_bits("Dac.bits", self.bits)

    def convert(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Voltages (V), and the $C$ of every vector; vectors lie on the last axis."""
        if self.full_scale is None:
            largest = jnp.max(jnp.abs(x), axis=-1, keepdims=True, initial=0)
            c = jax.lax.stop_gradient(jnp.where(largest > 0, largest, 1))
        else:
            c = jnp.full((*x.shape[:-1], 1), self.full_scale, x.dtype)
        v = x / c
        rail = jnp.ones((), x.dtype)
        return (within(v, rail) if self.bits is None
                else quantise(v, self.bits, rail)), c  # fmt: skip


@constants
class Adc:
    r"""Analog to digital: currents become numbers between two rails.

    Attributes:
        bits: of the output code, 2 to 24; None: infinitely fine, rails alone.
        rail: the largest current it resolves, µA (µS of cell times normalised V),
            one number, or one per column; a leaf, so that it can be learnt.
    """

    bits: int | None = field(default=9, metadata={"static": True})
    rail: Scalar = quantity(480.0, above=0)

    def __check__(self):
        check_bits("Adc.bits", self.bits)

    def convert(self, current: jax.Array) -> jax.Array:
        """The currents as the digital side sees them, µA."""
        rail = jnp.asarray(self.rail, current.dtype)
        rail = jnp.broadcast_to(rail, current.shape)
        if self.bits is None:
            return within(current, rail)
        return quantise(current, self.bits, rail)


def quantise(x: jax.Array, bits: int, rail: jax.Array) -> jax.Array:
    r"""The nearest of $2^b - 1$ evenly spaced levels from -rail to rail.

    One code of the $2^b$ is left unused, so that 0 and both rails are levels and the
    error inside is at most half a step, $r / (2^b - 2)$. Ties go to the even level.
    Straight-through: the derivative is 1 inside the rails and 0 beyond; that in the
    rail counts the rounding of each level, too, so that rails can be learnt.

    Example:
        >>> import jax.numpy as jnp
        >>> x = jnp.array([-2.0, -0.3, 0.0, 0.5, 0.8])
        >>> quantise(x, 2, jnp.ones(())).tolist()
        [-1.0, 0.0, 0.0, 0.0, 1.0]
    """
    step = rail / (2 ** (bits - 1) - 1)
    level = within(x, rail) / step
    rounded = level + jax.lax.stop_gradient(jnp.round(level) - level)
    return step * rounded


def within(x: jax.Array, rail: jax.Array) -> jax.Array:
    """Clipped; on a rail, where aligned inputs lie, the slope is still 1."""
    return jnp.where(jnp.abs(x) <= rail, x, jnp.sign(x) * rail)


def check_bits(name: str, bits: Any) -> None:
    """Refuse a number of bits that is no whole number from 2 to 24."""
    if bits is None:
        return
    if isinstance(bits, bool):
        raise ValueError(f"{name} must be a whole number, got {bits}")
    whole(name, bits, at_least=2)
    if bits > 24:
        raise ValueError(
            f"{name} must be <= 24, what single precision resolves, got {bits}"
        )
