"""The digital rival: the same equation solved by conjugate gradients."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from thermo import checks
from thermo.counts import check_count
from thermo.natural_gradient.equation import Scalar, check_damping, equation
from thermo.precision import full_precision


class SolvedState(NamedTuple):
    """What is known of the last solution.

    Attributes:
        residual: |b - F g| / |b|.
    """

    residual: Float[Array, ""]


def solved(
    *, damping: Scalar = 0.01, iterations: int = 100, tolerance: float = 1e-4
) -> optax.GradientTransformationExtraArgs:
    r"""The natural gradient $g = (G + \lambda 1)^{-1} \nabla \ell$, without a board.

    By conjugate gradients: a product with the curvature for every iteration.

    Args:
        damping: $\lambda \ge 0$; 0.01 (STATED). May be traced.
        iterations: at most.
        tolerance: of the residual relative to the gradient, at which to stop.

    Returns:
        A transform whose `update` needs `curvature`, see `gauss_newton`.

    Raises:
        ValueError: naming what is wrong with an argument.

    Example:
        >>> import jax.numpy as jnp
        >>> tx, gradient = solved(damping=0.0), jnp.array([1.0, 2.0])
        >>> double = lambda v: 2 * v
        >>> tx.update(gradient, tx.init(gradient), curvature=double)[0]
        Array([0.5, 1. ], dtype=float32)
    """
    check_damping(damping)
    check_count("iterations", iterations)
    checks.interval("tolerance", tolerance)

    def init_fn(params):
        del params
        return SolvedState(jnp.zeros(()))

    @full_precision
    def update_fn(updates, state, params=None, *, curvature=None, **extra_args):
        del params, extra_args
        of = equation(curvature, updates, damping)  # pyright: ignore[reportArgumentType]
        b = of.gradient
        how = {"tol": tolerance, "maxiter": iterations}
        g, _ = jax.scipy.sparse.linalg.cg(of.product, b, **how)
        size = jnp.linalg.norm(b)
        off = jnp.linalg.norm(b - of.product(g)) / jnp.where(size == 0, 1, size)
        return of.tree(g), SolvedState(off.astype(state.residual.dtype))

    return optax.GradientTransformationExtraArgs(init_fn, update_fn)
