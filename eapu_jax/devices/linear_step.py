"""Linear-step memristor: a step that shrinks in a straight line across the window."""

from typing import Any

import jax.numpy as jnp

from eapu_jax.checks import quantity
from eapu_jax.constants import constants
from eapu_jax.devices.base import Scalar
from eapu_jax.devices.pulsed import Pulsed


@constants
class LinearStep(Pulsed):
    r"""A memristor driven by identical pulses, whose step falls linearly.

    With $x \in [-1, 1]$ the place in the window, one pulse moves by

    $$ \Delta g_+ = p\,(1 - s_+ x), \qquad \Delta g_- = -p_-\,(1 + s_- x) $$

    so $n$ pulses, a geometric sum, move by
    $\pm p\,(1 \mp s x)\,(1 - (1 - a)^n) / a$ with $a = 2 p s / (g_\mathrm{max} -
    g_\mathrm{min})$, and the window cuts off what is beyond it. A slope of 0 is a
    constant step, a slope of 1 the soft-bounds device.

    The form is the linear-step device of IBM's analog hardware kit (STATED there in
    weights, $\gamma_\pm = s_\pm$); the sum is DERIVED, exact as long as no pulse but
    the last meets an end of the window. All default constants are ASSUMED. For
    `write_noise` and requests see `Pulsed`.

    Attributes:
        g_min: lowest conductance, µS.
        g_max: highest conductance, µS.
        pulse: $p$, step of one pulse upwards at the middle of the window, µS.
        down_ratio: $p_- / p$, the downward step over the upward one.
        slope_up: $s_+$, from 0 to 1.
        slope_down: $s_-$, from 0 to 1.
        write_noise: standard deviation per pulse, µS.
        read_noise: standard deviation of one read, µS.
        reckoned: steps that whoever writes takes for $p$ and $p_-$, see `Pulsed`.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> quiet = LinearStep(pulse=8.0, slope_up=0.5, write_noise=0.0)
        >>> key = jax.random.key(0)
        >>> cells = quiet.init(key, jnp.array([-80.0, 0.0, 40.0]))
        >>> cells, _ = quiet.write(key, cells, jnp.full(3, 8.0))
        >>> [round(float(g), 3) for g in cells.g]
        [-68.0, 8.0, 46.0]
    """

    g_min: Scalar = quantity(-80.0, below="g_max")
    g_max: Scalar = quantity(80.0)
    pulse: Scalar = quantity(0.5, above=0)
    down_ratio: Scalar = quantity(1.0, above=0)
    slope_up: Scalar = quantity(0.2, at_least=0, at_most=1)
    slope_down: Scalar = quantity(0.2, at_least=0, at_most=1)
    write_noise: Scalar = quantity(0.5, at_least=0)
    read_noise: Scalar = quantity(0.0, at_least=0)
    reckoned: Any = None

    def after(self, g, n, up):
        """Sum the steps of the train. µS."""
        sign, slope = jnp.where(up, 1.0, -1.0), self.slope(up)
        half, middle = (self.g_max - self.g_min) / 2, (self.g_max + self.g_min) / 2
        first = self.step(up) * (1 - sign * slope * (g - middle) / half)
        fraction = jnp.minimum(self.step(up) * slope / half, 1.0)
        return g + (sign * first * geometric_sum(fraction, n)).astype(g.dtype)

    def slope(self, up):
        """How fast the step falls in its direction."""
        return jnp.where(up, self.slope_up, self.slope_down)


def geometric_sum(fraction, n):
    r"""$\sum_{k<n} (1 - a)^k = (1 - (1 - a)^n) / a$, and $n$ where $a = 0$.

    Example:
        >>> import jax.numpy as jnp
        >>> geometric_sum(jnp.array([0.0, 0.5, 1.0]), 3.0).tolist()
        [3.0, 1.75, 1.0]
    """
    small = fraction * jnp.maximum(n, 1) < 1e-4
    a = jnp.where(small, 0.5, fraction)
    return jnp.where(small, n * (1 - fraction * (n - 1) / 2), (1 - (1 - a) ** n) / a)
