"""Constants of a device as numbers without bounds, which a search may move freely."""

import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from eapu_jax.devices.base import Scalar


class Coordinate(NamedTuple):
    r"""How one constant is searched for: by kind, and with a weak prior.

    With the middle $c$ and half the width $h$ of the range that was read, a
    coordinate $u$ stands for

    - "place": a conductance, $c + h u$,
    - "step": a change of conductance, $h\,e^u$,
    - "number": $e^u$; "falling": $-e^u$,
    - "share": $1 / (1 + e^{-u})$, from 0 to 1.

    The prior is a Gaussian in $u$, wide beside what any data say that say something;
    it only keeps a constant of which they say nothing from running away. ASSUMED.

    Attributes:
        kind: of the constant.
        centre: of the prior.
        width: its standard deviation.
    """

    kind: str
    centre: float
    width: float

    def value(self, u, middle: Scalar = 0.0, half: Scalar = 1.0):
        """The constant, in µS where it has a unit."""
        return _KINDS[self.kind].value(u, middle, half)

    def back(self, value):
        """The coordinate of a constant, in units of half the range about its middle.

        Example:
            >>> import jax.numpy as jnp
            >>> share = Coordinate("share", 0.0, 2.0)
            >>> round(float(share.value(share.back(jnp.array(0.3)))), 6)
            0.3
        """
        return _KINDS[self.kind].back(value)

    def interval(self, value, error, sigmas: float):
        """Ends of the interval about a constant: even in its coordinate.

        Example:
            >>> import numpy as np
            >>> low, high = number(1.0, 1.0).interval(np.array(2.0), np.array(0.2), 2.0)
            >>> round(float(low), 3), round(float(high), 3)
            (1.637, 2.443)
        """
        kind = _KINDS[self.kind]
        with np.errstate(invalid="ignore", divide="ignore"):
            u, off = kind.plain(value), sigmas * error * kind.slope(value)
            ends = kind.unplain(u - off), kind.unplain(u + off)
        return np.minimum(*ends), np.maximum(*ends)


class _Kind(NamedTuple):
    """One kind of constant: in jax in half ranges, in numpy in its own unit."""

    value: Callable
    back: Callable
    plain: Callable
    slope: Callable
    unplain: Callable


_SMALLEST = 1e-12


def _log(value):
    return jnp.log(jnp.maximum(value, _SMALLEST))


def _logit(value):
    inside = jnp.clip(value, 0.01, 0.99)
    return jnp.log(inside) - jnp.log1p(-inside)


def _same(value):
    return value


def _reciprocal(value):
    return 1 / np.abs(value)


_KINDS = {
    "place": _Kind(lambda u, c, h: c + h * u, _same, _same, np.ones_like, _same),
    "step": _Kind(lambda u, c, h: h * jnp.exp(u), _log, np.log, _reciprocal, np.exp),
    "number": _Kind(lambda u, c, h: jnp.exp(u), _log, np.log, _reciprocal, np.exp),
    "falling": _Kind(
        lambda u, c, h: -jnp.exp(u), lambda v: _log(-v),
        lambda v: np.log(-v), _reciprocal, lambda u: -np.exp(u),
    ),
    "share": _Kind(
        lambda u, c, h: jax.nn.sigmoid(u), _logit,
        lambda v: np.log(v / (1 - v)), lambda v: 1 / (v * (1 - v)),
        lambda u: 1 / (1 + np.exp(-u)),
    ),
}  # fmt: skip


def place(centre: float, width: float) -> Coordinate:
    """A conductance, in units of half the range about its middle."""
    return Coordinate("place", centre, width)


def step(share: float) -> Coordinate:
    """A change of conductance of about this share of half the range."""
    return Coordinate("step", math.log(share), 4.0)


def number(about: float, width: float) -> Coordinate:
    """A positive number without a unit, within a factor of about e to the width."""
    return Coordinate("number", math.log(about), width)


def falling(about: float, width: float) -> Coordinate:
    """A negative number without a unit."""
    return Coordinate("falling", math.log(-about), width)


def share() -> Coordinate:
    """A number from 0 to 1, about as likely anywhere."""
    return Coordinate("share", 0.0, 3.0)


def prior(
    coordinates: dict[str, Coordinate],
) -> tuple[Float[Array, " p"], Float[Array, " p"]]:
    """Centres and widths of the weak priors, in order."""
    held = coordinates.values()
    return jnp.array([c.centre for c in held]), jnp.array([c.width for c in held])
