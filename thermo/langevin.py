r"""A board of equal resonators as Langevin particles, for solvers made for those.

diffrax's underdamped solvers (ALIGN, ShOULD, QUICSORT) want one friction per particle.
Cells of equal L, R and noise have that in the eigenbasis of the capacitance matrix: the
flux of a mode is a position, its voltage a velocity.
"""

from dataclasses import dataclass
from typing import ClassVar

import diffrax as dfx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from thermo import checks
from thermo.circuits import RLCBoard
from thermo.precision import full_precision, in_double

__all__ = ["LangevinModes", "langevin_modes"]


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class LangevinModes:
    r"""Independent noisy resonators, one per eigenvalue of the capacitance matrix.

    $$ \mathrm dx = v\,\mathrm dt, \qquad \mathrm dv = -\gamma v\,\mathrm dt
       + (a - \omega_0^2 x)\,\mathrm dt + \sqrt{2\gamma u}\,\mathrm dW $$

    Attributes:
        friction: $\gamma = 1/(R c)$, 1/µs, `(d,)`.
        stiffness: $\omega_0^2 = 1/(L c)$, 1/µs^2, `(d,)`.
        variance: $u = \kappa R / c$, V^2, of a mode's voltage at equilibrium, `(d,)`.
        basis: from modes to nodes, `(d, d)`.
        force: a, what a constant bias current does to each mode, V/µs, `(d,)`.
    """

    friction: jax.Array
    stiffness: jax.Array
    variance: jax.Array
    basis: jax.Array
    force: jax.Array | float = 0.0

    reads_args: ClassVar[bool] = False

    @property
    def n_cells(self) -> int:
        """Number of modes, hence of noise sources."""
        return self.friction.shape[-1]

    def terms(self, noise: dfx.AbstractBrownianPath) -> dfx.MultiTerm:
        """Drift and diffusion of the state (flux, voltage), driven by `noise`."""
        pull = self.stiffness / self.variance, self.force / self.variance
        slope = jax.tree_util.Partial(_slope, *pull)
        return dfx.MultiTerm(
            dfx.UnderdampedLangevinDriftTerm(self.friction, self.variance, slope),
            dfx.UnderdampedLangevinDiffusionTerm(self.friction, self.variance, noise),
        )

    def rest(self) -> tuple[Float[Array, " d"], Float[Array, " d"]]:
        """No flux, no voltage."""
        return jnp.zeros_like(self.friction), jnp.zeros_like(self.friction)

    def readout(
        self, z: tuple[Float[Array, "time d"], Float[Array, "time d"]]
    ) -> Float[Array, "time d"]:
        """Node voltages of states."""
        return z[1] @ self.basis.T

    def jacobian(self) -> Float[Array, "d 2 2"]:
        """Slope of the drift, one block for each mode."""
        zero, one = jnp.zeros_like(self.friction), jnp.ones_like(self.friction)
        rows = jnp.array([[zero, one], [-self.stiffness, -self.friction]])
        return jnp.moveaxis(rows, -1, 0)

    def default_solver(self) -> dfx.AbstractSolver:
        """ShOULD, made for Langevin particles."""
        return dfx.ShOULD()


@full_precision
def langevin_modes(board: RLCBoard) -> LangevinModes:
    """The modes of a board whose cells have one L, one R and one noise strength.

    Args:
        board: RLC board without coil resistance, coloured noise or non-linear elements.

    Returns:
        Its modes, for `simulate` with an underdamped solver.

    Raises:
        ValueError: if cells differ, or there is something a Langevin particle lacks,
            naming the field.

    Example:
        >>> import jax.numpy as jnp
        >>> board = RLCBoard(
        ...     ground_capacitance=jnp.ones(2), coupling=jnp.zeros((2, 2)),
        ...     inductance=jnp.ones(2), resistance=jnp.ones(2), noise=jnp.ones(2))
        >>> langevin_modes(board).friction
        Array([1., 1.], dtype=float32)
    """
    if not isinstance(board, RLCBoard):
        raise ValueError(f"board = {board!r:.60}: must be an RLCBoard.")
    board.check()
    if board.varies:
        raise ValueError(
            f"bias_current = {board.bias_current!r:.60}: must be constant, a Langevin "
            "particle of diffrax feels no force that varies in time. Any other solver "
            "takes the board as it is."
        )
    board = board.in_reals()
    for name in ("inductance", "resistance", "noise"):
        _same(name, getattr(board, name))
    if board.noise_correlation_time is not None:
        raise ValueError("noise_correlation_time must be None: Langevin noise is white")
    for name in ("coil_resistance", "cubic_conductance", "saturation_current"):
        value = checks.concrete(getattr(board, name))
        if value is not None and value.any():
            raise ValueError(f"{name} = {value}: Langevin modes need it to be 0")
    checks.positive("noise", board.noise)  # a particle without friction noise rests
    capacitance, basis = in_double(jnp.linalg.eigh, capacitance=board.capacitance())
    return LangevinModes(
        friction=1 / (board.resistance * capacitance),
        stiffness=1 / (board.inductance * capacitance),
        variance=board.noise * board.resistance / capacitance,
        basis=basis,
        force=basis.T @ board.drive_current() / capacitance,
    )


def _same(name, values):
    a = checks.concrete(values)
    if a is not None and abs(a - a[0]).max() > 1e-6 * abs(a[0]):
        raise ValueError(
            f"{name} = {a}: all cells must have the same {name} for their modes to be "
            "independent. Any other solver takes the board as it is."
        )


def _slope(ratio, force, x, args):
    del args
    return ratio * x - force
