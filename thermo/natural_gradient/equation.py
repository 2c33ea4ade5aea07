"""The linear equation that is solved: trees laid out as one vector."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PyTree

from thermo import checks

Scalar = jax.Array | float
Product = Callable[[PyTree], PyTree]
"""v -> G v, between trees like the weights."""


class Equation(NamedTuple):
    r"""$F g = b$ with $F = G + \lambda 1$, in at least single precision.

    Attributes:
        product: v -> F v, of vectors.
        gradient: b, `(n,)`.
        tree: from a vector to a tree like the gradient.
    """

    product: Callable[[jax.Array], jax.Array]
    gradient: Float[Array, " n"]
    tree: Callable[[jax.Array], PyTree]

    def vector(self, tree: PyTree) -> Float[Array, " n"]:
        """A tree like the gradient as a vector."""
        return ravel_pytree(_cast(tree, self.gradient.dtype))[0]


def equation(curvature: Product, gradient: PyTree, damping: Scalar) -> Equation:
    """The damped equation of a curvature and a gradient.

    Raises:
        ValueError: if there is no curvature, or what it returns is not a tree like the
            gradient.
    """
    if not callable(curvature):
        raise ValueError(
            f"curvature = {curvature!r:.60}: must be a product v -> G v. Pass "
            "`tx.update(gradients, state, params, curvature=gauss_newton(...))`."
        )
    dtypes = [jnp.result_type(leaf) for leaf in jax.tree.leaves(gradient)]
    wide = jnp.float64 if jnp.float64 in dtypes else jnp.float32
    vector, unravel = ravel_pytree(_cast(gradient, wide))
    shift = jnp.asarray(damping).astype(wide)

    def tree(v):
        return jax.tree.map(lambda x, g: x.astype(g.dtype), unravel(v), gradient)

    def product(v):
        bent = curvature(tree(v))
        _alike(bent, gradient)
        return ravel_pytree(_cast(bent, wide))[0] + shift * v

    return Equation(product, vector, tree)


def check_damping(damping: Scalar) -> None:
    """Refuse a damping that is not one number, finite and not negative."""
    checks.one_number("damping", damping)
    checks.non_negative("damping", damping)


def _cast(tree: PyTree, dtype: Any) -> PyTree:
    return jax.tree.map(lambda leaf: jnp.asarray(leaf).astype(dtype), tree)


def _alike(bent: PyTree, gradient: PyTree) -> None:
    """Refuse a product between other trees than the gradient."""
    shapes = [jax.tree.map(jnp.shape, tree) for tree in (bent, gradient)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"curvature returns shapes {shapes[0]}: they must be those of the "
            f"gradient, {shapes[1]}."
        )
