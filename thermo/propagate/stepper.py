"""What a run needs of a board, whichever way it is stepped."""

from typing import Any, ClassVar, Protocol

from jax import Array


class Stepper(Protocol):
    """What a run needs of a board: a state to begin with, and its next samples.

    Attributes:
        chunk: samples drawn at once, such that they fit in cache. It is part of the
            random stream.
    """

    chunk: ClassVar[int]

    @property
    def size(self) -> int:
        """Standard normals consumed per sample."""
        ...

    @property
    def n_readouts(self) -> int:
        """Voltages per sample."""
        ...

    def begin(self, xi: Array) -> Any:
        """A state drawn from the stationary law, from normals `(n,)`."""
        ...

    def enter(self, z0: Array) -> Any:
        """The internal form of the circuit state `z0`, `(n,)`."""
        ...

    def run(self, state: Any, xi: Array) -> tuple[Any, Array]:
        """Last state and voltages `(time, d)` of steps with normals `(time, n)`."""
        ...
