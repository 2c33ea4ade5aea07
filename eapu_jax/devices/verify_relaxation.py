"""Write error taken apart: the verify band, then relaxation in log time."""

from typing import ClassVar

import jax
import jax.numpy as jnp
import jax.random as jr

from eapu_jax.checks import quantity
from eapu_jax.constants import constants
from eapu_jax.devices.aging import AgingCells, wandered
from eapu_jax.devices.base import Scalar, one_pulse, unless_diverged
from eapu_jax.devices.still import GaussianRead
from prng.normals import normal


@constants
class VerifyRelaxation(GaussianRead):
    r"""A write-verify loop that stops within a band, and a cell that then wanders.

    $$ g \leftarrow g + \Delta g + \mathcal U(-b, b) + \mathcal N(0, s(t)^2), \qquad
       s(t) = s_0 + s_1 \log_{10}(1 + t / t_0) $$

    The verify loop leaves any point of the band $\pm b$ equally likely. The part
    $s_0$ relaxes before the first read and comes with the write; the rest grows
    with the time $t$ since the write, in independent steps: from age $a$ to
    $a + \Delta t$ the variance grows by $s(a + \Delta t)^2 - s(a)^2$, so waiting
    twice is waiting once for the sum. After $t$ the error has the standard
    deviation $\sqrt{b^2 / 3 + s(t)^2}$. Fresh cells count as just written, without
    an error.

    That write errors come from programming tolerance and post-write drift and
    grow over time is reported by the press; this form is INFERRED and its
    constants are ASSUMED. A write counts as one pulse in its direction: the
    number of verify cycles is UNKNOWN.

    Attributes:
        tolerance: $b$, half the width of the verify band, µS.
        relaxation: $s_0$, relaxation that comes with the write, µS.
        relaxation_per_decade: $s_1$, further relaxation per decade of time, µS.
        onset: $t_0$, time at which the logarithm sets in, s.
        read_noise: standard deviation of one read, µS.
        g_min: lowest conductance, µS; open by default.
        g_max: highest conductance, µS; open by default.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> device = VerifyRelaxation(tolerance=0.5, relaxation=0.0)
        >>> key = jax.random.key(0)
        >>> cells = device.init(key, jnp.zeros(1000))
        >>> cells, _ = device.write(key, cells, jnp.full(1000, 10.0))
        >>> bool(jnp.all(jnp.abs(cells.g - 10.0) <= 0.5))
        True
    """

    tolerance: Scalar = quantity(2.0, at_least=0)
    relaxation: Scalar = quantity(1.0, at_least=0)
    relaxation_per_decade: Scalar = quantity(0.2, at_least=0)
    onset: Scalar = quantity(1e-3, above=0)
    read_noise: Scalar = quantity(0.0, at_least=0)
    g_min: Scalar = quantity(-float("inf"), below="g_max", finite=False)
    g_max: Scalar = quantity(float("inf"), finite=False)

    directions: ClassVar[tuple[int, ...]] = (-1, 1)
    volatile: ClassVar[bool] = True

    def init(self, key, g):
        """Cells at `g`, within the window (µS), written just now."""
        del key
        return AgingCells(jnp.clip(g, self.g_min, self.g_max), jnp.zeros_like(g))

    def put(self, cells, g):
        """The cells at `g`, as old as they are. µS."""
        return cells._replace(g=g)

    def write(self, key, cells, dg):
        """Land within the band around `g + dg`, then relax at once by $s_0$. µS."""
        key_band, key_relax = jr.split(key)
        shape, dtype = dg.shape, dg.dtype
        landed = self.tolerance * jr.uniform(key_band, shape, dtype, -1, 1)
        relaxed = self.relaxation * normal(key_relax, shape, dtype)
        target = unless_diverged(cells.g + dg, dg)
        target = jnp.clip(target + landed + relaxed, self.g_min, self.g_max)
        asked = dg != 0
        return AgingCells(
            jnp.where(asked, target, cells.g), jnp.where(asked, 0, cells.age)
        ), one_pulse(dg)

    def advance(self, key, cells, dt):
        """Wander for `dt`, s."""
        g, age = cells
        growth = self.relaxation_sd(age + dt) ** 2 - self.relaxation_sd(age) ** 2
        growth = jnp.where(dt > 0, growth, 0)  # rounding is no time
        g = wandered(key, g, growth, self.g_min, self.g_max)
        return AgingCells(g, (age + dt).astype(age.dtype))

    def smallest_request(self):
        """Every request but zero is written."""
        return 0.0

    def relaxation_sd(self, age: Scalar) -> jax.Array:
        """$s(t)$: standard deviation of the relaxation at `age` (s), µS."""
        decades = jnp.log1p(jnp.asarray(age) / self.onset) / jnp.log(10.0)
        return self.relaxation + self.relaxation_per_decade * decades
