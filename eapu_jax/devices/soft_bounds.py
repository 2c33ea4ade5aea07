"""Soft-bounds memristor: the nearer its limit, the less it moves."""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import jax.random as jr

from eapu_jax.checks import quantity
from eapu_jax.devices.base import Scalar
from eapu_jax.devices.rare import draw_where


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class SoftBounds:
    r"""A memristor driven by identical pulses, whose response fades at its limits.

    One pulse upwards closes the fraction $f$ of the room left,
    $g \leftarrow g + f\,(g_\mathrm{max} - g)$ with
    $f = 2 p / (g_\mathrm{max} - g_\mathrm{min})$, so that it moves by $p$ at the
    middle of the window; downwards likewise towards $g_\mathrm{min}$. A request
    $\Delta g$ is sent as $n = \mathrm{round}(|\Delta g| / p)$ pulses:

    $$ g \leftarrow b + (g - b)(1 - f)^n + \sqrt n\,\sigma\,\mathcal N(0, 1),
       \qquad b = g_\mathrm{max} \text{ or } g_\mathrm{min} $$

    and the result stays in the window. $n$ pulses in two trains equal $n$ pulses
    in one. A request of up to half a pulse does nothing.

    The response is the soft-bounds model common in the field; all constants are
    ASSUMED.

    Attributes:
        g_min: lowest conductance, µS.
        g_max: highest conductance, µS.
        pulse: $p$, step of one pulse at the middle of the window, µS.
        write_noise: $\sigma$, standard deviation per pulse, µS.
        read_noise: standard deviation of one read, µS.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> quiet = SoftBounds(g_min=-80.0, g_max=80.0, pulse=8.0, write_noise=0.0)
        >>> g = jnp.array([-80.0, 0.0, 80.0])
        >>> quiet.write(jax.random.key(0), g, jnp.full(3, 8.0))
        Array([-64.,   8.,  80.], dtype=float32)
    """

    g_min: Scalar = quantity(-80.0, below="g_max")
    g_max: Scalar = quantity(80.0)
    pulse: Scalar = quantity(0.5, above=0)
    write_noise: Scalar = quantity(0.5, at_least=0)
    read_noise: Scalar = quantity(0.0, at_least=0)

    volatile: ClassVar[bool] = False

    def write(self, key, g, dg):
        """Send the pulses that `dg` asks for. µS."""
        n = self._pulses(dg)
        fraction = jnp.minimum(2 * self.pulse / (self.g_max - self.g_min), 1.0)
        limit = jnp.where(dg > 0, self.g_max, self.g_min)
        moved = limit + (g - limit) * (1 - fraction) ** n
        z = draw_where(jr.normal, key, n != 0, g.dtype)
        noise = self.write_noise * jnp.sqrt(n) * z
        return jnp.where(n == 0, g, jnp.clip(moved + noise, self.g_min, self.g_max))

    def pulsed(self, dg):
        """Every request of more than half a pulse."""
        return self._pulses(dg) != 0

    def read(self, key, g):
        """The conductance and its read noise, µS."""
        return g + self.read_noise * jr.normal(key, g.shape, g.dtype)

    def relax(self, key, g, age, dt):
        """Nothing moves by itself."""
        del key, age, dt
        return g

    def _pulses(self, dg):
        return jnp.round(jnp.abs(dg) / self.pulse)
