"""Exponential-step memristor: a step that dies off exponentially across the window."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from eapu_jax.checks import quantity, traced
from eapu_jax.constants import constants
from eapu_jax.devices.base import Scalar
from eapu_jax.devices.pulsed import Pulsed

_LARGEST_EXPONENT = 60.0  # beyond it the train has long met an end of the window


@constants
class ExponentialStep(Pulsed):
    r"""A memristor driven by identical pulses, whose step is exponential in its place.

    With $x \in [-1, 1]$ the place in the window and $z = a x + b$, the step of one
    pulse is

    $$ \Delta g_+ = p\,\max(1 - A_+ e^{\gamma_+ z}, 0), \qquad
       \Delta g_- = -p_-\,\max(1 - A_- e^{-\gamma_- z}, 0) $$

    the exponential-step device of IBM's analog hardware kit, whose constants for an
    HfO2 RRAM (a fit to Gong et al., Nat. Commun. 2018) are the defaults of $a$, $b$,
    $A_\pm$, $\gamma_\pm$ (STATED there). $n$ pulses follow the flow of this step, in
    closed form (DERIVED):

    $$ z_n = z - \frac1\gamma\ln\left(1 + y\,(e^{-\gamma a k n} - 1)\right), \qquad
       y = 1 - A e^{\gamma z}, \quad k = \frac{2 p}{g_\mathrm{max} - g_\mathrm{min}} $$

    upwards, and downwards with $\gamma \to -\gamma_-$ and $k \to -k_-$. It equals
    pulse after pulse up to a relative $O(k)$, and $n$ pulses in two trains equal $n$
    in one. Window, step and noise are ASSUMED.

    Attributes:
        g_min: lowest conductance, µS.
        g_max: highest conductance, µS.
        pulse: $p$, the scale of one pulse upwards, µS.
        down_ratio: $p_- / p$.
        tilt: $a$, not 0.
        offset: $b$.
        amplitude_up: $A_+$.
        amplitude_down: $A_-$.
        decay_up: $\gamma_+$.
        decay_down: $\gamma_-$.
        write_noise: standard deviation per pulse, µS.
        read_noise: standard deviation of one read, µS.
        reckoned: steps that whoever writes takes for $p$ and $p_-$, see `Pulsed`.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> quiet = ExponentialStep(pulse=0.1, write_noise=0.0)
        >>> key = jax.random.key(0)
        >>> cells = quiet.init(key, jnp.array([-80.0, 0.0, 40.0]))
        >>> moved, _ = quiet.write(key, cells, jnp.full(3, 0.1))
        >>> [round(float(step), 3) for step in moved.g - cells.g]
        [0.218, 0.11, 0.103]
    """

    g_min: Scalar = quantity(-80.0, below="g_max")
    g_max: Scalar = quantity(80.0)
    pulse: Scalar = quantity(0.5, above=0)
    down_ratio: Scalar = quantity(1.0, above=0)
    tilt: Scalar = quantity(-0.5)
    offset: Scalar = quantity(-0.5)
    amplitude_up: Scalar = quantity(-1.18445)
    amplitude_down: Scalar = quantity(-0.081404)
    decay_up: Scalar = quantity(5.0, above=0)
    decay_down: Scalar = quantity(5.0, above=0)
    write_noise: Scalar = quantity(0.5, at_least=0)
    read_noise: Scalar = quantity(0.0, at_least=0)
    reckoned: Any = None

    def __check__(self):
        super().__check__()
        if not traced(self.tilt) and np.any(np.asarray(self.tilt) == 0):
            raise ValueError(f"ExponentialStep.tilt must not be 0, got {self.tilt}")

    def after(self, g, n, up):
        """Follow the flow of the steps. µS."""
        half, middle = (self.g_max - self.g_min) / 2, (self.g_max + self.g_min) / 2
        decay = jnp.where(up, self.decay_up, self.decay_down)
        exponent = -decay * self.tilt * self.step(up) / half * n
        grown = jnp.expm1(jnp.minimum(exponent, _LARGEST_EXPONENT))
        share = self.share((g - middle) / half, up)
        # the logarithm diverges only beyond the window
        inside = jnp.maximum(share * grown, -1 + 1e-6)
        dx = -jnp.log1p(inside) / (self.tilt * decay)
        return g + (jnp.where(up, half, -half) * dx).astype(g.dtype)

    def share(self, x, up):
        """The step at the place `x`, as a share of the scale `p` of its direction."""
        z = self.tilt * x + self.offset
        rising = self.amplitude_up * jnp.exp(self.decay_up * z)
        falling = self.amplitude_down * jnp.exp(-self.decay_down * z)
        return jnp.maximum(1 - jnp.where(up, rising, falling), 0)
