"""The SPU: capacitively coupled noisy RLC cells."""

from dataclasses import dataclass
from typing import ClassVar

import diffrax as dfx
import jax
import jax.numpy as jnp

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
class RLCBoard(AbstractBoard):
    r"""Noisy RLC cells, every pair joined by a capacitor (STATED, Eqs. 4 and 5).

    $$ \mathrm di = L^{-1}(v - r\,i)\,\mathrm dt, \qquad
       C\,\mathrm dv = (u - R^{-1} v - i)\,\mathrm dt + \sqrt{2\kappa}\,\mathrm dW $$

    $C$ is the Maxwell matrix of the capacitors. State $z = (i, v)$, then the noise
    currents if they have a colour. When $\kappa_i R_i = T^*$ for all cells and $r = 0$,
    equilibrium is $\langle v v^\mathsf T\rangle = T^* C^{-1}$,
    $\langle i i^\mathsf T\rangle = T^* L^{-1}$, $\langle i v^\mathsf T\rangle = 0$.
    A bias current u that stands still flows through the coils and only shifts the mean
    of i (with $r > 0$ also that of v, by $Z(0)\,u$); one that varies moves v. It never
    changes the covariance.

    Attributes:
        ground_capacitance: from each node to ground, nF, `(d,)`.
        coupling: capacitor between two nodes, nF, `(d, d)`, symmetric, diagonal 0.
        inductance: mH, `(d,)`.
        resistance: kΩ, `(d,)`.
        noise: strength kappa of the noise current, mA² µs, `(d,)`; half its two-sided
            spectral density at low frequency.
        coil_resistance: r, in series with each coil, kΩ, `(d,)` or one for all.
        noise_correlation_time: us; None is white noise (the number of states differs,
            so this is not a matter of a small number). INFERRED: Ornstein-Uhlenbeck.
        cubic_conductance: g3 of a node current g3 v^3, mA/V^3; for diffrax only.
        saturation_current: Is of a node current Is tanh(v/Vs), mA; for diffrax only.
        saturation_voltage: Vs, V.
        bias_current: fed into each node, mA, `(d,)` or one for all, or a function of
            the time t in µs that returns them.

    Example:
        >>> import jax.numpy as jnp
        >>> board = RLCBoard(
        ...     ground_capacitance=jnp.ones(2),
        ...     coupling=jnp.array([[0.0, 0.5], [0.5, 0.0]]),
        ...     inductance=jnp.ones(2), resistance=jnp.ones(2), noise=jnp.ones(2))
        >>> board.capacitance()
        Array([[ 1.5, -0.5],
               [-0.5,  1.5]], dtype=float32)
        >>> board.linear().drift.shape
        (4, 4)
    """

    ground_capacitance: jax.Array
    coupling: jax.Array
    inductance: jax.Array
    resistance: jax.Array
    noise: jax.Array
    coil_resistance: Scalar = 0.0
    noise_correlation_time: Scalar | None = None
    cubic_conductance: Scalar = 0.0
    saturation_current: Scalar = 0.0
    saturation_voltage: Scalar = 1.0
    bias_current: Drive = 0.0

    component_kinds: ClassVar[dict[str, str]] = {
        "ground_capacitance": "capacitance",
        "coupling": "capacitance",
        "inductance": "inductance",
        "resistance": "resistance",
        "coil_resistance": "resistance",
        "noise": "noise",
    }
    matrices: ClassVar[tuple[str, ...]] = ("coupling",)
    vectors: ClassVar[tuple[str, ...]] = (
        "ground_capacitance",
        "inductance",
        "resistance",
        "noise",
    )

    @of_reals
    def capacitance(self) -> jax.Array:
        """Maxwell capacitance matrix, nF, `(d, d)`."""
        return maxwell(self.ground_capacitance, self.coupling)

    @of_reals
    def circuit(self) -> Circuit:
        """State (i, v): see the class for the equation."""
        d = self.n_cells
        inverse = jnp.linalg.inv(self.capacitance())
        eye, zero = jnp.eye(d, dtype=inverse.dtype), jnp.zeros_like(inverse)
        coil = jnp.broadcast_to(self.coil_resistance / self.inductance, (d,))
        drift = jnp.block(
            [
                [jnp.diag(coil), -jnp.diag(1 / self.inductance)],
                [inverse, inverse / self.resistance[None, :]],
            ]
        )
        return Circuit(
            drift=drift,
            injection=jnp.concatenate([zero, inverse]),
            readout=jnp.concatenate([zero, eye], axis=1),
        )

    @of_reals
    def impedance(self, omega: Scalar) -> jax.Array:
        r"""$Z = [j\omega C + R^{-1} + (r + j\omega L)^{-1}]^{-1}$, kΩ, `(d, d)`."""
        frequency = self.frequency(omega)
        ohmic = jnp.broadcast_to(self.coil_resistance, (self.n_cells,))
        coil = jax.lax.complex(ohmic, frequency * self.inductance)
        rest = jnp.diag(1 / self.resistance), frequency * self.capacitance()
        # [Y + 1/coil]^-1 as [coil Y + 1]^-1 coil: a coil may be a short, at omega = 0.
        node = coil[:, None] * jax.lax.complex(*rest) + jnp.eye(
            len(coil), dtype=coil.dtype
        )
        return check_impedance(omega, jnp.linalg.solve(node, jnp.diag(coil)))

    def default_solver(self) -> dfx.AbstractSolver:
        """ShARK, of strong order 1.5 for additive noise: coils ring."""
        return dfx.ShARK()

    @of_reals
    def check(self) -> None:
        """Refuse component values that no circuit can have.

        Raises:
            ValueError: naming the field, its value and its bound.
        """
        self.check_shapes()
        self.check_elements()
        checks.non_negative("ground_capacitance", self.ground_capacitance)
        for name in ("inductance", "resistance"):
            checks.positive(name, getattr(self, name))
        checks.non_negative("coil_resistance", self.coil_resistance)
        check_network("coupling", self.ground_capacitance, self.coupling)
