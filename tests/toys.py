"""A device and an encoding as a stranger would write them: the suites take them in.

Each needs one line in the list of its conformance suite and nothing else.
"""

from typing import ClassVar

import jax.numpy as jnp
import jax.random as jr

from eapu_jax.checks import quantity
from eapu_jax.constants import constants
from eapu_jax.devices.base import Cells, Scalar, one_pulse, unless_diverged
from eapu_jax.devices.still import Still


@constants
class RelativeError(Still):
    r"""A write that misses by a part of what was asked: $\Delta g\,(1 + \rho\,\xi)$.

    Attributes:
        error: $\rho$, relative standard deviation of a write.
        read_noise: standard deviation of one read, µS.
        g_min: lowest conductance, µS.
        g_max: highest conductance, µS.
    """

    error: Scalar = quantity(0.2, at_least=0)
    read_noise: Scalar = quantity(0.0, at_least=0)
    g_min: Scalar = quantity(-80.0, below="g_max")
    g_max: Scalar = quantity(80.0)

    directions: ClassVar[tuple[int, ...]] = (-1, 1)

    def write(self, key, cells, dg):
        """Move by `dg` and its error; clip to the window. µS."""
        factor = 1 + self.error * jr.normal(key, dg.shape, dg.dtype)
        landed = jnp.clip(cells.g + dg * factor, self.g_min, self.g_max)
        landed = unless_diverged(landed, dg)
        return Cells(jnp.where(dg == 0, cells.g, landed)), one_pulse(dg)

    def smallest_request(self):
        """Every request but zero is written."""
        return 0.0


@constants
class Inverted:
    r"""One cell per weight, read against a reference above it: $W = s\,(G_r - G)$.

    Attributes:
        reference: $G_r$, µS.
    """

    reference: Scalar = quantity(50.0)

    elementwise: ClassVar[bool] = True
    directions: ClassVar[tuple[int, ...]] = (-1, 1)

    def to_cells(self, w, scale):
        """Conductances that stand for the weights, µS."""
        return self.reference - w / scale

    def to_weights(self, g, scale):
        """The weights that conductances stand for."""
        return (self.reference - g) * scale

    def touched(self, hit):
        """A weight is its cell."""
        return hit

    def request(self, g, dw, scale):
        """Less conductance is more weight, µS."""
        del g
        return -dw / scale
