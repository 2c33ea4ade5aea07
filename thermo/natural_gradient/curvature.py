"""The generalised Gauss-Newton matrix of a loss, as a product with a vector."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Key, PyTree

from prng import unrolled
from thermo.counts import check_count
from thermo.natural_gradient.equation import (
    Product,
    Scalar,
    check_damping,
    equation,
)
from thermo.precision import full_precision


def gauss_newton(
    model: Callable[[PyTree], Any], loss: Callable[[Any], jax.Array], params: PyTree
) -> jax.tree_util.Partial:
    r"""The product with $G = J^\mathsf T H_L J$, which is never formed.

    J is the Jacobian of the outputs with respect to the weights, $H_L$ the Hessian of
    the loss with respect to the outputs; for softmax and cross-entropy G is the Fisher
    matrix. A product costs one forward and one backward derivative of the model, which
    is linearised once, here.

    Args:
        model: from weights to outputs, of one batch; any pytree of outputs.
        loss: from outputs to one number, convex in them (else G has negative
            eigenvalues and no board comes to rest).
        params: the weights at which.

    Returns:
        `product(v) -> G v`, on trees like `params`: the `curvature` of the transforms.
        It is a pytree, and may be handed through `jit`, `vmap` and `lax.cond`.

    Raises:
        ValueError: if the loss is not one number.

    Example:
        >>> import jax.numpy as jnp
        >>> x = jnp.array([[1.0, 0.0], [0.0, 2.0]])
        >>> product = gauss_newton(lambda w: x @ w, lambda z: z @ z / 2, jnp.ones(2))
        >>> product(jnp.ones(2))  # x^T x v
        Array([1., 4.], dtype=float32)
    """
    outputs, push = jax.linearize(model, params)
    if (shape := jax.eval_shape(loss, outputs).shape) != ():
        raise ValueError(f"loss has shape {shape}: it must be one number.")
    pull = jax.linear_transpose(push, params)
    bend = jax.linearize(jax.grad(loss), outputs)[1]
    return jax.tree_util.Partial(_product, push, bend, pull)


def _product(push, bend, pull, v):
    (product,) = pull(bend(push(v)))
    return product


@full_precision
def longest_step(
    curvature: Product,
    params: PyTree,
    *,
    key: Key[Array, ""],
    damping: Scalar = 0.01,
    iterations: int = 100,
) -> jax.Array:
    r"""The longest stable step of `Euler`, $2 / \lambda_{\max}(G + \lambda 1)$, in tau.

    The largest eigenvalue is estimated by power iteration, which is never above it: the
    step returned is never too short, and too long by what the iterations leave. Take a
    part of it; the curvature grows while a network learns.

    Args:
        curvature: of `gauss_newton`.
        params: weights like those of the curvature; only their shapes matter.
        key: of the vector that the iteration starts from.
        damping: $\lambda \ge 0$.
        iterations: products with the curvature.

    Raises:
        ValueError: naming what is wrong with an argument.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> scales = jnp.array([1.0, 4.0])
        >>> found = longest_step(
        ...     lambda v: scales * v, jnp.ones(2), key=jax.random.key(0), damping=0.0
        ... )
        >>> print(f"{found:.3f}")
        0.500
    """
    check_damping(damping)
    check_count("iterations", iterations)
    of = equation(curvature, params, damping)
    v = jr.normal(unrolled(key), of.gradient.shape, of.gradient.dtype)

    def turn(v, _):
        bent = of.product(v)
        return bent / jnp.linalg.norm(bent), jnp.linalg.norm(bent)

    _, stretched = jax.lax.scan(turn, v / jnp.linalg.norm(v), length=iterations)
    return 2 / stretched[-1]
