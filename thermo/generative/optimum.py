"""The best network for given paths: least squares, from sums over their steps."""

from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from thermo import checks
from thermo.counts import check_count
from thermo.generative.network import (
    QuarticNetwork,
    Scalar,
    ready,
    ready_path,
    sound,
)
from thermo.precision import full_precision

__all__ = ["Sums", "optimum", "sums"]


class Sums(NamedTuple):
    """What least squares needs of any number of paths; those of several just add.

    `y` is the slope that couplings and biases should have had at a step.

    Attributes:
        steps: how many.
        first: sum of x', `(n,)`.
        second: sum of x' x'^T, `(n, n)`.
        target: sum of y, `(n,)`.
        cross: sum of y x'^T, `(n, n)`.
    """

    steps: jax.Array
    first: jax.Array
    second: jax.Array
    target: jax.Array
    cross: jax.Array


@full_precision
def sums(network: QuarticNetwork, path: Float[Array, "steps+1 n"], dt: Scalar) -> Sums:
    r"""The sums of one path.

    $$ y = \Delta x/(\mu\,\mathrm dt) - 2J_2x' - 4J_4x'^3, \qquad
       L = \frac{\mu\,\mathrm dt}{4k_BT}\sum_k\left|Jx' + b - y\right|^2 $$

    Args:
        network: whose constants hold; couplings and biases do not matter.
        path: of `noising`.
        dt: its step.

    Raises:
        ValueError: naming what is no network, path or step.
    """
    network, path, dt = ready_path(network, path, dt)
    x = path[1:]
    y = (x - path[:-1]) / (network.mobility * dt) - network.own_slope(x)
    count = jnp.asarray(x.shape[0], x.dtype)
    found = Sums(count, x.sum(0), x.T @ x, y.sum(0), y.T @ x)
    return sound(found, "path", "dt", "network")


@full_precision
def optimum(
    network: QuarticNetwork, of: Sums, *, error: float = 1e-6, most: int = 1000
) -> QuarticNetwork:
    r"""Couplings and biases of the least `loss` over all paths that were summed.

    With $M = J S + b\,s^T - Y$ of the sums S, s, Y the slope of the loss is 0 where

    $$ M_{ij} + M_{ji} = 0 \text{ for pairs that may be coupled}, \qquad
       (J s + K b - \textstyle\sum y)_a = 0 \text{ for hidden } a $$

    These normal equations are solved by conjugate gradients, $n^3$ operations each: as
    a matrix they would have $n^4$ entries. DERIVED: the loss is quadratic.

    Args:
        network: whose constants and places for couplings hold.
        of: sums of at least as many steps as there are units.
        error: of the equations, relative to their right-hand side.
        most: rounds of conjugate gradients.

    Raises:
        ValueError: naming what is no network, sum, error or number.
    """
    network = ready(network)
    _check_sums(network, of)
    checks.interval("error", error)
    check_count("most", most)
    mask, v = network.mask(), network.n_visible

    def even(m):
        return mask * (m + m.T) / 2

    def equations(at):
        coupling, bias = at
        all_biases = jnp.pad(bias, (v, 0))
        moment = coupling @ of.second + jnp.outer(all_biases, of.first)
        return even(moment), (coupling @ of.first)[v:] + of.steps * bias

    each = jnp.diagonal(of.second)
    size = (each[:, None] + each[None, :]) / 2

    def scaled(at):
        return at[0] / size, at[1] / of.steps

    wanted = even(of.cross), of.target[v:]
    (coupling, bias), _ = jax.scipy.sparse.linalg.cg(
        equations, wanted, tol=error, maxiter=most, M=scaled
    )
    found = replace(network, coupling=even(coupling), bias=bias)
    return sound(found, "of", "error")


def _check_sums(network: QuarticNetwork, of: Sums) -> None:
    if not isinstance(of, Sums):
        raise ValueError(f"of = {of!r:.80}: must be the Sums of some paths.")
    n = network.n_units
    shapes = (), (n,), (n, n), (n,), (n, n)
    for name, x, shape in zip(Sums._fields, of, shapes, strict=True):
        checks.shaped(name, x, shape, beside="the network")
        checks.finite(name, x)
    checks.positive("steps", of.steps)
    checks.positive("second", jnp.diagonal(of.second))
