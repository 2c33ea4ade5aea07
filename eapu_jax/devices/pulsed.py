"""What devices share that are driven by trains of identical pulses."""

from typing import Any, ClassVar

import jax.numpy as jnp

from eapu_jax.checks import quantity
from eapu_jax.constants import constants
from eapu_jax.devices.base import Cells, Pulses, Scalar, unless_diverged
from eapu_jax.devices.still import Still
from prng.normals import normal


@constants
class PulseSteps:
    """What whoever writes takes for the steps of a cell.

    Attributes:
        up: of one pulse upwards, µS.
        down: of one pulse downwards, µS.
    """

    up: Scalar = quantity(0.5, above=0)
    down: Scalar = quantity(0.5, above=0)


class Pulsed(Still):
    r"""Cells that identical pulses move, each by a step that depends on where they are.

    A request $\Delta g$ is sent as $n = \mathrm{round}(|\Delta g| / p)$ pulses, with
    $p$ the step of its direction that the writer reckons with; a request of up to half
    a step does nothing. That is the step of the device itself, unless `reckoned` says
    otherwise: the cells of `sample_chip` stray from a nominal device, and only the
    nominal one is known to whoever writes. The train adds
    $\sqrt n\,\sigma\,\mathcal N(0, 1)$ to what a device says it does without noise,
    and the result stays in the window.

    A device that is one adds `pulse`, `down_ratio`, `write_noise`, `read_noise`,
    `g_min`, `g_max`, `reckoned`, and `after`.
    """

    directions: ClassVar[tuple[int, ...]] = (-1, 1)

    pulse: Scalar
    down_ratio: Scalar
    write_noise: Scalar
    reckoned: Any
    """The `PulseSteps` that whoever writes reckons with; its own when None."""

    def __check__(self):
        if self.reckoned is not None and not isinstance(self.reckoned, PulseSteps):
            name = f"{type(self).__name__}.reckoned"
            raise ValueError(f"{name} must be PulseSteps(), got {self.reckoned!r}")

    def after(self, g, n, up):
        """Where `n` pulses, upwards or downwards, bring a cell at `g`, without noise.

        `n` pulses in two trains must equal `n` pulses in one.
        """
        raise NotImplementedError

    def write(self, key, cells, dg):
        """Send the pulses that `dg` asks for. µS."""
        up = dg > 0
        n = jnp.round(jnp.abs(dg) / self.known(up))
        noise = jnp.sqrt(n) * normal(key, dg.shape, dg.dtype)
        moved = self.after(cells.g, n, up) + self.noise(cells.g, n, up) * noise
        landed = jnp.clip(moved, self.g_min, self.g_max)
        # what has diverged must show, not land at an end of the window
        landed = unless_diverged(landed, dg)
        return Cells(jnp.where(n == 0, cells.g, landed)), pulses(n, dg)

    def known(self, up):
        """The step that the writer reckons with, µS."""
        if self.reckoned is None:
            return self.step(up)
        return jnp.where(up, self.reckoned.up, self.reckoned.down)

    def step(self, up):
        """The step of one pulse at the middle of the window, µS."""
        return jnp.where(up, self.pulse, self.pulse * self.down_ratio)

    def noise(self, g, n, up):
        """Standard deviation of one pulse, µS."""
        del g, n, up
        return self.write_noise

    def smallest_request(self):
        """Half a pulse of the larger step, µS: below it nothing may be sent."""
        return jnp.maximum(self.known(True), self.known(False)) / 2


def pulses(n, dg) -> Pulses:
    """`n` pulses in the direction of `dg`, as whole numbers that cannot overflow.

    What has diverged counts as one.
    """
    count = jnp.nan_to_num(jnp.minimum(n, 2.0**30), nan=1.0).astype(jnp.int32)
    return Pulses(jnp.where(dg > 0, count, 0), jnp.where(dg > 0, 0, count))
