"""The pulsed devices that can be fitted: what is free in each, and where to begin."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from eapu_jax.devices import ExponentialStep, Ferroelectric, LinearStep, SoftBounds
from eapu_jax.devices.base import Scalar
from eapu_jax.devices.pulsed import Pulsed
from eapu_jax.fitting.coordinates import Coordinate, falling, number, place, share, step


class Glance(NamedTuple):
    """What a straight line says of a train, in units of half the range.

    Attributes:
        up_low: step upwards at the lower end of the range.
        up_high: at the upper end.
        down_low: step downwards at the lower end of the range, positive.
        down_high: at the upper end.
        write_noise: standard deviation per pulse.
        read_noise: standard deviation of a reading.
    """

    up_low: Float[Array, ""]
    up_high: Float[Array, ""]
    down_low: Float[Array, ""]
    down_high: Float[Array, ""]
    write_noise: Float[Array, ""]
    read_noise: Float[Array, ""]


class Model(NamedTuple):
    """A family of devices, one of which is to be found.

    Attributes:
        kind: class of the device.
        free: the constants that are searched for.
        start: where the search begins, from a glance; units of half the range.
        fixed: the constants that are not.
    """

    kind: Callable[..., Pulsed]
    free: Mapping[str, Coordinate]
    start: Callable[[Glance], dict[str, Any]]
    fixed: Mapping[str, float] = {}

    @property
    def stopped(self) -> bool:
        """Whether a cell is told of its window only by being stopped at its ends."""
        return self.free["g_max"] is _WINDOW["g_max"]

    def values(self, u, middle: Scalar = 0.0, half: Scalar = 1.0) -> dict[str, Any]:
        """The free constants at a point of the search, by name; µS."""
        held = self.free.items()
        return {name: c.value(u[k], middle, half) for k, (name, c) in enumerate(held)}

    def device(self, values: Mapping[str, Any]) -> Pulsed:
        """The device that has these free constants."""
        return self.kind(**self.fixed, **values)

    def begin(self, glance: Glance) -> Float[Array, " p"]:
        """The point at which the search begins."""
        found = self.start(glance)
        return jnp.stack([c.back(found[name]) for name, c in self.free.items()])


_LEAST = 1e-3  # a step, as a share of half the range
_NOISE = {"write_noise": step(0.01), "read_noise": step(0.01)}
_STEPS = {"pulse": step(0.02), "down_ratio": number(1.0, 3.0)}
_LIMITS = {"g_min": place(-1.0, 3.0), "g_max": place(1.0, 3.0)}
_WINDOW = {"g_min": place(-1.0, 0.5), "g_max": place(1.0, 0.5)}
_SLOPES = {"slope_up": share(), "slope_down": share()}


def _noise(glance: Glance) -> dict[str, Any]:
    return {"write_noise": glance.write_noise, "read_noise": glance.read_noise}


def _middle(low, high):
    return jnp.maximum((low + high) / 2, _LEAST)


def _steps(glance: Glance) -> dict[str, Any]:
    up = _middle(glance.up_low, glance.up_high)
    down = _middle(glance.down_low, glance.down_high)
    return {"pulse": up, "down_ratio": down / up}


def _limits(glance: Glance) -> dict[str, Any]:
    """Where the lines of the steps cross zero, and the steps halfway between."""
    closing_up = jnp.clip((glance.up_low - glance.up_high) / 2, _LEAST, 0.5)
    closing_down = jnp.clip((glance.down_high - glance.down_low) / 2, _LEAST, 0.5)
    high = jnp.clip(-1 + glance.up_low / closing_up, 0.9, 6.0)
    low = -jnp.clip(-1 + glance.down_high / closing_down, 0.9, 6.0)
    up, down = closing_up * (high - low) / 2, closing_down * (high - low) / 2
    return {"g_min": low, "g_max": high, "pulse": up, "down_ratio": down / up}


def _ends(glance: Glance) -> dict[str, Any]:
    one = jnp.ones_like(glance.up_low)
    return {"g_min": -one, "g_max": one}


def _slopes(glance: Glance) -> dict[str, Any]:
    up = _middle(glance.up_low, glance.up_high)
    down = _middle(glance.down_low, glance.down_high)
    return {
        "slope_up": (glance.up_low - glance.up_high) / (2 * up),
        "slope_down": (glance.down_high - glance.down_low) / (2 * down),
    }


def _soft(glance: Glance) -> dict[str, Any]:
    return _noise(glance) | _limits(glance)


def _constant(glance: Glance) -> dict[str, Any]:
    return _noise(glance) | _steps(glance) | _ends(glance)


def _linear(glance: Glance) -> dict[str, Any]:
    return _constant(glance) | _slopes(glance)


def _exponential(glance: Glance) -> dict[str, Any]:
    """A step that has died off at the far end, and begins as the line does."""
    up = jnp.maximum(glance.up_high, glance.up_low / 5)
    down = jnp.maximum(glance.down_low, glance.down_high / 5)
    up, down = jnp.maximum(up, _LEAST), jnp.maximum(down, _LEAST)
    decay = jnp.full_like(up, 4.0)
    fall = jnp.exp(-decay / 2)
    rise_up = jnp.maximum(glance.up_low / up - 1, 0.2) * fall
    rise_down = jnp.maximum(glance.down_high / down - 1, 0.2) * fall
    shape = {"amplitude_up": -rise_up, "amplitude_down": -rise_down}
    shape |= {"decay_up": decay, "decay_down": decay}
    return _noise(glance) | _ends(glance) | shape | {
        "pulse": up, "down_ratio": down / up,
    }  # fmt: skip


def _ferroelectric(glance: Glance) -> dict[str, Any]:
    """Domains of which those that flip in a pulse make the noise that is seen."""
    found = _limits(glance)
    window, flipped = found["g_max"] - found["g_min"], found["pulse"]
    domains = window * flipped / 2 / jnp.square(glance.write_noise)
    return found | {"domains": domains + 1, "read_noise": glance.read_noise}


MODELS: Mapping[str, Model] = {
    "SoftBounds": Model(SoftBounds, _LIMITS | _STEPS | _NOISE, _soft),
    "ConstantStep": Model(
        LinearStep, _WINDOW | _STEPS | _NOISE, _constant,
        {"slope_up": 0.0, "slope_down": 0.0},
    ),
    "LinearStep": Model(LinearStep, _WINDOW | _STEPS | _SLOPES | _NOISE, _linear),
    "ExponentialStep": Model(
        ExponentialStep,
        _WINDOW | _STEPS | _NOISE
        | {"amplitude_up": falling(-0.1, 3.0), "amplitude_down": falling(-0.1, 3.0)}
        | {"decay_up": number(4.0, 1.0), "decay_down": number(4.0, 1.0)},
        _exponential,
        {"tilt": -0.5, "offset": 0.0},
    ),
    "Ferroelectric": Model(
        Ferroelectric,
        _LIMITS | _STEPS
        | {"domains": number(1000.0, 4.0), "read_noise": step(0.01)},
        _ferroelectric,
    ),
}  # fmt: skip
"""The families by name; one entry is all that a new one takes.

`LinearStep`, `ConstantStep` and `ExponentialStep` are straight across their window or
shaped relative to it: only a cell that has met an end of it says where it is, else the
range that was read is taken for it. Of `ExponentialStep`, data know only
$A\\,e^{\\gamma b}$ and $\\gamma a$: $a = -1/2$ and $b = 0$ are convention here.
"""
