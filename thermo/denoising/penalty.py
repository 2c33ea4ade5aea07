"""A penalty on spins that hang together, which slow a machine's sampling down."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from thermo.denoising.graph import Graph
from thermo.denoising.graph import ready as ready_graph
from thermo.denoising.machine import ready_spins
from thermo.denoising.slopes import Slope
from thermo.reals import real_array

__all__ = ["correlation_slope"]


def correlation_slope(graph: Graph, free: Float[Array, "k n"]) -> Slope:
    r"""The gradient of the total-correlation penalty, from free spins of one condition.

    $$ D\Bigl(\prod_iP(s_i|x^t)\,\Big\|\,P(s|x^t)\Bigr), \qquad
       \frac{\partial D}{\partial J_{ij}} = \langle s_is_j\rangle
       - \langle s_i\rangle\langle s_j\rangle $$

    with the product of the marginals held where it is, so that the gradient by the
    biases is 0; STATED-2nd. Add some lambda times it to that of learning. All spins
    are to be drawn under the same noisy image: over several the means would differ,
    and `vmap` this. The covariance is divided by k - 1, and so unbiased.

    Args:
        graph: of the couplings.
        free: spins in equilibrium under one image, two at least.

    Raises:
        ValueError: naming what fits no graph, or is one state alone.

    Example:
        >>> from thermo.denoising import two_colours
        >>> alike = jnp.array([[1.0, 1.0], [-1.0, -1.0]])
        >>> correlation_slope(two_colours([0, 1]), alike).coupling
        Array([[0., 2.],
               [2., 0.]], dtype=float32)
    """
    graph = ready_graph(graph)
    dtype = jnp.asarray(real_array("free", free)).dtype
    free = ready_spins("free", len(graph.colour), free, dtype)
    if len(free) < 2:
        raise ValueError(f"free has {len(free)} state: a covariance needs 2 at least.")
    off = free - free.mean(0)[None, :]
    mask = jnp.asarray(graph.mask, dtype)
    return Slope(mask * (off.T @ off) / (len(free) - 1), jnp.zeros_like(off[0]))
