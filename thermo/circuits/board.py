"""What every board can do: its equation for diffrax, its linear form for exact laws.

A board is a set of nodes with capacitance. Whatever else it holds, a current `J` into
the nodes moves the voltages by `C dv = J dt`. A concrete board supplies its `circuit`
(the linear part without noise); noise, its colour and non-linear elements are alike
for all and live here.
"""

import abc
from typing import Any, ClassVar, NamedTuple

import diffrax as dfx
import jax
import jax.numpy as jnp
import lineax as lx
import numpy as np

from thermo import checks
from thermo.circuits.linear import LinearForm
from thermo.precision import full_precision

Scalar = jax.Array | float


class Circuit(NamedTuple):
    """The noiseless linear part of a board.

    Attributes:
        drift: F of dz = (b - F z) dt, `(n, n)`.
        injection: what a current into each node does to dz/dt, `(n, d)`.
        readout: from states to node voltages, `(d, n)`.
        bias: b, `(n,)`.
    """

    drift: jax.Array
    injection: jax.Array
    readout: jax.Array
    bias: jax.Array


class AbstractBoard(abc.ABC):
    """Nodes with capacitance, noise currents and, if wanted, non-linear elements."""

    ground_capacitance: jax.Array
    noise: jax.Array
    noise_correlation_time: Scalar | None
    cubic_conductance: Scalar
    saturation_current: Scalar
    saturation_voltage: Scalar

    # What kind of component each field is: the name of its tolerance.
    component_kinds: ClassVar[dict[str, str]]

    @abc.abstractmethod
    def circuit(self) -> Circuit:
        """The linear part, without noise or non-linear elements."""

    @abc.abstractmethod
    def capacitance(self) -> jax.Array:
        """Capacitance matrix of the nodes, nF, `(d, d)`."""

    @abc.abstractmethod
    def impedance(self, omega: jax.Array) -> jax.Array:
        """Node impedance matrix Z at angular frequency `omega`, kOhm, complex."""

    @abc.abstractmethod
    def check(self) -> None:
        """Refuse component values that no circuit can have."""

    @property
    def n_cells(self) -> int:
        """Number of nodes, hence of noise sources."""
        return self.noise.shape[-1]

    @full_precision
    def linear(self) -> LinearForm:
        """The linear form; a board with a non-linear element has none."""
        self.check()
        for name in ("cubic_conductance", "saturation_current"):
            value = checks.concrete(getattr(self, name))
            if value is not None and value.any():
                raise ValueError(
                    f"{name} = {value}: a board with a non-linear element has no "
                    "linear form; it must be 0. Simulate it with diffrax instead."
                )
        return self._linear_part(self.circuit())

    @full_precision
    def drift(self, t: Any, z: jax.Array, args: Any = None) -> jax.Array:
        """Rate of change of the state `z`, `(n,)`; `terms` is faster in a loop."""
        circuit = self.circuit()
        return _velocity(self, self._linear_part(circuit), circuit, t, z, args)

    def diffusion(
        self, t: Any, z: jax.Array, args: Any = None
    ) -> lx.AbstractLinearOperator:
        """Noise factor as an operator from `(n_cells,)` to `(n,)`; state-free."""
        return _noise_operator(self._linear_part(self.circuit()), t, z, args)

    @full_precision
    def terms(self, noise: dfx.AbstractBrownianPath) -> dfx.MultiTerm:
        """Drift and diffusion driven by `noise`, a path of shape `(n_cells,)`.

        The capacitance matrix is inverted once, here, not at every step.
        """
        self.check()
        circuit = self.circuit()
        form = self._linear_part(circuit)
        drift = jax.tree_util.Partial(_velocity, self, form, circuit)
        diffusion = jax.tree_util.Partial(_noise_operator, form)
        return dfx.MultiTerm(dfx.ODETerm(drift), dfx.ControlTerm(diffusion, noise))

    def element_current(self, v: jax.Array) -> jax.Array:
        r"""Current $g_3 v^3 + I_s \tanh(v/V_s)$ drawn from each node, mA."""
        saturating = self.saturation_current * jnp.tanh(v / self.saturation_voltage)
        return self.cubic_conductance * v**3 + saturating

    def _linear_part(self, circuit: Circuit) -> LinearForm:
        drift, injection, readout, bias = circuit
        strength = jnp.sqrt(2 * self.noise)
        if self.noise_correlation_time is None:
            factor = injection * strength[None, :]
            return LinearForm(drift=drift, noise=factor, readout=readout, bias=bias)
        n, d = injection.shape
        rate = jnp.broadcast_to(1 / self.noise_correlation_time, (d,))
        rate = rate.astype(drift.dtype)
        zero = jnp.zeros((n, d), drift.dtype)
        return LinearForm(
            drift=jnp.block([[drift, -injection], [zero.T, jnp.diag(rate)]]),
            noise=jnp.concatenate([zero, jnp.diag(rate * strength)]),
            readout=jnp.concatenate([readout, jnp.zeros((d, d), drift.dtype)], axis=1),
            bias=jnp.concatenate([bias, jnp.zeros(d, drift.dtype)]),
        )


def maxwell(to_ground: jax.Array, between: jax.Array) -> jax.Array:
    """Node matrix of two-terminal components: symmetric, row sums = `to_ground`."""
    total = to_ground + jnp.sum(between, axis=-1)
    return jnp.diag(total) - between


def check_network(name: str, to_ground: Any, between: Any, n: int) -> None:
    """Refuse couplers that are negative, asymmetric or join a node to itself."""
    checks.non_negative(name, between)
    checks.same_size(name, between, n)
    checks.symmetric(name, between)
    value = checks.concrete(between)
    if value is not None and (own := value.diagonal()).any():
        i = int(own.nonzero()[0][0])
        raise ValueError(
            f"{name}[{i}, {i}] = {own[i]:.6g}: a coupler joins two nodes, the diagonal "
            "must be 0. What goes to ground has a field of its own."
        )
    ground = checks.concrete(to_ground)
    if ground is not None and value is not None:
        node_matrix = np.diag(ground + value.sum(-1)) - value
        checks.positive_definite(f"node matrix of {name}", node_matrix)


def check_correlation_time(value: Scalar | None) -> None:
    """Refuse a colour that is none: white noise is None, not 0."""
    if value is not None:
        checks.positive("noise_correlation_time (None is white noise)", value)


@full_precision
def _velocity(board, form, circuit, t, z, args):
    del t, args
    current = board.element_current(form.readout @ z)
    n = circuit.injection.shape[0]
    return form.velocity(z).at[:n].add(-circuit.injection @ current)


def _noise_operator(form, t, z, args):
    del t, z, args
    return lx.MatrixLinearOperator(form.noise)
