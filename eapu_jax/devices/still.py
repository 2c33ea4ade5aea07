"""What devices share whose cells are a conductance that stays where it was put."""

from typing import ClassVar

import jax.numpy as jnp

from eapu_jax.devices.base import Cells, Scalar
from prng.normals import normal


class GaussianRead:
    """The same Gaussian read noise in every cell.

    A device that has it adds `read_noise` (µS) and `conductance`.
    """

    read_noise: Scalar

    def conductance(self, cells):
        """The conductance, µS."""
        return cells.g

    def read(self, key, cells):
        """The conductance and its read noise, µS."""
        g = self.conductance(cells)
        return g + self.read_noise * normal(key, g.shape, g.dtype)

    def read_std(self, cells):
        """The same read noise everywhere, µS."""
        del cells
        return self.read_noise


class Still(GaussianRead):
    """Cells that keep their conductance until the next write.

    A device that is one adds `read_noise`, `g_min` and `g_max` (µS), and `write`.
    """

    volatile: ClassVar[bool] = False

    g_min: Scalar
    g_max: Scalar

    def init(self, key, g):
        """Cells at `g`, within the window. µS."""
        del key
        return Cells(jnp.clip(g, self.g_min, self.g_max))

    def put(self, cells, g):
        """The cells at `g`: there is nothing else to remember. µS."""
        del cells
        return Cells(g)

    def advance(self, key, cells, dt):
        """Nothing moves by itself."""
        del key, dt
        return cells
