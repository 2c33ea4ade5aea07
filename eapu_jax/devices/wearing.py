"""A device whose cells wear out."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, UInt32

from eapu_jax.checks import quantity
from eapu_jax.constants import constants
from eapu_jax.devices.base import Scalar, a_device
from eapu_jax.devices.wrapped import Wrapped, chosen
from prng.normals import normal


class WornCells(NamedTuple):
    """Cells that count their pulses.

    Attributes:
        inner: the cells of the device within.
        high: pulses so far, the upper 32 bits.
        low: the lower 32 bits: neither a long training nor MRAM overflows them.
        endurance: pulses after which the cell no longer moves.
    """

    inner: Any
    high: UInt32[Array, "*cells"]
    low: UInt32[Array, "*cells"]
    endurance: Float[Array, "*cells"]


@constants
class Wearing(Wrapped):
    r"""Another device whose cells stay where they are once they are worn out.

    Every fresh cell draws its own endurance $e = \bar e\,e^{\sigma z}$ with a
    standard normal $z$: log-normal with the median $\bar e$. Pulses of either sign
    count alike. A cell that has had $e$ pulses or more no longer answers: it is
    still sent pulses, which count and cost, but nothing moves it; it reads, drifts
    and relaxes as before. The write that passes $e$ still works.

    Published ranges of $\bar e$ for 2016 to 2020: RRAM 1e4 to 1e9, phase change 1e5
    to 2e11, magnetic 1e6 to 1e15, FeFET 1e4 to 1e11 (STATED in NVMExplorer's
    endurance summary). The log-normal law, its width and that a worn cell freezes
    are ASSUMED.

    Attributes:
        device: the inner device.
        endurance: $\bar e$, pulses.
        spread: $\sigma$, standard deviation of $\ln e$.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from eapu_jax import AdditiveError
        >>> quiet = AdditiveError(write_noise=0.0)
        >>> device = Wearing(device=quiet, endurance=2.0, spread=0.0)
        >>> key, ask = jax.random.key(0), jnp.ones(1)
        >>> cells = device.init(key, jnp.zeros(1))
        >>> for _ in range(5):
        ...     cells, pulses = device.write(key, cells, ask)
        >>> device.conductance(cells).tolist(), cells.low.tolist(), pulses.up.tolist()
        ([2.0], [5], [True])
    """

    device: Any
    endurance: Scalar = quantity(1e6, above=0)
    spread: Scalar = quantity(0.5, at_least=0)

    def __check__(self):
        a_device("Wearing.device", self.device)

    def init(self, key, g):
        """Fresh cells, each with an endurance of its own."""
        key_cells, key_life = jr.split(key)
        z = normal(key_life, g.shape, g.dtype)
        life = (self.endurance * jnp.exp(self.spread * z)).astype(g.dtype)
        unused = jnp.zeros(g.shape, jnp.uint32)
        return WornCells(self.device.init(key_cells, g), unused, unused, life)

    def put(self, cells, g):
        """The cells moved to `g` (µS), as worn as they are."""
        return cells._replace(inner=self.device.put(cells.inner, g))

    def conductance(self, cells):
        """The conductance, µS."""
        return self.device.conductance(cells.inner)

    def write(self, key, cells, dg):
        """Pulse all that are asked; worn cells do not move. µS."""
        written, pulses = self.device.write(key, cells.inner, dg)
        # what has diverged must show, in a worn cell too
        moves = ~self.worn(cells) | ~jnp.isfinite(dg)
        inner = chosen(moves, written, cells.inner)
        sent = pulses.up.astype(jnp.uint32) + pulses.down.astype(jnp.uint32)
        low = cells.low + sent
        high = cells.high + (low < cells.low).astype(jnp.uint32)
        return WornCells(inner, high, low, cells.endurance), pulses

    def worn(self, cells):
        """Which cells no longer move."""
        dtype = cells.endurance.dtype
        count = cells.high.astype(dtype) * 2.0**32 + cells.low.astype(dtype)
        return count >= cells.endurance

    def advance(self, key, cells, dt):
        """Let `dt` pass, s."""
        return cells._replace(inner=self.device.advance(key, cells.inner, dt))

    def read(self, key, cells):
        """What a read returns, µS."""
        return self.device.read(key, cells.inner)

    def read_std(self, cells):
        """Standard deviation of a read, µS."""
        return self.device.read_std(cells.inner)
