"""The paper's device: every write lands with the same Gaussian error."""

from typing import ClassVar

import jax.numpy as jnp

from eapu_jax.checks import quantity
from eapu_jax.constants import constants
from eapu_jax.devices.base import Cells, Scalar, one_pulse, unless_diverged
from eapu_jax.devices.still import Still
from prng.normals import normal


@constants
class AdditiveError(Still):
    r"""A write that misses its target by a Gaussian error, and nothing else.

    $$ g \leftarrow \mathrm{clip}\left(g + \Delta g + \epsilon_\mathrm{cell},\;
       g_\mathrm{min}, g_\mathrm{max}\right), \qquad
       \epsilon_\mathrm{cell} \sim \mathcal N(0, \sigma^2) $$

    The error depends neither on the state, nor on the step, nor on time. With
    the window left open this is the simulation of the EaPU authors' public code
    (STATED there; the paper's conductance window is UNKNOWN). A write counts as
    one pulse, whatever its size: how many the hardware sends is UNKNOWN.

    Attributes:
        write_noise: $\sigma$, standard deviation of one write, µS.
        read_noise: standard deviation of one read, µS.
        g_min: lowest conductance, µS; open by default.
        g_max: highest conductance, µS; open by default.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> quiet = AdditiveError(write_noise=0.0, g_max=80.0)
        >>> key = jax.random.key(0)
        >>> cells = quiet.init(key, jnp.array([0.0, 40.0, 79.0]))
        >>> cells, pulses = quiet.write(key, cells, jnp.array([2.0, -2.0, 2.0]))
        >>> cells.g
        Array([ 2., 38., 80.], dtype=float32)
        >>> pulses.up.tolist(), pulses.down.tolist()
        ([True, False, True], [False, True, False])
    """

    write_noise: Scalar = quantity(2.0, at_least=0)
    read_noise: Scalar = quantity(0.0, at_least=0)
    g_min: Scalar = quantity(-float("inf"), below="g_max", finite=False)
    g_max: Scalar = quantity(float("inf"), finite=False)

    directions: ClassVar[tuple[int, ...]] = (-1, 1)

    def write(self, key, cells, dg):
        """Move by `dg` and an error; clip to the window. µS."""
        asked = dg != 0
        noise = normal(key, dg.shape, dg.dtype)
        # what has diverged must show, not land at an end of the window
        target = unless_diverged(cells.g + dg, dg)
        landed = jnp.clip(target + self.write_noise * noise, self.g_min, self.g_max)
        return Cells(jnp.where(asked, landed, cells.g)), one_pulse(dg)

    def smallest_request(self):
        """Every request but zero is written."""
        return 0.0
