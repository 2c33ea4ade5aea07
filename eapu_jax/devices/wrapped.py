"""What devices share that are built around another device."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp


def _within(name: str) -> Any:
    """What the device within has by this name."""
    return property(lambda self: getattr(self.device, name))


class Wrapped:
    """A device that does what the device within does, except for one thing.

    A device that is one has a field `device`, and says what it does otherwise.
    """

    device: Any

    directions: ClassVar[tuple[int, ...]] = _within("directions")
    volatile: ClassVar[bool] = _within("volatile")
    g_min: Any = _within("g_min")
    g_max: Any = _within("g_max")

    def init(self, key, g):
        """Fresh cells, as the device within makes them. µS."""
        return self.device.init(key, g)

    def put(self, cells, g):
        """The cells moved to `g`, µS."""
        return self.device.put(cells, g)

    def conductance(self, cells):
        """The conductance, µS."""
        return self.device.conductance(cells)

    def write(self, key, cells, dg):
        """Write as the device within does. µS."""
        return self.device.write(key, cells, dg)

    def advance(self, key, cells, dt):
        """Let `dt` pass, s."""
        return self.device.advance(key, cells, dt)

    def read(self, key, cells):
        """What a read returns, µS."""
        return self.device.read(key, cells)

    def read_std(self, cells):
        """Standard deviation of a read, µS."""
        return self.device.read_std(cells)

    def smallest_request(self):
        """What the device within ignores, µS."""
        return self.device.smallest_request()


def chosen(where: jax.Array, new: Any, old: Any) -> Any:
    """Cell by cell the new ones where asked, else the old ones, bit for bit."""
    return jax.tree.map(lambda a, b: jnp.where(where, a, b), new, old)
