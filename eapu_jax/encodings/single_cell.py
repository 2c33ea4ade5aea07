"""One cell per weight, held against a fixed reference."""

from typing import ClassVar

from eapu_jax.checks import quantity
from eapu_jax.constants import constants
from eapu_jax.devices.base import Scalar


@constants
class SingleCell:
    r"""One cell per weight against a fixed reference conductance.

    $$ W = s\,(G - G_\mathrm{ref}) $$

    With a reference of 0 the conductance itself is signed: what is simulated is
    the difference. Whether the EaPU hardware uses one cell or a pair per weight is
    UNKNOWN; one write error per update fits either with one cell rewritten.

    Attributes:
        reference: $G_\mathrm{ref}$, µS.

    Example:
        >>> import jax.numpy as jnp
        >>> SingleCell(reference=50.0).to_cells(jnp.array([[0.5, -0.25]]), 1 / 80)
        Array([[90., 30.]], dtype=float32)
    """

    reference: Scalar = quantity(0.0)

    elementwise: ClassVar[bool] = True

    @property
    def directions(self) -> tuple[int, ...]:
        """Both: what is asked of a weight is asked of its cell."""
        return (-1, 1)

    def to_cells(self, w, scale):
        """Conductances of the cells, shaped like the weights, µS."""
        return w / scale + self.reference

    def to_weights(self, g, scale):
        """The weights that the cells stand for."""
        return (g - self.reference) * scale

    def touched(self, hit):
        """A weight is its cell."""
        return hit

    def request(self, g, dw, scale):
        """The whole change goes to the one cell, µS."""
        del g
        return dw / scale
