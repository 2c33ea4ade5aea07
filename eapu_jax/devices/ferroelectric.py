"""Ferroelectric transistor: a film of domains, of which every pulse flips a share."""

from typing import Any

import jax.numpy as jnp

from eapu_jax.checks import quantity
from eapu_jax.constants import constants
from eapu_jax.devices.base import Scalar
from eapu_jax.devices.pulsed import Pulsed


@constants
class Ferroelectric(Pulsed):
    r"""A transistor whose gate holds $N$ ferroelectric domains, up or down.

    The conductance rises in a straight line with the share $u$ of domains that point
    up. A pulse flips each domain that still points the other way with probability
    $f$, independently, so of those $m$ (as a share) $n$ pulses flip
    $F = 1 - (1 - f)^n$ on average, with binomial fluctuations:

    $$ \Delta u = \pm\left(m F + \sqrt{m F (1 - F) / N}\;\mathcal N(0, 1)\right),
       \qquad g = g_\mathrm{min} + u\,(g_\mathrm{max} - g_\mathrm{min}) $$

    $f$ follows from the step $p$ at the middle of the window,
    $f = 2 p / (g_\mathrm{max} - g_\mathrm{min})$. The noise dies out at both ends and
    with large films; few domains make a coarse, random cell. The Gaussian stands for
    the binomial law, near where $N m F (1 - F)$ is well above 1.

    Switching domain by domain is the accepted picture of these films; independence,
    the straight line and all constants are ASSUMED.

    Attributes:
        g_min: conductance with all domains down, µS.
        g_max: conductance with all domains up, µS.
        pulse: $p$, step of one pulse upwards at the middle of the window, µS.
        down_ratio: the downward step over the upward one.
        domains: $N$.
        read_noise: standard deviation of one read, µS.
        reckoned: steps that whoever writes takes for $p$ and $p_-$, see `Pulsed`.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> device = Ferroelectric(g_min=0.0, g_max=10.0, pulse=1.0, domains=400.0)
        >>> key = jax.random.key(0)
        >>> cells = device.init(key, jnp.full(10_000, 5.0))
        >>> cells, _ = device.write(key, cells, jnp.full(10_000, 1.0))
        >>> bool(abs(cells.g.mean() - 6.0) < 0.02)
        True
        >>> bool(abs(cells.g.std() - 0.141) < 0.01)
        True
    """

    g_min: Scalar = quantity(0.0, below="g_max")
    g_max: Scalar = quantity(40.0)
    pulse: Scalar = quantity(0.5, above=0)
    down_ratio: Scalar = quantity(1.0, above=0)
    domains: Scalar = quantity(1000.0, at_least=1)
    read_noise: Scalar = quantity(0.0, at_least=0)
    reckoned: Any = None

    def after(self, g, n, up):
        """Flip the expected share of the domains that are left. µS."""
        limit = jnp.where(up, self.g_max, self.g_min)
        return limit + (g - limit) * self.kept(n, up)

    def noise(self, g, n, up):
        """Binomial standard deviation of the train, over the root of its pulses. µS."""
        limit, window = jnp.where(up, self.g_max, self.g_min), self.g_max - self.g_min
        left, kept = jnp.abs(limit - g) / window, self.kept(n, up)
        variance = left * kept * (1 - kept) / self.domains / jnp.maximum(n, 1)
        random = variance > 0  # sqrt has no slope at 0
        sd = jnp.sqrt(jnp.where(random, variance, 1))
        return jnp.where(random, window * sd, 0).astype(g.dtype)

    def kept(self, n, up):
        """Probability that a domain withstands `n` pulses."""
        fraction = jnp.minimum(2 * self.step(up) / (self.g_max - self.g_min), 1.0)
        return (1 - fraction) ** n
