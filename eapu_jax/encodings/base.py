"""What stands between weights and cells."""

from typing import Any, ClassVar, Protocol

from jaxtyping import Array, Bool, Float

from eapu_jax.checks import able
from eapu_jax.devices.base import Scalar


class Encoding(Protocol):
    r"""One scheme by which cells stand for weights, $W = s\,E(G)$.

    `scale` is $s$, weight per conductance (1/µS), a number or one per column of the
    weights. `to_weights` is linear in the conductances and keeps the rows of a
    matrix (its second last axis) apart, so it decodes currents as well, and its
    transpose gives the drive of a transposed product.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    elementwise: ClassVar[bool]
    """Whether a weight is a function of the one cell at its place in the array."""

    @property
    def directions(self) -> tuple[int, ...]:
        """The signs of the requests that this scheme sends to a cell."""
        ...

    def to_cells(
        self, w: Float[Array, "*weights"], scale: Scalar
    ) -> Float[Array, "*cells"]:
        """Conductances (µS) that stand for the weights."""
        ...

    def to_weights(
        self, g: Float[Array, "*cells"], scale: Scalar
    ) -> Float[Array, "*weights"]:
        """The weights that conductances (µS) stand for."""
        ...

    def touched(self, hit: Bool[Array, "*cells"]) -> Bool[Array, "*weights"]:
        """Which weights have a cell among these."""
        ...

    def request(
        self, g: Float[Array, "*cells"], dw: Float[Array, "*weights"], scale: Scalar
    ) -> Float[Array, "*cells"]:
        """Changes of conductance (µS) that together change the weights by `dw`."""
        ...


def an_encoding(name: str, thing: Any) -> None:
    """Refuse what is no encoding."""
    methods = ("to_cells", "to_weights", "request")
    able(name, thing, methods, "an encoding, SingleCell()")
