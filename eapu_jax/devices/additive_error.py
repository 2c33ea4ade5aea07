"""The paper's device: every write lands with the same Gaussian error."""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import jax.random as jr

from eapu_jax.checks import quantity
from eapu_jax.devices.base import Scalar
from eapu_jax.devices.rare import draw_where


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class AdditiveError:
    r"""A write that misses its target by a Gaussian error, and nothing else.

    $$ g \leftarrow \mathrm{clip}\left(g + \Delta g + \epsilon_\mathrm{cell},\;
       g_\mathrm{min}, g_\mathrm{max}\right), \qquad
       \epsilon_\mathrm{cell} \sim \mathcal N(0, \sigma^2) $$

    The error depends neither on the state, nor on the step, nor on time. With
    the window left open this is the simulation of the EaPU authors' public code
    (STATED there; the paper's conductance window is UNKNOWN).

    Attributes:
        write_noise: $\sigma$, standard deviation of one write, µS.
        read_noise: standard deviation of one read, µS.
        g_min: lowest conductance, µS; open by default.
        g_max: highest conductance, µS; open by default.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> quiet = AdditiveError(write_noise=0.0, g_max=80.0)
        >>> g = jnp.array([0.0, 40.0, 79.0])
        >>> quiet.write(jax.random.key(0), g, jnp.full(3, 2.0))
        Array([ 2., 42., 80.], dtype=float32)
    """

    write_noise: Scalar = quantity(2.0, at_least=0)
    read_noise: Scalar = quantity(0.0, at_least=0)
    g_min: Scalar = quantity(-float("inf"), below="g_max", finite=False)
    g_max: Scalar = quantity(float("inf"), finite=False)

    volatile: ClassVar[bool] = False

    def write(self, key, g, dg):
        """Move by `dg` and an error; clip to the window. µS."""
        noise = draw_where(jr.normal, key, dg != 0, g.dtype)
        target = g + dg + self.write_noise * noise
        return jnp.where(dg == 0, g, jnp.clip(target, self.g_min, self.g_max))

    def pulsed(self, dg):
        """Every request but zero."""
        return dg != 0

    def read(self, key, g):
        """The conductance and its read noise, µS."""
        return g + self.read_noise * jr.normal(key, g.shape, g.dtype)

    def relax(self, key, g, age, dt):
        """Nothing moves by itself."""
        del key, age, dt
        return g
