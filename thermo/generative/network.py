"""Quartic units with learned couplings: the network, its energy and its slope."""

from dataclasses import dataclass
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from thermo import checks
from thermo.counts import check_count
from thermo.reals import alike, real_array

__all__ = ["QuarticNetwork", "untrained"]

Scalar = jax.Array | float
T = TypeVar("T")

CONSTANTS = "quadratic", "quartic", "temperature", "mobility"


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class QuarticNetwork:
    r"""Overdamped units in quartic wells, visible ones first, then hidden ones.

    $$ V(x) = \sum_i (J_2 x_i^2 + J_4 x_i^4) + \sum_{a\,\mathrm{hidden}} b_a x_a
       + \sum_{i<j} J_{ij} x_i x_j, \qquad
       \mathrm dx_i = -\mu\,\partial_i V\,\mathrm dt
       + \sqrt{2\mu k_BT}\,\mathrm dW_i $$

    Visible units are joined to hidden ones alone. Form and constants are those of
    Whitelam, PRL 136, 037101 (STATED in the full text of arXiv 2609.15439, which builds
    it again).

    Attributes:
        coupling: J, E0, symmetric, 0 on the diagonal and between visible units,
            `(n, n)`.
        bias: b of the hidden units, E0, `(n_hidden,)`.
        quadratic: J2, E0.
        quartic: J4, E0.
        temperature: k_B T, E0.
        mobility: mu.
    """

    coupling: jax.Array
    bias: jax.Array
    quadratic: Scalar = 1.0
    quartic: Scalar = 1.0
    temperature: Scalar = 0.1
    mobility: Scalar = 1.0

    @property
    def n_units(self) -> int:
        """Visible and hidden units."""
        return self.coupling.shape[-1]

    @property
    def n_hidden(self) -> int:
        """Units with a bias."""
        return self.bias.shape[-1]

    @property
    def n_visible(self) -> int:
        """Units that show the image."""
        return self.n_units - self.n_hidden

    def energy(self, x: Float[Array, "*many n"]) -> Float[Array, "*many"]:
        """V of states, E0."""
        alone = self.quadratic * x**2 + self.quartic * x**4
        of_bias = x[..., self.n_visible :] @ self.bias
        return alone.sum(-1) + of_bias + ((x @ self.coupling) * x).sum(-1) / 2

    def own_slope(self, x: Float[Array, "*many n"]) -> Float[Array, "*many n"]:
        """Slope of V were the units neither coupled nor biased, E0."""
        return (2 * self.quadratic + 4 * self.quartic * x**2) * x

    def learned_slope(self, x: Float[Array, "*many n"]) -> Float[Array, "*many n"]:
        """What couplings and biases add to the slope, E0: linear in them."""
        bias = jnp.pad(self.bias, (self.n_visible, 0))
        return x @ self.coupling + jnp.broadcast_to(bias, x.shape)

    def slope(self, x: Float[Array, "*many n"]) -> Float[Array, "*many n"]:
        """Gradient of V, E0."""
        return self.own_slope(x) + self.learned_slope(x)

    def mask(self) -> Float[Array, "n n"]:
        """1 where units may be coupled."""
        hidden = np.arange(self.n_units) >= self.n_visible
        apart = (hidden[:, None] | hidden) & ~np.eye(self.n_units, dtype=bool)
        return jnp.asarray(apart, self.coupling.dtype)

    def kick(self, dt: Scalar) -> Scalar:
        """Standard deviation of what noise adds to a unit in one step."""
        return (2 * self.mobility * self.temperature * dt) ** 0.5

    def check(self) -> None:
        """Refuse a network that is none.

        Raises:
            ValueError: naming the field, its value and its bound.
        """
        checks.many("bias", self.bias)
        checks.finite("bias", self.bias)
        _check_symmetric(self.coupling)
        _check_hidden(self.n_units, self.n_hidden)
        coupling = checks.values("coupling", self.coupling)
        if coupling is not None:
            _check_absent(coupling, self.n_visible)
        for name in CONSTANTS[1:]:
            checks.interval(name, getattr(self, name))
        checks.one_number("quadratic", self.quadratic)
        checks.finite("quadratic", self.quadratic)


def untrained(n_visible: int, n_hidden: int, **constants: Scalar) -> QuarticNetwork:
    """A network before training: neither couplings nor biases.

    Args:
        n_visible: units that show the image.
        n_hidden: other units.
        **constants: `quadratic`, `quartic`, `temperature`, `mobility`.

    Raises:
        ValueError: if there are no units of either kind, or a constant is not positive.

    Example:
        >>> untrained(4, 3).n_units
        7
    """
    check_count("n_visible", n_visible)
    check_count("n_hidden", n_hidden)
    n = n_visible + n_hidden
    made = QuarticNetwork(
        coupling=jnp.zeros((n, n)), bias=jnp.zeros(n_hidden), **constants
    )
    made.check()
    return made


def _check_symmetric(coupling: jax.Array) -> None:
    """Up to rounding of the largest one: small ones are sums of large terms."""
    checks.square("coupling", coupling)
    checks.finite("coupling", coupling)
    found = checks.values("coupling", coupling)
    if found is not None:
        checks.symmetric("coupling", found + np.abs(found).max() * np.eye(len(found)))


def _check_hidden(n_units: int, n_hidden: int) -> None:
    if n_hidden >= n_units:
        raise ValueError(
            f"bias has shape ({n_hidden},) beside {n_units} units of coupling: at "
            f"least one unit must be visible, so it must be (k,), k < {n_units}."
        )


def _check_absent(coupling: np.ndarray, n_visible: int) -> None:
    absent = np.eye(len(coupling), dtype=bool)
    absent[:n_visible, :n_visible] = True
    bad = np.argwhere(absent & (coupling != 0))
    if len(bad):
        i, j = bad[0]
        raise ValueError(
            f"coupling[{i}, {j}] = {coupling[i, j]:.6g}: must be 0 on the diagonal and "
            f"between the first {n_visible} units, which are visible."
        )


def ready(network: QuarticNetwork) -> QuarticNetwork:
    """A network to compute with; anything else is refused.

    Raises:
        ValueError: naming what it is, or the field that is wrong.
    """
    if not isinstance(network, QuarticNetwork):
        raise ValueError(f"network = {network!r:.80}: must be a QuarticNetwork.")
    network.check()
    coupling, bias = alike(coupling=network.coupling, bias=network.bias)
    coupling = jnp.asarray(coupling)
    constants = {c: number(c, getattr(network, c), coupling.dtype) for c in CONSTANTS}
    return QuarticNetwork(coupling=coupling, bias=jnp.asarray(bias), **constants)


def number(name: str, x: Scalar, dtype: Any) -> jax.Array:
    """One number in a precision."""
    return jnp.asarray(real_array(name, x)).astype(dtype)


def ready_step(name: str, network: QuarticNetwork, x: Scalar) -> jax.Array:
    """A positive number, such as a step or a rate, in the precision of the network.

    Raises:
        ValueError: naming it.
    """
    checks.interval(name, x)
    return number(name, x, network.coupling.dtype)


def ready_states(
    name: str, network: QuarticNetwork, x: jax.Array, ndim: int
) -> jax.Array:
    """States of the network in its precision, `(n,)` or `(k, n)`.

    Raises:
        ValueError: naming the states and the shape that they must have.
    """
    x = real_array(name, x)
    if x.ndim != ndim or x.shape[-1] != network.n_units or 0 in x.shape:
        wanted = "(n,)" if ndim == 1 else "(k, n)"
        raise ValueError(
            f"{name} has shape {x.shape}: it must be {wanted}, with "
            f"n = {network.n_units} units."
        )
    checks.finite(name, x)
    return jnp.asarray(x).astype(network.coupling.dtype)


def ready_path(
    network: QuarticNetwork, path: jax.Array, dt: Scalar
) -> tuple[QuarticNetwork, jax.Array, jax.Array]:
    """A network, a path `(steps + 1, n)` and a step, once they are checked.

    Raises:
        ValueError: naming what is wrong.
    """
    network = ready(network)
    path = ready_states("path", network, path, 2)
    if path.shape[0] < 2:
        raise ValueError(f"path has shape {path.shape}: it must hold 2 or more states.")
    return network, path, ready_step("dt", network, dt)


def sound(found: T, *names: str) -> T:
    """A result that is finite; while it is traced, any.

    Raises:
        ValueError: naming the arguments that are too large together.
    """
    for leaf in jax.tree.leaves(found):
        a = checks.concrete(leaf)
        if a is not None and not np.isfinite(a).all():
            raise ValueError(
                f"{' and '.join(names)}: the result is not finite in {a.dtype}. The "
                "quartic well overflows where states are too large or steps too long: "
                "in the default units a step of 2.5e-3 is safe, one of 1e-2 is not."
            )
    return found
