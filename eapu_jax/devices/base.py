"""What every memristor model can do."""

from typing import Any, ClassVar, Protocol, TypeAlias

import jax
from jaxtyping import Array, Bool, Float, Key

Scalar: TypeAlias = jax.Array | float
"""One number per device, or one per cell: anything that broadcasts to the cells."""


class Device(Protocol):
    """One memristor model: how a cell is written, read, and how it ages.

    All conductances are in µS, times in s. A device is written for the cells of
    one array; `vmap` over the device makes a population.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    volatile: ClassVar[bool]
    """Whether the conductance moves by itself after a write."""

    def write(
        self, key: Key[Array, ""], g: Float[Array, "*cells"], dg: Float[Array, "*cells"]
    ) -> Float[Array, "*cells"]:
        """Request a change `dg`; a cell with `dg == 0` comes back untouched."""
        ...

    def pulsed(self, dg: Float[Array, "*cells"]) -> Bool[Array, "*cells"]:
        """Which requests send their cell a pulse: these are counted as writes."""
        ...

    def read(
        self, key: Key[Array, ""], g: Float[Array, "*cells"]
    ) -> Float[Array, "*cells"]:
        """What one read of the cells returns."""
        ...

    def relax(
        self,
        key: Key[Array, ""],
        g: Float[Array, "*cells"],
        age: Float[Array, "*cells"],
        dt: Scalar,
    ) -> Float[Array, "*cells"]:
        """Let `dt` pass for cells that were written `age` ago."""
        ...
