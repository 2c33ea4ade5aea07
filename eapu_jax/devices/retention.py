"""Devices whose cells lose what they hold."""

from typing import Any, ClassVar, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from eapu_jax.checks import number, quantity, traced
from eapu_jax.constants import constants
from eapu_jax.devices.base import Scalar, a_device
from eapu_jax.devices.wrapped import Wrapped, chosen


class Leaking(Wrapped):
    """A device whose cells fall towards a level as time passes.

    A device that is one has a field `level`, within the window of the device within.
    """

    volatile: ClassVar[bool] = True

    level: Scalar

    def __check__(self):
        a_device(f"{type(self).__name__}.device", self.device)
        name, window = type(self).__name__, (self.device.g_min, self.device.g_max)
        if traced(self.level, *window):
            return
        low, high = float(np.max(window[0])), float(np.min(window[1]))
        number(f"{name}.level", self.level, at_least=low, at_most=high)

    def leaked(self, key, cells, dt, loss):
        """The cells of the device within after `dt` (s), a share `loss` nearer."""
        aged = self.device.advance(key, cells, dt)
        g = self.device.conductance(aged)
        fallen = (g + (self.level - g) * loss).astype(g.dtype)
        return chosen(loss > 0, self.device.put(aged, fallen), aged)


@constants
class ExponentialRetention(Leaking):
    r"""Another device that leaks at a constant rate, as charge does.

    $$ g(t + \Delta t) = g_\infty + (g(t) - g_\infty)\,e^{-\Delta t / \tau} $$

    A write starts from what is left. The constants are ASSUMED.

    Attributes:
        device: the inner device.
        level: $g_\infty$, where all cells end, µS; within the window.
        time_constant: $\tau$, s.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from eapu_jax import AdditiveError
        >>> device = ExponentialRetention(device=AdditiveError(), time_constant=10.0)
        >>> key = jax.random.key(0)
        >>> cells = device.init(key, jnp.array([8.0]))
        >>> round(float(device.advance(key, cells, 10.0).g[0]), 3)  # 8 / e
        2.943
    """

    device: Any
    level: Scalar = quantity(0.0)
    time_constant: Scalar = quantity(1e7, above=0)

    def advance(self, key, cells, dt):
        """Leak for `dt`, s."""
        return self.leaked(key, cells, dt, -jnp.expm1(-dt / self.time_constant))


class LeakingCells(NamedTuple):
    """Cells that remember when they were written, to know how fast they leak.

    Attributes:
        inner: the cells of the device within.
        age: time since the last write, s.
    """

    inner: Any
    age: Float[Array, "*cells"]


@constants
class PowerRetention(Leaking):
    r"""Another device that leaks by a power of the time since its last write.

    $$ g(t) = g_\infty + (g_0 - g_\infty)\,(1 + t / t_0)^{-\nu} $$

    A write starts from what is left and begins anew at $t = 0$. The constants are
    ASSUMED.

    Attributes:
        device: the inner device.
        level: $g_\infty$, where all cells end, µS; within the window.
        exponent: $\nu$.
        onset: $t_0$, time at which the loss sets in, s.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from eapu_jax import AdditiveError
        >>> device = PowerRetention(device=AdditiveError(), exponent=0.5, onset=1.0)
        >>> key = jax.random.key(0)
        >>> cells = device.init(key, jnp.array([8.0]))
        >>> device.conductance(device.advance(key, cells, 3.0)).tolist()
        [4.0]
    """

    device: Any
    level: Scalar = quantity(0.0)
    exponent: Scalar = quantity(0.01, at_least=0)
    onset: Scalar = quantity(1.0, above=0)

    def init(self, key, g):
        """Cells written just now, µS."""
        return LeakingCells(self.device.init(key, g), jnp.zeros_like(g))

    def put(self, cells, g):
        """The cells moved to `g` (µS), as old as they are."""
        return cells._replace(inner=self.device.put(cells.inner, g))

    def conductance(self, cells):
        """The conductance, µS."""
        return self.device.conductance(cells.inner)

    def write(self, key, cells, dg):
        """Write, and begin anew where a pulse was sent. µS."""
        inner, pulses = self.device.write(key, cells.inner, dg)
        return LeakingCells(inner, jnp.where(pulses.sent, 0, cells.age)), pulses

    def advance(self, key, cells, dt):
        """Leak for `dt`, s."""
        passed = jnp.log1p(dt / (self.onset + cells.age))
        loss = -jnp.expm1(-self.exponent * passed)
        inner = self.leaked(key, cells.inner, dt, loss)
        return LeakingCells(inner, (cells.age + dt).astype(cells.age.dtype))

    def read(self, key, cells):
        """What a read returns, µS."""
        return self.device.read(key, cells.inner)

    def read_std(self, cells):
        """Standard deviation of a read, µS."""
        return self.device.read_std(cells.inner)
