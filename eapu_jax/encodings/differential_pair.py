"""Two cells per weight: their difference counts."""

from dataclasses import field
from typing import ClassVar, Literal

import jax.numpy as jnp

from eapu_jax.checks import one_of, quantity
from eapu_jax.constants import constants
from eapu_jax.devices.base import Scalar

Policy = Literal["plus", "up", "both"]


@constants
class DifferentialPair:
    r"""A weight as the difference of two cells, $W = s\,(G_+ - G_-)$.

    Cells lie in an array `(2, *weights)`, first $G_+$, then $G_-$. Which of the two
    is written is the policy:

    - `"plus"`: $G_+$ alone, in both directions; $G_-$ is a frozen reference.
    - `"up"`: never downwards: $G_+$ for an increase, $G_-$ for a decrease. For
      one-sided cells (phase change); both drift towards their limit in time.
    - `"both"`: half the change to each, of opposite sign.

    Attributes:
        rest: conductance of a cell that carries nothing, µS: a weight of 0 is two
            cells at rest.
        policy: which cell is written.

    Example:
        >>> import jax.numpy as jnp
        >>> pair = DifferentialPair(rest=1.0, policy="up")
        >>> g = pair.to_cells(jnp.array([[0.5, -0.25]]), 1 / 80)
        >>> g.tolist()
        [[[41.0, 1.0]], [[1.0, 21.0]]]
        >>> pair.request(g, jnp.array([[0.1, -0.1]]), 1 / 80).tolist()
        [[[8.0, 0.0]], [[0.0, 8.0]]]
    """

    rest: Scalar = quantity(0.0)
    policy: Policy = field(default="plus", metadata={"static": True})

    elementwise: ClassVar[bool] = False

    def __check__(self):
        one_of("DifferentialPair.policy", self.policy, ("plus", "up", "both"))

    @property
    def directions(self) -> tuple[int, ...]:
        """Signs of the requests: upwards alone under the policy "up"."""
        return (1,) if self.policy == "up" else (-1, 1)

    def to_cells(self, w, scale):
        """Conductances `(2, *weights)`: the carrier above rest, the other at rest."""
        g = w / scale
        return self.rest + jnp.stack([jnp.maximum(g, 0), jnp.maximum(-g, 0)])

    def to_weights(self, g, scale):
        """The weights that the pairs stand for."""
        return (g[0] - g[1]) * scale

    def touched(self, hit):
        """Either of the two."""
        return hit[0] | hit[1]

    def request(self, g, dw, scale):
        """The change of either cell, µS."""
        del g
        dg = dw / scale
        if self.policy == "up":
            return jnp.stack([jnp.maximum(dg, 0), jnp.maximum(-dg, 0)])
        if self.policy == "both":
            return jnp.stack([dg / 2, -dg / 2])
        return jnp.stack([dg, jnp.zeros_like(dg)])
