"""The SPU without its coils: passive networks of resistors and capacitors."""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from thermo import checks
from thermo.circuits.board import (
    AbstractBoard,
    Circuit,
    Scalar,
    check_impedance,
    check_network,
    maxwell,
    of_reals,
)
from thermo.circuits.drive import Drive


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class RCBoard(AbstractBoard):
    r"""Noisy RC cells joined by capacitors, by resistors, or by both.

    $$ C\,\mathrm dv = (u - G v)\,\mathrm dt + \sqrt{2\kappa}\,\mathrm dW $$

    with the Maxwell matrices $C$ of the capacitors and $G$ of the resistors (INFERRED:
    the paper's inductor-free circuit is not known). Two uses:
    resistors between cells, equal capacitors $c$ and equal $\kappa$, give
    $\langle v v^\mathsf T\rangle = (\kappa/c)\,G^{-1}$; capacitors between cells and
    $\kappa_i R_i = T^*$ give $T^* C^{-1}$, the SPU without its coils. A bias current
    u moves the mean, $G \bar v = u$ at rest, and leaves the covariance as it is; a
    voltage behind a resistor is the current V/R beside that resistor to ground.

    Attributes:
        ground_capacitance: from each node to ground, nF, `(d,)`.
        resistance: from each node to ground, kΩ, `(d,)`; infinite is allowed.
        noise: strength kappa of the noise current, mA² µs, `(d,)`.
        coupling: capacitor between two nodes, nF, `(d, d)`, or 0 for none.
        coupling_conductance: resistor between two nodes, mS, `(d, d)`, or 0 for none.
        noise_correlation_time: us; None is white noise.
        cubic_conductance: g3 of a node current g3 v^3, mA/V^3; for diffrax only.
        saturation_current: Is of a node current Is tanh(v/Vs), mA; for diffrax only.
        saturation_voltage: Vs, V.
        bias_current: fed into each node, mA, `(d,)` or one for all, or a function of
            the time t in µs that returns them.

    Example:
        >>> import jax.numpy as jnp
        >>> board = RCBoard(
        ...     ground_capacitance=jnp.ones(2), resistance=jnp.ones(2),
        ...     coupling_conductance=jnp.array([[0.0, 0.5], [0.5, 0.0]]),
        ...     noise=jnp.ones(2))
        >>> board.linear().drift
        Array([[ 1.5, -0.5],
               [-0.5,  1.5]], dtype=float32)
    """

    ground_capacitance: jax.Array
    resistance: jax.Array
    noise: jax.Array
    coupling: Scalar = 0.0
    coupling_conductance: Scalar = 0.0
    noise_correlation_time: Scalar | None = None
    cubic_conductance: Scalar = 0.0
    saturation_current: Scalar = 0.0
    saturation_voltage: Scalar = 1.0
    bias_current: Drive = 0.0

    component_kinds: ClassVar[dict[str, str]] = {
        "ground_capacitance": "capacitance",
        "coupling": "capacitance",
        "resistance": "resistance",
        "coupling_conductance": "resistance",
        "noise": "noise",
    }
    matrices: ClassVar[tuple[str, ...]] = ("coupling", "coupling_conductance")
    vectors: ClassVar[tuple[str, ...]] = ("ground_capacitance", "resistance", "noise")

    @of_reals
    def capacitance(self) -> jax.Array:
        """Maxwell capacitance matrix, nF, `(d, d)`."""
        return maxwell(self.ground_capacitance, self._between("coupling"))

    @of_reals
    def conductance(self) -> jax.Array:
        """Maxwell conductance matrix, mS, `(d, d)`."""
        return maxwell(1 / self.resistance, self._between("coupling_conductance"))

    @of_reals
    def circuit(self) -> Circuit:
        """State v: see the class for the equation."""
        inverse = jnp.linalg.inv(self.capacitance())
        return Circuit(
            drift=inverse @ self.conductance(),
            injection=inverse,
            readout=jnp.eye(self.n_cells, dtype=inverse.dtype),
        )

    @of_reals
    def impedance(self, omega: Scalar) -> jax.Array:
        r"""$Z = [j\omega C + G]^{-1}$, kΩ, `(d, d)`."""
        susceptance = self.frequency(omega) * self.capacitance()
        z = jnp.linalg.inv(jax.lax.complex(self.conductance(), susceptance))
        return check_impedance(omega, z)

    @of_reals
    def check(self) -> None:
        """Refuse component values that no circuit can have.

        Raises:
            ValueError: naming the field, its value and its bound.
        """
        self.check_shapes()
        self.check_elements()
        checks.non_negative("ground_capacitance", self.ground_capacitance)
        checks.positive("resistance", self.resistance, infinite=True)
        to_ground = {
            "coupling": self.ground_capacitance,
            "coupling_conductance": 1 / self.resistance,
        }
        for name, grounded in to_ground.items():
            check_network(name, grounded, self._between(name))

    def _between(self, name: str) -> jax.Array:
        couplers = getattr(self, name)
        return couplers if couplers.ndim else couplers * np.ones((self.n_cells,) * 2)
