"""What the door to diffrax asks of a system: five answers, from a board or your own."""

from typing import Any, Protocol

import diffrax as dfx
from jaxtyping import Array, Float

VERBS = ("rest", "readout", "jacobian", "terms", "default_solver")


class System(Protocol):
    """A stochastic differential equation with something to read.

    Boards and `LangevinModes` are systems, and so is any class of yours that answers
    to these; none needs to be inherited from. For `jit` and `vmap` it is a pytree. A
    method `check()` is called first, where there is one: it refuses impossible values.

    Attributes:
        n_cells: independent noises that drive it.

    One that has `reads_args = False` is refused an `args` that it would ignore.
    """

    @property
    def n_cells(self) -> int:
        """Number of independent noises."""
        ...

    def rest(self) -> Any:
        """The state of a system that is switched off: an array, or a tree of them."""
        ...

    def readout(self, z: Any) -> Float[Array, "time d"]:
        """What is seen of states with a leading axis of time."""
        ...

    def jacobian(self) -> Float[Array, "... n n"]:
        """Slope of the drift at rest, 1/µs; its eigenvalues choose the steps."""
        ...

    def terms(self, noise: dfx.AbstractBrownianPath) -> dfx.AbstractTerm:
        """Drift and diffusion for diffrax, driven by a path of shape `(n_cells,)`."""
        ...

    def default_solver(self) -> dfx.AbstractSolver:
        """A solver that fits the equation."""
        ...


def check_system(board: Any) -> None:
    """Refuse what is no system, saying what it lacks, and impossible values.

    Raises:
        ValueError: if a method of `System` is missing, or by `check` of the system.
    """
    if isinstance(board, type):
        raise ValueError(f"board = {board!r:.60}: must be a System, not its class.")
    lacks = [name for name in (*VERBS, "n_cells") if not hasattr(board, name)]
    if lacks:
        raise ValueError(
            f"board = {board!r:.60}: must be a board, LangevinModes or another System; "
            f"it lacks {', '.join(lacks)}."
        )
    if hasattr(board, "check"):
        board.check()
