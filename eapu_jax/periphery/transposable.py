"""A linear function whose transpose is another piece of hardware."""

from collections.abc import Callable

import jax
import jax.numpy as jnp


def transposable(
    forward: Callable[[jax.Array], jax.Array],
    backward: Callable[[jax.Array], jax.Array],
    x: jax.Array,
) -> jax.Array:
    """`forward(x)`, which reverse mode transposes as `backward`.

    `forward` is linear. Forward mode goes through it, reverse mode through
    `backward`, which may be noisy and quantised. What they close over is not
    differentiated.

    jax has no such call that `vmap` understands, but a linear solve with a
    transposed solve of one's own is one: the system is the identity on x and y laid
    end to end, and what is called its solution is 0 and `forward(x)`.

    Example:
        >>> import jax
        >>> f = lambda x: transposable(lambda x: 2 * x, lambda ct: 3 * ct, x)
        >>> float(jax.grad(f)(1.0)), float(jax.jvp(f, (1.0,), (1.0,))[1])
        (3.0, 2.0)
    """
    like = jax.eval_shape(forward, x)
    size, shape, dtype = jnp.size(x), jnp.shape(x), jnp.result_type(x)
    here, there = jnp.zeros(size, dtype), jnp.zeros(like.size, dtype)

    def solve(_, z):
        y = forward(z[:size].reshape(shape))
        return jnp.concatenate([here, y.ravel().astype(dtype)])

    def transpose(_, ct):
        back = backward(ct[size:].reshape(like.shape).astype(like.dtype))
        return jnp.concatenate([back.ravel().astype(dtype), there])

    z = jnp.concatenate([jnp.ravel(x), there])
    both = jax.lax.custom_linear_solve(lambda z: z, z, solve, transpose)
    return both[size:].reshape(like.shape).astype(like.dtype)
