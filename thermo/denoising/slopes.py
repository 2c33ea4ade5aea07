"""The gradient of learning: what spins do free, less what they do when held."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from thermo.denoising.graph import Graph
from thermo.denoising.graph import ready as ready_graph
from thermo.denoising.machine import ready_spins
from thermo.reals import real_array

__all__ = ["Slope", "slope"]


class Slope(NamedTuple):
    """Derivatives of a mean of minus log likelihoods.

    Attributes:
        coupling: by J_ij of a pair, written at both of its places, `(n, n)`.
        bias: by b, `(n,)`.
    """

    coupling: jax.Array
    bias: jax.Array


def slope(graph: Graph, held: Float[Array, "k n"], free: Float[Array, "m n"]) -> Slope:
    r"""The gradient, from spins whose visible part was held and from free ones.

    $$ \frac{\partial L}{\partial J_{ij}} = \langle s_is_j\rangle_\text{free}
       - \langle s_is_j\rangle_\text{held}, \qquad
       \frac{\partial L}{\partial b_i} = \langle s_i\rangle_\text{free}
       - \langle s_i\rangle_\text{held} $$

    It is unbiased if both are in equilibrium; after few sweeps from elsewhere they are
    not. STATED-2nd.

    Args:
        graph: of the couplings.
        held: spins with the data in the visible ones.
        free: spins without.

    Raises:
        ValueError: naming what fits no graph.

    Example:
        >>> from thermo.denoising import two_colours
        >>> up, apart = jnp.ones((1, 2)), jnp.array([[1.0, -1.0]])
        >>> slope(two_colours([0, 1]), held=up, free=apart).bias
        Array([ 0., -2.], dtype=float32)
    """
    graph = ready_graph(graph)
    n = len(graph.colour)
    dtype = jnp.asarray(real_array("free", free)).dtype
    held, free = (
        ready_spins(name, n, x, dtype) for name, x in (("held", held), ("free", free))
    )
    pairs = free.T @ free / len(free) - held.T @ held / len(held)
    mask = jnp.asarray(graph.mask, dtype)
    return Slope(mask * pairs, free.mean(0) - held.mean(0))
