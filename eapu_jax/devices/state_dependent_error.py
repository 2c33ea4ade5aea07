"""ReRAM as measured: the error of a write depends on where it aims, and grows."""

import math
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from eapu_jax.checks import quantity
from eapu_jax.constants import constants
from eapu_jax.devices.aging import wandered
from eapu_jax.devices.base import Scalar, one_pulse, unless_diverged
from eapu_jax.devices.still import GaussianRead
from prng.normals import normal

_REFERENCE = 40.0  # µS, the window in which the polynomials were fitted
_DAY = 86400.0  # s
_SECOND = (0.348, 16.030, -43.853, 45.393, -16.815)
_ONE_DAY = (0.701, 22.086, -50.773, 47.095, -16.458)
_TWO_DAYS = (0.782, 20.274, -43.507, 37.062, -11.934)


class AimedCells(NamedTuple):
    """Cells that remember when they were written, and to what.

    Attributes:
        g: conductance, µS.
        age: time since the last write, s.
        target: what that write aimed at, µS.
    """

    g: Float[Array, "*cells"]
    age: Float[Array, "*cells"]
    target: Float[Array, "*cells"]


@constants
class StateDependentError(GaussianRead):
    r"""A ReRAM whose write error and relaxation depend on the target conductance.

    $$ g \leftarrow \mathrm{clip}(g^* + \mathcal N(0, s(t, g^*)^2)), \qquad
       g^* = \mathrm{clip}(g + \Delta g) $$

    with, in µS, $s(t, g) = c\,(g_\mathrm{max} / 40) \sum_i c_i(t)\,
    (g / g_\mathrm{max})^i$, polynomials of degree four at 1 s, 1 day and 2 days: the
    model of Wan et al., Nature 608, 504 (2022), as IBM's analog hardware kit
    publishes it for a window of 40 µS (STATED-2nd; other windows by proportion as
    there).

    Between those times (INFERRED): what has grown after 1 s comes with the write;
    from then on the variance grows in a straight line in $\ln t$ from one time to the
    next, in independent steps, and stands still after two days, where nothing is
    published. Where the polynomial of two days lies below that of one day (a cell
    cannot forget its error) it is held at that of one day. Waiting twice is waiting
    once for the sum. A write counts as one pulse; fresh cells count as just written,
    without an error.

    Attributes:
        g_min: lowest conductance, µS.
        g_max: highest conductance, µS.
        noise_scale: $c$; 0 for writes without error and no relaxation.
        read_noise: standard deviation of one read, µS.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> device = StateDependentError()
        >>> [round(float(device.error_sd(1.0, jnp.float32(g))), 2) for g in (0, 10, 40)]
        [0.35, 2.26, 1.1]
        >>> key = jax.random.key(0)
        >>> cells = device.init(key, jnp.full(10_000, 5.0))
        >>> cells, _ = device.write(key, cells, jnp.full(10_000, 15.0))
        >>> bool(abs(cells.g.std() - device.error_sd(1.0, jnp.float32(20))) < 0.05)
        True
    """

    g_min: Scalar = quantity(0.0, at_least=0, below="g_max")
    g_max: Scalar = quantity(40.0)
    noise_scale: Scalar = quantity(1.0, at_least=0)
    read_noise: Scalar = quantity(0.0, at_least=0)

    directions: ClassVar[tuple[int, ...]] = (-1, 1)
    volatile: ClassVar[bool] = True

    def init(self, key, g):
        """Cells at `g`, within the window (µS), written just now."""
        del key
        g = jnp.clip(g, self.g_min, self.g_max)
        return AimedCells(g, jnp.zeros_like(g), g)

    def put(self, cells, g):
        """The cells at `g` (µS), as old as they are and aimed where they were."""
        return cells._replace(g=g)

    def write(self, key, cells, dg):
        """Land around `g + dg` with the error of one second. µS."""
        asked = dg != 0
        target = unless_diverged(cells.g + dg, dg)
        target = jnp.clip(target, self.g_min, self.g_max)
        error = self.error_sd(1.0, target) * normal(key, dg.shape, dg.dtype)
        landed = jnp.clip(target + error, self.g_min, self.g_max).astype(dg.dtype)
        fresh = AimedCells(landed, jnp.zeros_like(dg), target)
        pairs = zip(fresh, cells, strict=True)
        return AimedCells(*(jnp.where(asked, *pair) for pair in pairs)), one_pulse(dg)

    def advance(self, key, cells, dt):
        """Relax for `dt`, s."""
        g, age, target = cells
        variance = lambda t: self.error_sd(t, target) ** 2  # noqa: E731
        growth = variance(age + dt) - variance(age)
        growth = jnp.where(dt > 0, growth, 0)  # rounding is no time
        g = wandered(key, g, growth, self.g_min, self.g_max)
        return AimedCells(g, (age + dt).astype(age.dtype), target)

    def error_sd(self, age: Scalar, target: jax.Array) -> jax.Array:
        """$s(t, g^*)$: standard deviation of the error at `age` (s), µS."""
        second, day, two_days = (
            _polynomial(c, target / self.g_max) ** 2
            for c in (_SECOND, _ONE_DAY, _TWO_DAYS)
        )
        late = jnp.log(jnp.maximum(jnp.asarray(age, target.dtype), 1))
        first = jnp.clip(late / math.log(_DAY), 0, 1)
        last = jnp.clip((late - math.log(_DAY)) / math.log(2), 0, 1)
        grown = jnp.maximum(day - second, 0) * first
        grown = grown + jnp.maximum(two_days - jnp.maximum(day, second), 0) * last
        return self.noise_scale * self.g_max / _REFERENCE * jnp.sqrt(second + grown)

    def smallest_request(self):
        """Every request but zero is written."""
        return 0.0


def _polynomial(coefficients, x):
    """Horner's rule, lowest power first; every power of the published fit."""
    total = jnp.zeros_like(x)
    for c in reversed(coefficients):
        total = total * x + c
    return total
