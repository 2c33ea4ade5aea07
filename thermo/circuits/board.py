"""What every board can do: its equation for diffrax, its linear form for exact laws.

A board is a set of nodes with capacitance. Whatever else it holds, a current `J` into
the nodes moves the voltages by `C dv = J dt`. A concrete board supplies its `circuit`
(the linear part without noise); noise, its colour and non-linear elements are alike
for all and live here.
"""

import abc
import dataclasses
import functools
from collections.abc import Callable
from typing import Any, ClassVar, Concatenate, NamedTuple, ParamSpec, Self, TypeVar

import diffrax as dfx
import jax
import jax.numpy as jnp
import lineax as lx
import numpy as np

from thermo import checks
from thermo.circuits.drive import Drive, as_drive, at, check_drive
from thermo.circuits.linear import LinearForm
from thermo.precision import full_precision, in_double
from thermo.reals import alike, real_array

Scalar = jax.Array | float

B = TypeVar("B", bound="AbstractBoard")
P = ParamSpec("P")
T = TypeVar("T")


def of_reals(
    method: Callable[Concatenate[B, P], T],
) -> Callable[Concatenate[B, P], T]:
    """The same method, of the board whose fields are all floats of one precision.

    A field is whatever the user gave (or, in a tree, no number at all) until a method
    needs its value.
    """

    @functools.wraps(method)
    def exactly(self: B, *args: P.args, **kwargs: P.kwargs) -> T:
        return method(self.in_reals(), *args, **kwargs)

    return exactly


class Circuit(NamedTuple):
    """The noiseless linear part of a board.

    Attributes:
        drift: F of dz = (b - F z) dt, `(n, n)`; b is `injection` times the drive.
        injection: what a current into each node does to dz/dt, `(n, d)`.
        readout: from states to node voltages, `(d, n)`.
    """

    drift: jax.Array
    injection: jax.Array
    readout: jax.Array


class AbstractBoard(abc.ABC):
    """Nodes with capacitance, noise currents and, if wanted, non-linear elements."""

    ground_capacitance: jax.Array
    noise: jax.Array
    noise_correlation_time: Scalar | None
    cubic_conductance: Scalar
    saturation_current: Scalar
    saturation_voltage: Scalar
    bias_current: Drive

    # What kind of component each field is: the name of its tolerance.
    component_kinds: ClassVar[dict[str, str]]
    # Fields that are matrices `(d, d)`, and those of which each cell has its own,
    # `(d,)`. Others may be one number for all.
    matrices: ClassVar[tuple[str, ...]]
    vectors: ClassVar[tuple[str, ...]]
    # Drift and diffusion look at no `args`: what drives a board is a field of it.
    reads_args: ClassVar[bool] = False
    # Fields that may be functions of time.
    drives: ClassVar[tuple[str, ...]] = ("bias_current",)

    def __post_init__(self) -> None:
        """Functions of time are kept as trees, for `jit`."""
        for name in self.drives:
            object.__setattr__(self, name, as_drive(getattr(self, name)))

    @abc.abstractmethod
    def circuit(self) -> Circuit:
        """The linear part, without noise or non-linear elements."""

    @abc.abstractmethod
    def capacitance(self) -> jax.Array:
        """Capacitance matrix of the nodes, nF, `(d, d)`."""

    @abc.abstractmethod
    def impedance(self, omega: Scalar) -> jax.Array:
        """Node impedance matrix Z at angular frequency `omega`, kΩ, complex."""

    @abc.abstractmethod
    def check(self) -> None:
        """Refuse component values that no circuit can have."""

    @property
    def n_cells(self) -> int:
        """Number of nodes, hence of noise sources."""
        shape = real_array("noise", self.noise).shape
        if not shape or not shape[-1]:
            raise ValueError(f"noise has shape {shape}: it must be (d,), d > 0.")
        return shape[-1]

    def in_reals(self) -> Self:
        """This board with every field as floats of one precision.

        Raises:
            ValueError: naming a field that is not of real numbers.
        """
        fields = self._numbers()
        return self._with(dict(zip(fields, alike(**fields), strict=True)))

    def _numbers(self) -> dict[str, Any]:
        """All fields but those that are functions of time."""
        names = [field.name for field in dataclasses.fields(self)]  # type: ignore
        fields = {name: getattr(self, name) for name in names}
        return {name: value for name, value in fields.items() if not callable(value)}

    def _with(self, fields: dict[str, Any]) -> Self:
        return dataclasses.replace(self, **fields)  # type: ignore[type-var]

    @full_precision
    def linear(self) -> LinearForm:
        """The linear form, set up in doubles; a non-linear board has none.

        Raises:
            ValueError: naming a field that no linear circuit can have.
        """
        self.check_linear()
        return self._set_up()[1]

    def check_linear(self) -> None:
        """Refuse component values that no linear circuit can have."""
        self.check()
        for name in ("cubic_conductance", "saturation_current"):
            value = checks.values(name, getattr(self, name))
            if value is not None and value.any():
                raise ValueError(
                    f"{name} = {value}: a board with a non-linear element has no "
                    "linear form; it must be 0. Simulate it with diffrax instead."
                )

    @property
    def varies(self) -> bool:
        """Whether a drive is a function of time."""
        return any(callable(getattr(self, name)) for name in self.drives)

    def _feeds(self) -> tuple[tuple[Any, Any], ...]:
        """What drives the nodes: each drive with the mA that its unit brings."""
        return ((self.bias_current, 1.0),)

    @of_reals
    def drive_current(self, t: Scalar = 0.0) -> jax.Array:
        """Current that is fed into each node at time t, mA, `(d,)`.

        Raises:
            ValueError: if a drive gives no real numbers.
        """
        return _current(self._feeds(), self.n_cells, t, self.noise.dtype)

    def frequency(self, omega: Any) -> jax.Array:
        """An angular frequency in the precision of the board, refused if it is none."""
        checks.one_number("omega", omega)
        checks.finite("omega", omega)
        return jnp.asarray(real_array("omega", omega)).astype(self.noise.dtype)

    @full_precision
    @of_reals
    def drift(self, t: Any, z: jax.Array, args: Any = None) -> jax.Array:
        """Rate of change of the state `z`, `(n,)`; `terms` is faster in a loop."""
        circuit, form = self._set_up()
        return _velocity(self, form, circuit, t, z, args)

    @of_reals
    def diffusion(
        self, t: Any, z: jax.Array, args: Any = None
    ) -> lx.AbstractLinearOperator:
        """Noise factor as an operator from `(n_cells,)` to `(n,)`; state-free."""
        return _noise_operator(self._set_up()[1], t, z, args)

    @full_precision
    @of_reals
    def terms(self, noise: dfx.AbstractBrownianPath) -> dfx.MultiTerm:
        """Drift and diffusion driven by `noise`, a path of shape `(n_cells,)`.

        The capacitance matrix is inverted once, here, not at every step.
        """
        self.check()
        circuit, form = self._set_up()
        drift = jax.tree_util.Partial(_velocity, self, form, circuit)
        diffusion = jax.tree_util.Partial(_noise_operator, form)
        return dfx.MultiTerm(dfx.ODETerm(drift), dfx.ControlTerm(diffusion, noise))

    @of_reals
    def rest(self) -> jax.Array:
        """No voltage, no current: the state of a board that is switched off, `(n,)`."""
        drift = self._set_up()[1].drift
        return jnp.zeros(drift.shape[-1], drift.dtype)

    @full_precision
    @of_reals
    def readout(self, z: jax.Array) -> jax.Array:
        """Node voltages of states `(time, n)`, V, `(time, d)`."""
        return z @ self._set_up()[1].readout.T

    def jacobian(self) -> jax.Array:
        """Slope of the drift at rest, `(n, n)`, 1/µs."""
        return jax.jit(jax.jacfwd(lambda z: self.drift(0.0, z)))(self.rest())

    def default_solver(self) -> dfx.AbstractSolver:
        """Heun: without coils nothing rings, and it costs less than the others."""
        return dfx.Heun()

    @of_reals
    def element_current(self, v: jax.Array) -> jax.Array:
        r"""Current $g_3 v^3 + I_s \tanh(v/V_s)$ drawn from each node, mA."""
        v = jnp.asarray(real_array("v", v)).astype(self.noise.dtype)
        saturating = self.saturation_current * jnp.tanh(v / self.saturation_voltage)
        return self.cubic_conductance * v**3 + saturating

    def check_shapes(self) -> None:
        """Refuse a field of another shape than the noise says, by its name."""
        d = self.n_cells
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if field.name in self.drives:
                check_drive(field.name, value, d)
                continue
            if value is None and field.default is None:
                continue
            if field.name in self.matrices:
                allowed = (
                    [(d, d)] if field.default is dataclasses.MISSING else [(d, d), ()]
                )
            elif field.name in self.vectors:
                allowed = [(d,)]
            else:
                allowed = [(d,), ()]
            checks.shaped(field.name, value, *allowed, beside="noise")

    def check_elements(self) -> None:
        """Refuse what no non-linear element, noise or colour can be."""
        for name in ("cubic_conductance", "saturation_current"):
            checks.finite(name, getattr(self, name))
        checks.positive("saturation_voltage", self.saturation_voltage)
        checks.non_negative("noise", self.noise)
        if self.noise_correlation_time is not None:
            # White noise is None, not 0.
            checks.positive(
                "noise_correlation_time (None is white noise)",
                self.noise_correlation_time,
            )

    def _set_up(self) -> tuple[Circuit, LinearForm]:
        fields = self._numbers()

        def law(*values: Any) -> tuple[Circuit, LinearForm]:
            board = self._with(dict(zip(fields, values, strict=True)))
            circuit = board.circuit()
            return circuit, board._linear_part(circuit)

        circuit, form = in_double(law, **fields)
        if self.varies:
            rows = form.drift.shape[-1] - circuit.injection.shape[0]
            injection = jnp.pad(circuit.injection, ((0, rows), (0, 0)))
            drive = jax.tree_util.Partial(_fed, self.in_reals()._feeds(), injection)
            form = dataclasses.replace(form, drive=drive)
        return circuit, form

    def _linear_part(self, circuit: Circuit) -> LinearForm:
        drift, injection, readout = circuit
        bias = jnp.zeros(len(drift), drift.dtype)
        if not self.varies:
            bias = injection @ self.drive_current()
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


def check_impedance(omega: Any, impedance: jax.Array) -> jax.Array:
    """The impedance, refused where it is infinite."""
    value = checks.concrete(impedance)
    if value is not None and not np.isfinite(value).all():
        raise ValueError(f"omega = {omega}: the impedance is not finite there.")
    return impedance


def check_network(name: str, to_ground: Any, between: Any) -> None:
    """Refuse couplers that are negative, asymmetric or join a node to itself."""
    checks.non_negative(name, between)
    checks.symmetric(name, between)
    value = checks.values(name, between)
    if value is not None and (own := value.diagonal()).any():
        i = int(own.nonzero()[0][0])
        raise ValueError(
            f"{name}[{i}, {i}] = {own[i]:.6g}: a coupler joins two nodes, the diagonal "
            "must be 0. What goes to ground has a field of its own."
        )
    ground = checks.values(f"to ground beside {name}", to_ground)
    if ground is not None and value is not None:
        node_matrix = np.diag(ground + value.sum(-1)) - value
        checks.positive_definite(f"node matrix of {name}", node_matrix)


@full_precision
def _velocity(board, form, circuit, t, z, args):
    del args
    current = board.element_current(form.readout @ z)
    n = circuit.injection.shape[0]
    return form.velocity(z, t).at[:n].add(-circuit.injection @ current)


def _current(feeds, d, t, dtype):
    currents = [at(drive, t, dtype) * jnp.asarray(g, dtype) for drive, g in feeds]
    return jnp.broadcast_to(sum(currents), (d,))


@full_precision
def _fed(feeds, injection, t):
    """What all drives do to dz/dt at one time."""
    return injection @ _current(feeds, injection.shape[1], t, injection.dtype)


def _noise_operator(form, t, z, args):
    del t, z, args
    return lx.MatrixLinearOperator(form.noise)
