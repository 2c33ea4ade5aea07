"""Magnetic junctions: a few levels, and pulses that switch only with a probability."""

from dataclasses import field
from typing import ClassVar

import jax.numpy as jnp
import jax.random as jr

from eapu_jax.checks import quantity, whole
from eapu_jax.constants import constants
from eapu_jax.devices.base import Cells, Scalar, unless_diverged
from eapu_jax.devices.levels import nearest_level
from eapu_jax.devices.pulsed import pulses
from eapu_jax.devices.still import Still


@constants
class StochasticSwitching(Still):
    r"""Cells with a few levels, which a pulse moves by one with a probability.

    A magnetic junction is parallel or not; $L - 1$ of them in one cell make $L$
    levels, $\delta = (g_\mathrm{max} - g_\mathrm{min}) / (L - 1)$ apart. A request
    $\Delta g$ is sent as $n = \mathrm{round}(|\Delta g| / \delta)$ pulses, at most
    $L - 1$; each switches one level in its direction with probability $q$:

    $$ g \leftarrow \mathrm{clip}(g \pm k\,\delta), \qquad
       k \sim \mathrm{Binomial}(n, q) $$

    Requests of up to half a level do nothing. Thermally activated switching is what
    makes these cells random; the form is INFERRED, the constants are ASSUMED.

    Attributes:
        g_min: conductance of the lowest level, µS.
        g_max: conductance of the highest level, µS.
        levels: $L$, at least 2.
        probability: $q$, that one pulse switches.
        read_noise: standard deviation of one read, µS.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> device = StochasticSwitching(
        ...     g_min=0.0, g_max=9.0, levels=4, probability=1.0
        ... )
        >>> key = jax.random.key(0)
        >>> cells = device.init(key, jnp.array([0.0, 4.0, 9.0]))
        >>> device.write(key, cells, jnp.array([6.5, 1.4, 3.0]))[0].g.tolist()
        [6.0, 3.0, 9.0]
    """

    g_min: Scalar = quantity(160.0, below="g_max")
    g_max: Scalar = quantity(320.0)
    levels: int = field(default=2, metadata={"static": True})
    probability: Scalar = quantity(0.9, at_least=0, at_most=1)
    read_noise: Scalar = quantity(0.0, at_least=0)

    directions: ClassVar[tuple[int, ...]] = (-1, 1)

    def __check__(self):
        whole("StochasticSwitching.levels", self.levels, at_least=2)

    def init(self, key, g):
        """Cells at the level next to `g`, µS."""
        del key
        return Cells(nearest_level(g, self.g_min, self.g_max, self.levels))

    def write(self, key, cells, dg):
        """Send the pulses that `dg` asks for; some switch. µS."""
        n = jnp.minimum(jnp.round(jnp.abs(dg) / self.level), self.levels - 1)
        n = jnp.where(jnp.isnan(dg), 1, n)
        keys = jr.split(key, self.levels - 1)  # one draw of a cell's own per pulse
        draws = [jr.uniform(k, dg.shape, dg.dtype) for k in keys]
        switched = [(u < self.probability) & (i < n) for i, u in enumerate(draws)]
        k = sum(one.astype(dg.dtype) for one in switched)
        moved = cells.g + jnp.sign(dg) * k * self.level
        landed = nearest_level(moved, self.g_min, self.g_max, self.levels)
        landed = unless_diverged(landed, dg)
        return Cells(jnp.where(n == 0, cells.g, landed)), pulses(n, dg)

    @property
    def level(self):
        """What lies between two levels, µS."""
        return (self.g_max - self.g_min) / (self.levels - 1)

    def smallest_request(self):
        """Half a level, µS."""
        return self.level / 2
