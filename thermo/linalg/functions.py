"""Functions of a symmetric matrix, with derivatives where eigenvalues coincide."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def root(values: Array) -> Array:
    """Of a singular covariance too: it has no derivative there, and is given 0."""
    alive = values > 0
    return jnp.where(alive, jnp.sqrt(jnp.where(alive, values, 1)), 0)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def matrix_function(
    function: Callable[..., Array],
    matrix: Float[Array, "n n"],
    parameters: tuple[Array, ...] = (),
) -> Float[Array, "n n"]:
    r"""$f(A) = V f(\lambda) V^\mathsf T$ for a symmetric A.

    The derivative of an eigenvector has no limit where two eigenvalues meet; that of
    f(A) has (Daleckii and Krein): divided differences of f, which become $f'$ there.
    Differentiable once in either mode.

    Args:
        function: `function(rates, *parameters)`, number by number.
        matrix: A, `(n, n)`.
        parameters: scalars of the dtype of A.
    """
    rates, vectors = jnp.linalg.eigh(matrix)
    return (vectors * function(rates, *parameters)[None, :]) @ vectors.mT


@matrix_function.defjvp
def _jvp(function, primals, tangents):
    (matrix, parameters), (turn, drive) = primals, tangents
    rates, vectors = jnp.linalg.eigh(matrix)
    at = function(rates, *parameters)
    _, slope = jax.jvp(
        lambda x: function(x, *parameters), (rates,), (jnp.ones_like(rates),)
    )
    divided = _divided(rates, at, slope)
    turned = vectors.mT @ ((turn + turn.mT) / 2) @ vectors
    change = divided * turned
    if parameters:
        _, moved = jax.jvp(lambda *p: function(rates, *p), parameters, drive)
        change = change + jnp.diag(moved)
    return (vectors * at[None, :]) @ vectors.mT, vectors @ change @ vectors.mT


def _divided(rates, at, slope):
    """(f_i - f_j) / (r_i - r_j); the mean slope where that would be all rounding."""
    gap = rates[:, None] - rates[None, :]
    size = jnp.maximum(jnp.abs(rates)[:, None], jnp.abs(rates)[None, :])
    near = jnp.abs(gap) <= jnp.finfo(rates.dtype).eps ** (1 / 3) * size
    steep = (at[:, None] - at[None, :]) / jnp.where(near, 1, gap)
    return jnp.where(near, (slope[:, None] + slope[None, :]) / 2, steep)
