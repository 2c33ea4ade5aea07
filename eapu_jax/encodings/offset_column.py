"""One cell per weight, and one column that all others are held against."""

from typing import ClassVar

import jax.numpy as jnp

from eapu_jax.checks import quantity
from eapu_jax.constants import constants
from eapu_jax.devices.base import Scalar


@constants
class OffsetColumn:
    r"""One cell per weight and one reference cell per row.

    $$ W_{ij} = s\,(G_{ij} - G_{i,\mathrm{ref}}) $$

    The reference cells are the last column of the array, real cells with noise,
    spread and drift of their own; they are written once, at deployment. Cells have
    the shape of the weights with one column more.

    Attributes:
        rest: conductance of the reference cells, µS.

    Example:
        >>> import jax.numpy as jnp
        >>> encoding = OffsetColumn(rest=50.0)
        >>> g = encoding.to_cells(jnp.array([[0.5, -0.25]]), 1 / 80)
        >>> g.tolist(), encoding.to_weights(g, 1 / 80).tolist()
        ([[90.0, 30.0, 50.0]], [[0.5, -0.25]])
    """

    rest: Scalar = quantity(50.0)

    elementwise: ClassVar[bool] = False

    @property
    def directions(self) -> tuple[int, ...]:
        """Both: what is asked of a weight is asked of its cell."""
        return (-1, 1)

    def to_cells(self, w, scale):
        """Conductances of the cells, reference last, µS."""
        g = w / scale + self.rest
        return jnp.concatenate([g, jnp.full_like(g[..., :1], self.rest)], axis=-1)

    def to_weights(self, g, scale):
        """The weights that the cells stand for."""
        return (g[..., :-1] - g[..., -1:]) * scale

    def touched(self, hit):
        """A weight's own cell; the reference is never pulsed."""
        return hit[..., :-1]

    def request(self, g, dw, scale):
        """The whole change goes to the weight's own cell, µS."""
        del g
        dg = dw / scale
        return jnp.concatenate([dg, jnp.zeros_like(dg[..., :1])], axis=-1)
