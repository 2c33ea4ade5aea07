"""The objective of training: how likely the network runs a noising path backwards."""

from typing import NamedTuple

import jax
from jaxtyping import Array, Float

from thermo.generative.network import QuarticNetwork, Scalar, ready_path, sound

__all__ = ["Slope", "loss", "residual", "slope"]


class Slope(NamedTuple):
    """Derivatives of the objective.

    Attributes:
        coupling: by J_ij of a pair, written at both of its places, 1/E0, `(n, n)`.
        bias: by b of the hidden units, 1/E0, `(n_hidden,)`.
    """

    coupling: jax.Array
    bias: jax.Array


def loss(
    network: QuarticNetwork, path: Float[Array, "steps+1 n"], dt: Scalar
) -> Float[Array, ""]:
    r"""Minus the log probability of the reversed path, up to a constant.

    $$ L = \sum_k\sum_i \frac{\left(-\Delta x_i + \mu\,\partial_iV(x')\,\mathrm dt
       \right)^2}{4\mu k_BT\,\mathrm dt}, \qquad x' = x_{k+1},\ \Delta x = x' - x_k $$

    A step that the network would take itself has L = n/2 on average. STATED: arXiv
    2609.15439.

    Args:
        network: whose couplings and biases are judged.
        path: of `noising`.
        dt: its step.

    Raises:
        ValueError: naming what is no network, path or step.
    """
    network, path, dt = ready_path(network, path, dt)
    scaled = residual(network, path[1:], path[1:] - path[:-1], dt)
    total = (scaled**2).sum() * network.temperature / (network.mobility * dt)
    return sound(total, "path", "dt", "network")


def slope(
    network: QuarticNetwork, path: Float[Array, "steps+1 n"], dt: Scalar
) -> Slope:
    r"""Gradient of `loss`, in closed form.

    $$ \frac{\partial L}{\partial J_{ij}} = \sum_k r_ix'_j + r_jx'_i, \qquad
       \frac{\partial L}{\partial b_a} = \sum_k r_a, \qquad
       r_i = \frac{-\Delta x_i + \mu\,\partial_iV(x')\,\mathrm dt}{2k_BT} $$

    Args:
        network: see `loss`.
        path: see `loss`.
        dt: see `loss`.

    Raises:
        ValueError: naming what is no network, path or step.
    """
    network, path, dt = ready_path(network, path, dt)
    later = path[1:]
    r = residual(network, later, later - path[:-1], dt)
    products = r.T @ later
    both = network.mask() * (products + products.T)
    found = Slope(both, r[:, network.n_visible :].sum(0))
    return sound(found, "path", "dt", "network")


def residual(
    network: QuarticNetwork,
    later: Float[Array, "*steps n"],
    moved: Float[Array, "*steps n"],
    dt: Scalar,
) -> Float[Array, "*steps n"]:
    """r: what a reversed step is off from the drift of the network, over 2 k_B T."""
    drift = network.mobility * dt * network.slope(later)
    return (drift - moved) / (2 * network.temperature)
