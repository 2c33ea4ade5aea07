"""The op-amp integrator array: any stable matrix, no coils."""

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from thermo import checks
from thermo.circuits.board import (
    AbstractBoard,
    Circuit,
    Scalar,
    check_impedance,
    of_reals,
)
from thermo.circuits.drive import Drive


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class OpAmpBoard(AbstractBoard):
    r"""Op-amp integrators fed back through a resistor array (STATED, TNGD App. C).

    $$ C\,\mathrm dv = (u + R^{-1} v_\mathrm{in} - G v)\,\mathrm dt
       + \sqrt{2\kappa}\,\mathrm dW $$

    The matrix $G$ sits in the potential and may be any matrix with a stable drift:
    the mean solves $G \bar v = u + R^{-1} v_\mathrm{in}$, and with equal $c$ and
    $\kappa$ and symmetric $G$ the covariance is $(\kappa/c)\,G^{-1}$.

    Attributes:
        conductance: $G$, mS, `(d, d)`.
        ground_capacitance: integrating capacitors, nF, `(d,)`.
        noise: strength kappa of the noise current, mA² µs, `(d,)`.
        input_voltage: V, `(d,)` or one for all, or a function of the time t in µs that
            returns them.
        input_resistance: kΩ, `(d,)` or one for all.
        noise_correlation_time: us; None is white noise.
        cubic_conductance: g3 of a node current g3 v^3, mA/V^3; for diffrax only.
        saturation_current: Is of a node current Is tanh(v/Vs), mA; for diffrax only.
        saturation_voltage: Vs, V.
        bias_current: fed into each node, mA, `(d,)` or one for all, or a function of
            the time t in µs that returns them.

    Example:
        >>> import jax.numpy as jnp
        >>> g = jnp.array([[2.0, 1.0], [1.0, 2.0]])  # positive couplings are fine here
        >>> board = OpAmpBoard(
        ...     conductance=g, ground_capacitance=jnp.ones(2), noise=jnp.ones(2),
        ...     input_voltage=jnp.array([3.0, 3.0]))
        >>> form = board.linear()
        >>> jnp.linalg.solve(form.drift, form.bias)  # the mean voltage
        Array([1., 1.], dtype=float32)
    """

    conductance: jax.Array
    ground_capacitance: jax.Array
    noise: jax.Array
    input_voltage: Drive = 0.0
    input_resistance: Scalar = 1.0
    noise_correlation_time: Scalar | None = None
    cubic_conductance: Scalar = 0.0
    saturation_current: Scalar = 0.0
    saturation_voltage: Scalar = 1.0
    bias_current: Drive = 0.0

    component_kinds: ClassVar[dict[str, str]] = {
        "conductance": "resistance",
        "ground_capacitance": "capacitance",
        "input_resistance": "resistance",
        "noise": "noise",
    }
    matrices: ClassVar[tuple[str, ...]] = ("conductance",)
    vectors: ClassVar[tuple[str, ...]] = ("ground_capacitance", "noise")
    drives: ClassVar[tuple[str, ...]] = ("bias_current", "input_voltage")

    @of_reals
    def capacitance(self) -> jax.Array:
        """Diagonal matrix of the integrating capacitors, nF, `(d, d)`."""
        return jnp.diag(self.ground_capacitance)

    @of_reals
    def circuit(self) -> Circuit:
        """State v: see the class for the equation."""
        inverse = jnp.diag(1 / self.ground_capacitance)
        return Circuit(
            drift=self.conductance / self.ground_capacitance[:, None],
            injection=inverse,
            readout=jnp.eye(self.n_cells, dtype=inverse.dtype),
        )

    def _feeds(self) -> tuple[tuple[Any, Any], ...]:
        """The bias current, and the input voltage through its resistance."""
        through = 1 / self.input_resistance
        return (*super()._feeds(), (self.input_voltage, through))

    @of_reals
    def impedance(self, omega: Scalar) -> jax.Array:
        r"""$Z = [j\omega C + G]^{-1}$, kΩ, `(d, d)`."""
        susceptance = self.frequency(omega) * self.capacitance()
        z = jnp.linalg.inv(jax.lax.complex(jnp.asarray(self.conductance), susceptance))
        return check_impedance(omega, z)

    @of_reals
    def check(self) -> None:
        """Refuse component values that no circuit can have.

        Raises:
            ValueError: naming the field, its value and its bound.
        """
        self.check_shapes()
        self.check_elements()
        checks.positive("ground_capacitance", self.ground_capacitance)
        checks.positive("input_resistance", self.input_resistance)
        checks.finite("conductance", self.conductance)
