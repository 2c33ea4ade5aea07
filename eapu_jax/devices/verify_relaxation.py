"""Write error taken apart: the verify band, then relaxation in log time."""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import jax.random as jr

from eapu_jax.checks import quantity
from eapu_jax.devices.base import Scalar


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class VerifyRelaxation:
    r"""A write-verify loop that stops within a band, and a cell that then wanders.

    $$ g \leftarrow g + \Delta g + \mathcal U(-b, b) + \mathcal N(0, s(t)^2), \qquad
       s(t) = s_0 + s_1 \log_{10}(1 + t / t_0) $$

    The verify loop leaves any point of the band $\pm b$ equally likely. The part
    $s_0$ relaxes before the first read and comes with the write; the rest grows
    with the time $t$ since the write, in independent steps: from age $a$ to
    $a + \Delta t$ the variance grows by $s(a + \Delta t)^2 - s(a)^2$, so waiting
    twice is waiting once for the sum. After $t$ the error has the standard
    deviation $\sqrt{b^2 / 3 + s(t)^2}$.

    That write errors come from programming tolerance and post-write drift and
    grow over time is reported by the press; this form is INFERRED and its
    constants are ASSUMED.

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
        >>> cell = VerifyRelaxation(tolerance=0.5, relaxation=0.0)
        >>> g = cell.write(jax.random.key(0), jnp.zeros(1000), jnp.full(1000, 10.0))
        >>> bool(jnp.all(jnp.abs(g - 10.0) <= 0.5))
        True
    """

    tolerance: Scalar = quantity(2.0, at_least=0)
    relaxation: Scalar = quantity(1.0, at_least=0)
    relaxation_per_decade: Scalar = quantity(0.2, at_least=0)
    onset: Scalar = quantity(1e-3, above=0)
    read_noise: Scalar = quantity(0.0, at_least=0)
    g_min: Scalar = quantity(-float("inf"), below="g_max", finite=False)
    g_max: Scalar = quantity(float("inf"), finite=False)

    volatile: ClassVar[bool] = True

    def write(self, key, g, dg):
        """Land within the band around `g + dg`, then relax at once by $s_0$. µS."""
        key_band, key_relax = jr.split(key)
        landed = self.tolerance * jr.uniform(key_band, g.shape, g.dtype, -1, 1)
        relaxed = self.relaxation * jr.normal(key_relax, g.shape, g.dtype)
        target = jnp.clip(g + dg + landed + relaxed, self.g_min, self.g_max)
        return jnp.where(dg == 0, g, target)

    def pulsed(self, dg):
        """Every request but zero."""
        return dg != 0

    def read(self, key, g):
        """The conductance and its read noise, µS."""
        return g + self.read_noise * jr.normal(key, g.shape, g.dtype)

    def relax(self, key, g, age, dt):
        """Wander for `dt` (s), `age` (s) after the write."""
        growth = self.relaxation_sd(age + dt) ** 2 - self.relaxation_sd(age) ** 2
        grown = growth > 0
        # sqrt has no slope at 0: keep its argument away from there
        sd = jnp.where(grown, jnp.sqrt(jnp.where(grown, growth, 1)), 0)
        wandered = g + sd * jr.normal(key, g.shape, g.dtype)
        return jnp.where(grown, jnp.clip(wandered, self.g_min, self.g_max), g)

    def relaxation_sd(self, age: Scalar) -> jax.Array:
        """$s(t)$: standard deviation of the relaxation at `age` (s), µS."""
        decades = jnp.log1p(jnp.asarray(age) / self.onset) / jnp.log(10.0)
        return self.relaxation + self.relaxation_per_decade * decades
