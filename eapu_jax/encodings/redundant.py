"""Several copies of every cell, read together."""

from dataclasses import field
from typing import ClassVar

import jax.numpy as jnp

from eapu_jax.checks import whole
from eapu_jax.constants import constants
from eapu_jax.encodings.base import Encoding, an_encoding
from eapu_jax.encodings.single_cell import SingleCell


@constants
class Redundant:
    r"""Every weight held $m$ times; the mean of the copies counts.

    $$ W = \frac 1 m \sum_{k=1}^m W_k $$

    Independent errors of the copies shrink by $\sqrt m$, and one dead cell takes
    away the $m$-th part of a weight. All copies are written at once. Cells lie in an
    array `(m, *cells of the encoding within)`.

    Attributes:
        within: the encoding of one copy.
        copies: $m$.

    Example:
        >>> import jax.numpy as jnp
        >>> Redundant(copies=3).to_cells(jnp.ones((2, 5)), 1 / 80).shape
        (3, 2, 5)
    """

    within: Encoding = SingleCell()
    copies: int = field(default=2, metadata={"static": True})

    elementwise: ClassVar[bool] = False

    def __check__(self):
        an_encoding("Redundant.within", self.within)
        whole("Redundant.copies", self.copies, at_least=1)

    @property
    def directions(self) -> tuple[int, ...]:
        """Those of the encoding within."""
        return self.within.directions

    def to_cells(self, w, scale):
        """The same conductances `copies` times, µS."""
        g = self.within.to_cells(w, scale)
        return jnp.broadcast_to(g, (self.copies, *g.shape))

    def to_weights(self, g, scale):
        """The mean over the copies."""
        return self.within.to_weights(jnp.mean(g, axis=0), scale)

    def touched(self, hit):
        """Any of the copies."""
        return self.within.touched(jnp.any(hit, axis=0))

    def request(self, g, dw, scale):
        """The whole change to every copy, µS."""
        dg = self.within.request(jnp.mean(g, axis=0), dw, scale)
        return jnp.broadcast_to(dg, (self.copies, *dg.shape))
