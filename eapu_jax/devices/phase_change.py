"""Phase-change memory: pulses only add, and the conductance drifts away."""

from typing import ClassVar, NamedTuple

import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float

from eapu_jax.checks import quantity
from eapu_jax.constants import constants
from eapu_jax.devices.base import Pulses, Scalar, unless_diverged
from eapu_jax.devices.still import GaussianRead
from prng.normals import normal

_SMALLEST_SHARE = 1e-7  # of the window: a logarithm follows


class DriftingCells(NamedTuple):
    r"""Cells that drift by a power law of their own.

    Attributes:
        g0: conductance right after the last write, µS.
        age: time since then, s.
        nu: drift exponent, drawn at that write.
    """

    g0: Float[Array, "*cells"]
    age: Float[Array, "*cells"]
    nu: Float[Array, "*cells"]


@constants
class PhaseChange(GaussianRead):
    r"""A phase-change cell: crystallised step by step, drifting in between.

    $$ g(t) = g_0\,(1 + t / t_0)^{-\nu}, \qquad
       g_0 \leftarrow \mathrm{clip}(g(t) + \Delta g + \epsilon) $$

    Only requests $\Delta g > 0$ are executed; to lower a cell it must be melted, which
    only fresh cells (`init`) are. A write starts from the drifted conductance, errs
    by $\epsilon$, and draws a new exponent. With $x = g_0 / g_\mathrm{max}$:

    - $\mathrm{SD}(\epsilon) = c\,(g_\mathrm{max} / 25)\,
      (0.26348 + 1.9650\,x - 1.1731\,x^2)$ µS at the target,
    - $\nu = d\,|\mu + s\,z|$, $\mu = -0.0155 \ln x + 0.0244$ within 0.049 to 0.1,
      $s = -0.0125 \ln x - 0.0059$ within 0.008 to 0.045, $z$ standard normal,
    - $t_0$ = 20 s.

    These numbers are the phase-change model of IBM's analog hardware kit, after
    Nandakumar et al., ICECS 2019, fitted to a million cells (STATED there, for
    iterative programming of inference). That the same error comes with a single
    step upwards is ASSUMED, as is that a write counts as one pulse. The 1/f read
    noise of that model is left out: `read_noise` stands for it.

    Attributes:
        g_min: lowest conductance, µS.
        g_max: highest conductance, µS.
        noise_scale: $c$; 0 for writes without error.
        drift_scale: $d$; 0 for no drift.
        onset: $t_0$, s.
        read_noise: standard deviation of one read, µS.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> device = PhaseChange(noise_scale=0.0)
        >>> key = jax.random.key(0)
        >>> cells = device.init(key, jnp.array([5.0, 5.0]))
        >>> cells, pulses = device.write(key, cells, jnp.array([5.0, -5.0]))
        >>> cells.g0.tolist(), pulses.sent.tolist()
        ([10.0, 5.0], [True, False])
        >>> later = device.advance(key, cells, 1e4)
        >>> bool(jnp.all(device.conductance(later) < cells.g0))
        True
    """

    g_min: Scalar = quantity(0.0, at_least=0, below="g_max")
    g_max: Scalar = quantity(25.0)
    noise_scale: Scalar = quantity(1.0, at_least=0)
    drift_scale: Scalar = quantity(1.0, at_least=0)
    onset: Scalar = quantity(20.0, above=0)
    read_noise: Scalar = quantity(0.0, at_least=0)

    directions: ClassVar[tuple[int, ...]] = (1,)
    volatile: ClassVar[bool] = True

    def init(self, key, g):
        """Cells melted and set to `g` (µS), each with an exponent of its own."""
        g = jnp.clip(g, self.g_min, self.g_max)
        return DriftingCells(g, jnp.zeros_like(g), self.exponent(key, g))

    def conductance(self, cells):
        """Where the cells have drifted to, µS."""
        drifted = cells.g0 * jnp.exp(-cells.nu * jnp.log1p(cells.age / self.onset))
        return jnp.maximum(drifted, self.g_min).astype(cells.g0.dtype)

    def put(self, cells, g):
        """The cells drifted to `g` (µS), as old and as fast as they are."""
        grown = jnp.exp(cells.nu * jnp.log1p(cells.age / self.onset))
        return cells._replace(g0=(g * grown).astype(g.dtype))

    def write(self, key, cells, dg):
        """Crystallise more where `dg` asks for more. µS."""
        key_error, key_drift = jr.split(key)
        asked = ~(dg <= 0)  # what has diverged must show
        target = unless_diverged(self.conductance(cells) + dg, dg)
        target = jnp.clip(target, self.g_min, self.g_max)
        error = self.write_sd(target) * normal(key_error, dg.shape, dg.dtype)
        landed = jnp.clip(target + error, self.g_min, self.g_max)
        fresh = DriftingCells(
            landed, jnp.zeros_like(dg), self.exponent(key_drift, landed)
        )
        cells = DriftingCells(
            *(jnp.where(asked, a, b) for a, b in zip(fresh, cells, strict=True))
        )
        return cells, Pulses(*(x.astype(jnp.int32) for x in (asked, dg > jnp.inf)))

    def advance(self, key, cells, dt):
        """Grow older by `dt`, s."""
        del key
        return cells._replace(age=(cells.age + dt).astype(cells.age.dtype))

    def write_sd(self, target):
        """Standard deviation of a write to `target`, µS."""
        x = target / self.g_max
        published = 0.26348 + 1.9650 * x - 1.1731 * x**2
        return self.noise_scale * self.g_max / 25.0 * published

    def exponent(self, key, g):
        """Draw the drift exponents of cells at `g` (µS)."""
        log = jnp.log(jnp.maximum(g / self.g_max, _SMALLEST_SHARE))
        mean = jnp.clip(-0.0155 * log + 0.0244, 0.049, 0.1)
        sd = jnp.clip(-0.0125 * log - 0.0059, 0.008, 0.045)
        nu = jnp.abs(mean + sd * normal(key, g.shape, g.dtype))
        return (self.drift_scale * nu).astype(g.dtype)

    def smallest_request(self):
        """Every request upwards is written."""
        return 0.0
