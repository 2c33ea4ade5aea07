"""A device whose cells jump to a lower conductance as time passes."""

from typing import Any, ClassVar, NamedTuple

import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float

from eapu_jax.checks import quantity
from eapu_jax.constants import constants
from eapu_jax.devices.base import Scalar, a_device
from eapu_jax.devices.wrapped import Wrapped, chosen


class JumpingCells(NamedTuple):
    """Cells that remember what was programmed, and how far below it they stand.

    Attributes:
        inner: the cells of the device within, as they would be without any jump.
        factor: what is left of their conductance, 1 before the first jump.
        age: time since the last write, s.
    """

    inner: Any
    factor: Float[Array, "*cells"]
    age: Float[Array, "*cells"]


@constants
class Jumping(Wrapped):
    r"""Another device whose cells jump, as a filament does when it loses atoms.

    $$ g(t) = f(t)\,g_0(t), \qquad f = 1 \text{ before the first jump, then }
       f \sim \mathcal U(f_\mathrm{min}, 1) \text{ anew at every jump} $$

    with $g_0$ the conductance of the device within. Jumps are a Poisson process in
    the logarithm of the time $t$ since the last write, $\lambda$ per decade from
    $t_0$ on, so that a cell has jumped by $t$ with the probability

    $$ 1 - e^{-\lambda \log_{10}(1 + t / t_0)} . $$

    A jump starts from what was programmed: jumps do not pile up, and waiting twice is
    waiting once for the sum. A write starts from where the cell stands and begins
    anew. No jump leads out of the window.

    The default of $f_\mathrm{min}$, 2/3, is a cell that was set to 10 kΩ and reads
    up to 15 kΩ, which press coverage tells as an illustration (filamentary RRAM:
    INFERRED). That factors are uniform, and that jumps come evenly in log time, at
    which rate and from when on, is ASSUMED.

    Attributes:
        device: the inner device.
        rate: $\lambda$, jumps per decade of time.
        lowest: $f_\mathrm{min}$, the least that a jump leaves, above 0.
        onset: $t_0$, time at which jumps set in, s.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from eapu_jax import AdditiveError
        >>> device = Jumping(device=AdditiveError(g_min=0.0, g_max=120.0), rate=0.1)
        >>> key = jax.random.key(0)
        >>> cells = device.init(key, jnp.full(10_000, 100.0))  # 10 kΩ
        >>> ten_years = device.advance(key, cells, 3.2e8)
        >>> g = device.conductance(ten_years)
        >>> bool(abs((g < 100).mean() - (1 - jnp.exp(-0.85))) < 0.02)
        True
        >>> bool(g.min() > 66.6)  # 15 kΩ
        True
    """

    device: Any
    rate: Scalar = quantity(0.1, at_least=0)
    lowest: Scalar = quantity(2 / 3, above=0, at_most=1)
    onset: Scalar = quantity(1.0, above=0)

    volatile: ClassVar[bool] = True

    def __check__(self):
        a_device("Jumping.device", self.device)

    def init(self, key, g):
        """Cells written just now, µS."""
        return JumpingCells(
            self.device.init(key, g), jnp.ones_like(g), jnp.zeros_like(g)
        )

    def put(self, cells, g):
        """The cells moved to `g` (µS), as old as they are and as far below."""
        programmed = (g / cells.factor).astype(g.dtype)
        return cells._replace(inner=self.device.put(cells.inner, programmed))

    def conductance(self, cells):
        """Where the cells stand, µS."""
        programmed = self.device.conductance(cells.inner)
        fallen = jnp.clip(programmed * cells.factor, self.g_min, self.g_max)
        return jnp.where(cells.factor < 1, fallen, programmed).astype(programmed.dtype)

    def write(self, key, cells, dg):
        """Write from where the cells stand; begin anew where a pulse was sent. µS."""
        inner, pulses = self.device.write(key, self._standing(cells), dg)
        anew = JumpingCells(
            inner, jnp.ones_like(cells.factor), jnp.zeros_like(cells.age)
        )
        return chosen(pulses.sent, anew, cells), pulses

    def advance(self, key, cells, dt):
        """Let cells jump for `dt`, s."""
        key_inner, key_when, key_where = jr.split(key, 3)
        passed = jnp.log1p(dt / (self.onset + cells.age)) / jnp.log(10.0)
        chance = -jnp.expm1(-self.rate * passed)  # of one jump or more
        jumps = jr.uniform(key_when, chance.shape, chance.dtype) < chance
        height = jr.uniform(key_where, cells.factor.shape, cells.factor.dtype)
        drawn = self.lowest + (1 - self.lowest) * height
        return JumpingCells(
            self.device.advance(key_inner, cells.inner, dt),
            jnp.where(jumps, drawn, cells.factor).astype(cells.factor.dtype),
            (cells.age + dt).astype(cells.age.dtype),
        )

    def read(self, key, cells):
        """What a read returns, µS."""
        return self.device.read(key, self._standing(cells))

    def read_std(self, cells):
        """Standard deviation of a read, µS."""
        return self.device.read_std(self._standing(cells))

    def _standing(self, cells):
        """The cells of the device within, put where they stand."""
        moved = self.device.put(cells.inner, self.conductance(cells))
        return chosen(cells.factor < 1, moved, cells.inner)
