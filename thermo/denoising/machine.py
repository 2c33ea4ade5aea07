"""A Boltzmann machine on spins, and the parameters that thrml gives it."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from thermo import checks
from thermo.reals import alike, real_array

__all__ = ["BoltzmannMachine", "Thrml", "from_thrml", "to_thrml"]


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class BoltzmannMachine:
    r"""Spins that like or dislike each other, in equilibrium with a bath.

    $$ E(s) = -\sum_{i<j} J_{ij}s_is_j - \sum_i b_is_i, \qquad
       P(s) \propto e^{-E(s)}, \qquad
       P(s_i = 1\,|\,\text{rest}) = \sigma\Bigl(2\bigl(\textstyle\sum_j J_{ij}s_j
       + b_i\bigr)\Bigr) $$

    Every pair counts once, energies are in k_B T. The denoising papers write a beta
    before both terms (STATED-2nd, and STATED in the code of thrml): it is a factor on
    J and b here, see `from_thrml`.

    Attributes:
        coupling: J, symmetric, 0 on the diagonal, `(n, n)`.
        bias: b, `(n,)`.

    Example:
        >>> pair = BoltzmannMachine(
        ...     coupling=jnp.array([[0.0, 1.0], [1.0, 0.0]]), bias=jnp.zeros(2)
        ... )
        >>> pair.energy(jnp.array([[1.0, 1.0], [1.0, -1.0]]))
        Array([-1.,  1.], dtype=float32)
    """

    coupling: jax.Array
    bias: jax.Array

    @property
    def n_spins(self) -> int:
        """How many."""
        return self.bias.shape[-1]

    def energy(self, spins: Float[Array, "*many n"]) -> Float[Array, "*many"]:
        """E of states, k_B T."""
        return -((spins @ self.coupling) * spins).sum(-1) / 2 - spins @ self.bias

    def pull(self, spins: Float[Array, "*many n"]) -> Float[Array, "*many n"]:
        """What all others do to each spin: half of what its flip down costs, k_B T."""
        return spins @ self.coupling + jnp.broadcast_to(self.bias, spins.shape)

    def check(self) -> None:
        """Refuse a machine that is none.

        Raises:
            ValueError: naming the field, its value and its bound.
        """
        checks.many("bias", self.bias)
        checks.finite("bias", self.bias)
        n = self.n_spins
        checks.same_size("coupling", self.coupling, n, beside="bias")
        checks.finite("coupling", self.coupling)
        found = checks.values("coupling", self.coupling)
        if found is None:
            return
        size = np.abs(found).max() + 1.0
        checks.symmetric("coupling", found + size * np.eye(n))
        own = np.diagonal(found)
        if np.any(own != 0):
            i = int(np.flatnonzero(own)[0])
            raise ValueError(f"coupling[{i}, {i}] = {own[i]:.6g}: must be 0.")


def ready(machine: BoltzmannMachine) -> BoltzmannMachine:
    """A machine to compute with; anything else is refused.

    Raises:
        ValueError: naming what it is, or the field that is wrong.
    """
    if not isinstance(machine, BoltzmannMachine):
        raise ValueError(f"machine = {machine!r:.80}: must be a BoltzmannMachine.")
    machine.check()
    coupling, bias = alike(coupling=machine.coupling, bias=machine.bias)
    return BoltzmannMachine(coupling=jnp.asarray(coupling), bias=jnp.asarray(bias))


def ready_spins(
    name: str, n: int, x: Any, dtype: Any, *, ndim: int = 2
) -> Float[Array, "*many n"]:
    """States of n spins, -1 or 1 each, `(n,)` or `(k, n)`.

    Raises:
        ValueError: naming the states and what they must be.
    """
    x = real_array(name, x)
    if x.ndim != ndim or x.shape[-1] != n or 0 in x.shape:
        wanted = {1: f"({n},)", 2: f"(k, {n})"}[ndim]
        raise ValueError(f"{name} has shape {x.shape}: it must be {wanted}.")
    found = checks.concrete(x)
    if found is not None and not np.all(np.abs(found) == 1):
        bad = found[np.abs(found) != 1].flat[0]
        raise ValueError(f"{name} has an entry {bad:.6g}: spins are -1 or 1.")
    return jnp.asarray(x).astype(dtype)


class Thrml(NamedTuple):
    r"""What `thrml.models.IsingEBM` is given: the same machine, edge by edge.

    $$ E(s) = -\beta\Bigl(\sum_i b_is_i + \sum_{(ij)\,\text{edges}} J_{ij}s_is_j
       \Bigr) $$

    STATED: thrml, docstring of `IsingEBM`.

    Attributes:
        biases: b, `(n,)`.
        edges: i and j of each, `(k, 2)`.
        weights: J of each edge, `(k,)`.
        beta: inverse temperature.
    """

    biases: np.ndarray
    edges: np.ndarray
    weights: np.ndarray
    beta: float


def from_thrml(given: Thrml) -> BoltzmannMachine:
    r"""The machine whose energies are those of thrml's model, in k_B T.

    $J_{ij} \to \beta J_{ij}$ at both places, $b_i \to \beta b_i$; an edge that is named
    twice adds up. A formula that sums over all ordered pairs $i \ne j$ has twice these
    weights.

    Args:
        given: biases, edges, weights and beta.

    Raises:
        ValueError: naming what fits no model.

    Example:
        >>> from_thrml(Thrml([0.0, 1.0], [[0, 1]], [0.5], 2.0)).coupling
        Array([[0., 1.],
               [1., 0.]], dtype=float32)
    """
    if not isinstance(given, Thrml):
        raise ValueError(f"given = {given!r:.80}: must be a Thrml.")
    checks.many("biases", given.biases)
    checks.finite("biases", given.biases)
    checks.interval("beta", given.beta)
    n = len(np.asarray(given.biases))
    checks.finite("edges", given.edges)
    edges = np.asarray(given.edges)
    if edges.ndim != 2 or edges.shape[1] != 2 or edges.dtype.kind not in "iu":
        raise ValueError(f"edges = {given.edges!r:.80}: must be (k, 2), whole numbers.")
    if edges.size and (edges.min() < 0 or edges.max() >= n):
        bad = edges[(edges < 0) | (edges >= n)][0]
        raise ValueError(f"edges name spin {bad}: must be from 0 to {n - 1}.")
    if np.any(edges[:, 0] == edges[:, 1]):
        raise ValueError("edges join a spin to itself: both ends must differ.")
    checks.shaped("weights", given.weights, (len(edges),), beside="edges")
    checks.finite("weights", given.weights)
    beta, weights, biases = (
        np.asarray(x, float) for x in (given.beta, given.weights, given.biases)
    )
    coupling, bias = np.zeros((n, n)), beta * biases
    for one, other in (edges.T, edges.T[::-1]):
        np.add.at(coupling, (one, other), beta * weights)
    return BoltzmannMachine(coupling=jnp.asarray(coupling), bias=jnp.asarray(bias))


def to_thrml(machine: BoltzmannMachine, beta: float = 1.0) -> Thrml:
    """Biases, edges and weights of thrml's model with the same energies.

    Args:
        machine: its couplings that are not 0 become edges.
        beta: that thrml is to use.

    Raises:
        ValueError: naming what is no machine, or not positive.
    """
    machine = ready(machine)
    checks.interval("beta", beta)
    coupling = np.asarray(machine.coupling, float)
    edges = np.argwhere(np.triu(coupling) != 0)
    beta = float(beta)
    weights = coupling[edges[:, 0], edges[:, 1]] / beta
    return Thrml(np.asarray(machine.bias, float) / beta, edges, weights, beta)
