"""A device whose cells can be told apart only at a few levels."""

from dataclasses import field
from typing import Any

import jax.numpy as jnp

from eapu_jax.checks import number, whole
from eapu_jax.constants import constants
from eapu_jax.devices.base import a_device, unless_diverged
from eapu_jax.devices.levels import nearest_level
from eapu_jax.devices.wrapped import Wrapped, chosen


@constants
class FiniteLevels(Wrapped):
    r"""Another device, written to one of $L$ evenly spaced levels of its window.

    A request $\Delta g$ means the level next to $g + \Delta g$. Where the cell is at
    that level already, no pulse is sent; else the inner device is asked for what is
    missing, and where it lands the level next to it is taken: with its error a write
    can end at a neighbouring level, and a device that cannot go far enough ends at
    the last level that it reached. int4 weights are 16 levels, int2 weights 4.

    A cell that relaxes or drifts leaves its level; its next write takes it to one.

    Attributes:
        device: the inner device; its window must be closed.
        levels: $L$, at least 2.

    Raises:
        ValueError: on an open window, or fewer than two levels.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from eapu_jax import AdditiveError
        >>> quiet = AdditiveError(write_noise=0.0, g_min=0.0, g_max=30.0)
        >>> device = FiniteLevels(device=quiet, levels=4)
        >>> key = jax.random.key(0)
        >>> cells = device.init(key, jnp.array([1.0, 10.0, 10.0]))
        >>> cells, pulses = device.write(key, cells, jnp.array([12.0, 4.0, 90.0]))
        >>> cells.g.tolist(), pulses.up.tolist()
        ([10.0, 10.0, 30.0], [True, False, True])
    """

    device: Any
    levels: int = field(default=16, metadata={"static": True})

    def __check__(self):
        a_device("FiniteLevels.device", self.device)
        whole("FiniteLevels.levels", self.levels, at_least=2)
        for name in ("g_min", "g_max"):
            number(f"FiniteLevels.device.{name}", getattr(self.device, name))

    def init(self, key, g):
        """Cells at the level next to `g`, µS."""
        return self.device.init(key, self.nearest(g))

    def write(self, key, cells, dg):
        """Ask for the level that `dg` means, and take the one that was reached. µS."""
        g = self.device.conductance(cells)
        target = self.nearest(g + dg)
        needed = target - g
        there = jnp.abs(needed) < 1e-4 * self.level  # rounding is no request
        asked = jnp.where((dg == 0) | there, 0, needed)
        asked = unless_diverged(asked, dg)
        written, pulses = self.device.write(key, cells, asked.astype(dg.dtype))
        reached = self.nearest(self.device.conductance(written))
        landed = chosen(pulses.sent, self.device.put(written, reached), cells)
        return landed, pulses

    def nearest(self, g):
        """The level next to `g`, µS."""
        return nearest_level(g, self.g_min, self.g_max, self.levels)

    @property
    def level(self):
        """What lies between two levels, µS."""
        return (self.g_max - self.g_min) / (self.levels - 1)

    def smallest_request(self):
        """Half a level or what the inner device ignores, whichever is more. µS."""
        return jnp.maximum(self.level / 2, self.device.smallest_request())
