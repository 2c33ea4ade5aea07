"""All that lies between the digital side and the cells of one array."""

from dataclasses import field
from typing import Any

from eapu_jax.checks import quantity, whole
from eapu_jax.constants import constants
from eapu_jax.devices.base import Scalar
from eapu_jax.periphery.converters import Adc, Dac


@constants
class Periphery:
    r"""Converters, wires and tiles of the arrays of one layer; ideal by default.

    A product is $y = C s \sum_t Q_\mathrm{ADC}\bigl(\sum_{i \in t} v_i E(G)_{ij}
    + \xi\bigr)$ with $v = Q_\mathrm{DAC}(x / C)$, $\xi$ the read noise, $t$ the
    tiles. Differences of cells are taken before the ADC.

    Attributes:
        dac: of the inputs; None: $v = x$.
        adc: of every column of every tile; None: ideal.
        backward_dac: of the gradients in the transposed product of
            `gradient="array"`; None: ideal.
        backward_adc: likewise.
        line_resistance: of a wire from one cell to the next, Ω; None: wires are
            ideal. The cells must then be real ones, of conductance >= 0.
        tile: largest rows and columns of one physical array, in weights; each tile
            has converters of its own, and partial sums are digital. None: one array.

    Raises:
        ValueError: on a constant out of bounds.
    """

    dac: Dac | None = None
    adc: Adc | None = None
    backward_dac: Dac | None = None
    backward_adc: Adc | None = None
    line_resistance: Scalar | None = quantity(None, at_least=0)
    tile: tuple[int, int] | None = field(default=None, metadata={"static": True})

    def __check__(self):
        for name in ("dac", "backward_dac"):
            _kind(name, getattr(self, name), Dac)
        for name in ("adc", "backward_adc"):
            _kind(name, getattr(self, name), Adc)
        if self.tile is None:
            return
        if not isinstance(self.tile, tuple) or len(self.tile) != 2:
            raise ValueError(
                f"Periphery.tile must be (rows, columns), got {self.tile!r}"
            )
        for size in self.tile:
            whole("Periphery.tile", size, at_least=1)

    def grid(self, rows: int, columns: int) -> tuple[int, int, int, int]:
        """Tiles down, rows of each, tiles across, columns of each.

        Example:
            >>> Periphery(tile=(128, 128)).grid(300, 100)
            (3, 128, 1, 100)
        """
        r, c = (rows, columns) if self.tile is None else self.tile
        r, c = max(min(r, rows), 1), max(min(c, columns), 1)
        return -(-rows // r), r, -(-columns // c), c


def _kind(name: str, thing: Any, kind: type) -> None:
    if thing is not None and not isinstance(thing, kind):
        raise ValueError(
            f"Periphery.{name} must be None or {kind.__name__}(...), got {thing!r}"
        )
