"""Positive off-diagonals by Gremban's doubling: two cells for each variable."""

import jax
import jax.numpy as jnp

from thermo import checks


def double(matrix: jax.Array) -> jax.Array:
    """Gremban's doubling: positive off-diagonals on twice the cells.

    Twice the size, no positive off-diagonal entry; a diagonally dominant matrix stays
    so. Sample the doubled Gaussian, then `undouble` its samples.

    Args:
        matrix: symmetric, `(d, d)`.

    Returns:
        `(2 d, 2 d)`.

    Example:
        >>> import jax.numpy as jnp
        >>> double(jnp.array([[2.0, 1.0], [1.0, 2.0]]))
        Array([[ 2.,  0.,  0., -1.],
               [ 0.,  2., -1.,  0.],
               [ 0., -1.,  2.,  0.],
               [-1.,  0.,  0.,  2.]], dtype=float32)
    """
    checks.symmetric("matrix", matrix)
    diagonal = jnp.eye(len(matrix), dtype=bool)
    plus = jnp.where(diagonal, 0, jnp.maximum(matrix, 0))
    rest = matrix - plus
    return jnp.block([[rest, 0 - plus], [0 - plus, rest]])


def undouble(samples: jax.Array) -> jax.Array:
    r"""Samples of the doubled Gaussian to samples of the wanted one.

    $(y_1 - y_2)/\sqrt 2$ has exactly the covariance $P^{-1}$.

    Args:
        samples: `(..., 2 d)`.

    Returns:
        `(..., d)`.
    """
    if samples.shape[-1] % 2:
        raise ValueError(
            f"samples has shape {samples.shape}: the last axis must be even, 2 d."
        )
    first, second = jnp.split(samples, 2, axis=-1)
    return (first - second) / 2**0.5


def undouble_covariance(covariance: jax.Array) -> jax.Array:
    """Second moment of undoubled samples from that of the doubled ones.

    Args:
        covariance: `(2 d, 2 d)`.

    Returns:
        `(d, d)`.
    """
    return undouble(undouble(covariance).mT).mT
