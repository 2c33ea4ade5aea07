"""The passive network that comes nearest to a covariance, couplers being scarce.

Components x_k (to ground, or between two cells) make the precision
P = sum_k x_k a_k a_k^T, with a_k = e_i or e_i - e_j. The Kullback-Leibler divergence of
N(0, P^-1) from N(0, Sigma) is convex in x, and

    x_k <- x_k (a_k^T P^-1 a_k) / (a_k^T Sigma a_k)

lowers it at every step: it is Titterington's algorithm for a D-optimal design, in which
`a_k^T Sigma a_k` scales the weights. In words: a component grows while the voltage
across it fluctuates more than it should. At the optimum the variance across every
component that is left is exactly the wanted one.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


class Network(NamedTuple):
    """The best network found.

    Attributes:
        precision: P, `(d, d)`.
        divergence: nats.
        gap: bound on how much the divergence could still fall, nats.
    """

    precision: Float[Array, "d d"]
    divergence: Float[Array, ""]
    gap: Float[Array, ""]


def best_network(
    covariance: Float[Array, "d d"], allowed: Bool[Array, "d d"], steps: int = 1000
) -> Network:
    """Fit ground components and the couplers that there are.

    Args:
        covariance: Sigma, positive definite.
        allowed: which cells may be joined, symmetric.
        steps: of the iteration.

    Example:
        >>> chain = jnp.array([[2.0, -1.0], [-1.0, 2.0]])
        >>> best_network(jnp.linalg.inv(chain), jnp.ones((2, 2), bool)).precision
        Array([[ 2., -1.],
               [-1.,  2.]], dtype=float32)
    """
    d = len(covariance)
    apart = ~jnp.eye(d, dtype=bool)
    wanted = _across(covariance)
    start = jnp.where(apart & ~allowed, 0, 1 / (d * wanted))

    def step(x, _):
        ratio = _across(jnp.linalg.inv(_precision(x))) / wanted
        return x * ratio, None

    x, _ = jax.lax.scan(step, start, length=steps)
    precision = _precision(x)
    ratio = _across(jnp.linalg.inv(precision)) / wanted
    worst = jnp.max(jnp.where(apart & ~allowed, 0, ratio))
    product = precision @ covariance
    divergence = (jnp.trace(product) - d - jnp.linalg.slogdet(product)[1]) / 2
    return Network(precision, divergence, d * (worst - 1) / 2)


def _across(covariance):
    """Variance of the voltage over each component; to ground on the diagonal."""
    own = jnp.diagonal(covariance)
    over = own[:, None] + own[None, :] - 2 * covariance
    return jnp.where(jnp.eye(len(own), dtype=bool), own[None, :], over)


def _precision(x):
    """Maxwell matrix of components, those to ground on the diagonal."""
    x = (x + x.T) / 2  # rounding must not make the two ends differ: that grows
    between = x - jnp.diag(jnp.diagonal(x))
    return jnp.diag(x.sum(1)) - between
