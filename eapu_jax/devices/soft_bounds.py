"""Soft-bounds memristor: the nearer its limit, the less it moves."""

from typing import Any

import jax.numpy as jnp

from eapu_jax.checks import quantity
from eapu_jax.constants import constants
from eapu_jax.devices.base import Scalar
from eapu_jax.devices.pulsed import Pulsed


@constants
class SoftBounds(Pulsed):
    r"""A memristor driven by identical pulses, whose response fades at its limits.

    One pulse upwards closes the fraction $f$ of the room left,
    $g \leftarrow g + f\,(g_\mathrm{max} - g)$ with
    $f = 2 p / (g_\mathrm{max} - g_\mathrm{min})$, so that it moves by $p$ at the
    middle of the window; downwards likewise towards $g_\mathrm{min}$, with a step
    $p_-$ of its own. A request $\Delta g$ is sent as
    $n = \mathrm{round}(|\Delta g| / p)$ pulses:

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
        down_ratio: $p_- / p$, the downward step over the upward one.
        write_noise: $\sigma$, standard deviation per pulse, µS.
        read_noise: standard deviation of one read, µS.
        reckoned: steps that whoever writes takes for $p$ and $p_-$, see `Pulsed`.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> quiet = SoftBounds(g_min=-80.0, g_max=80.0, pulse=8.0, write_noise=0.0)
        >>> key = jax.random.key(0)
        >>> cells = quiet.init(key, jnp.array([-80.0, 0.0, 80.0]))
        >>> cells, pulses = quiet.write(key, cells, jnp.full(3, 16.0))
        >>> [round(float(g), 1) for g in cells.g]
        [-49.6, 15.2, 80.0]
        >>> pulses.up.tolist()
        [2, 2, 2]
    """

    g_min: Scalar = quantity(-80.0, below="g_max")
    g_max: Scalar = quantity(80.0)
    pulse: Scalar = quantity(0.5, above=0)
    down_ratio: Scalar = quantity(1.0, above=0)
    write_noise: Scalar = quantity(0.5, at_least=0)
    read_noise: Scalar = quantity(0.0, at_least=0)
    reckoned: Any = None

    def after(self, g, n, up):
        """What is left of the room shrinks by the same factor at every pulse. µS."""
        limit = jnp.where(up, self.g_max, self.g_min)
        fraction = jnp.minimum(2 * self.step(up) / (self.g_max - self.g_min), 1.0)
        return limit + (g - limit) * (1 - fraction) ** n
