"""What every memristor model can do."""

from typing import Any, ClassVar, NamedTuple, Protocol, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Key

from eapu_jax.checks import able

Scalar: TypeAlias = jax.Array | float
"""One number per device, or one per cell: anything that broadcasts to the cells."""


class Pulses(NamedTuple):
    """How many pulses every cell got, by sign: counts, or masks of one at most.

    Attributes:
        up: pulses that ask for more conductance.
        down: pulses that ask for less.
    """

    up: Int[Array, "*cells"] | Bool[Array, "*cells"]
    down: Int[Array, "*cells"] | Bool[Array, "*cells"]

    @property
    def sent(self) -> jax.Array:
        """Which cells got a pulse at all: these are counted as written."""
        return self.up.astype(bool) | self.down.astype(bool)


def one_pulse(dg: Float[Array, "*cells"]) -> Pulses:
    """One pulse for every request that is not zero, in its direction.

    Example:
        >>> import jax.numpy as jnp
        >>> one_pulse(jnp.array([-2.0, 0.0, 0.1])).down.tolist()
        [True, False, False]
    """
    up = dg > 0
    return Pulses(up, (dg != 0) & ~up)


def unless_diverged(landed: jax.Array, dg: Float[Array, "*cells"]) -> jax.Array:
    """Where cells land; NaN, so that it shows, where the request was not finite.

    Only what has diverged makes a NaN: `jax_debug_nans` finds nothing else.
    """
    return jnp.where(jnp.isfinite(dg), landed, (dg - dg).astype(landed.dtype))


class Cells(NamedTuple):
    """The state of cells that remember their conductance and nothing else.

    A device whose cells remember more (an age, a drift exponent, a wear count)
    has a NamedTuple of its own. Every leaf has the shape of the cells.

    Attributes:
        g: conductance, µS.
    """

    g: Float[Array, "*cells"]


class Device(Protocol):
    """One memristor model: what a cell remembers, how it is written, read, how it ages.

    All conductances are in µS, times in s. A device is a pytree of constants,
    written for the cells of one array: everything works element by element, so
    `vmap` over a device makes a population, and the cells of many arrays can be
    laid in one buffer.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    directions: ClassVar[tuple[int, ...]]
    """The signs in which a cell can be pulsed: (-1, 1), or (1,) if one-sided."""

    volatile: ClassVar[bool]
    """Whether the cells move by themselves as time passes."""

    @property
    def g_min(self) -> Any:
        """Lowest conductance of a cell, µS; -inf where the window is open."""
        ...

    @property
    def g_max(self) -> Any:
        """Highest conductance of a cell, µS; inf where the window is open."""
        ...

    def init(self, key: Key[Array, ""], g: Float[Array, "*cells"]) -> Any:
        """Fresh cells that stand at `g`, or at the end of the window next to it."""
        ...

    def put(self, cells: Any, g: Float[Array, "*cells"]) -> Any:
        """The same cells moved to `g` (µS), all else that they remember kept.

        For devices built around another one; no pulse is sent, nothing is clipped.
        """
        ...

    def conductance(self, cells: Any) -> Float[Array, "*cells"]:
        """Where the cells stand now, without read noise."""
        ...

    def write(
        self, key: Key[Array, ""], cells: Any, dg: Float[Array, "*cells"]
    ) -> tuple[Any, Pulses]:
        """Request a change `dg`; a cell that gets no pulse comes back untouched."""
        ...

    def advance(self, key: Key[Array, ""], cells: Any, dt: Scalar) -> Any:
        """Let `dt` pass. Zero time changes nothing."""
        ...

    def read(self, key: Key[Array, ""], cells: Any) -> Float[Array, "*cells"]:
        """What one read of the cells returns."""
        ...

    def read_std(self, cells: Any) -> Scalar:
        """Standard deviation of one read, broadcastable to the cells."""
        ...

    def smallest_request(self) -> Scalar:
        """Requests of at most this size, abs(dg), send no pulse; 0 where all do."""
        ...


def a_device(name: str, thing: Any) -> None:
    """Refuse what is no device."""
    methods = ("init", "conductance", "write", "advance", "read", "read_std")
    able(name, thing, methods, "a device, AdditiveError()")
