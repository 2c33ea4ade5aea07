"""Positive off-diagonals by Gremban's doubling: two cells for each variable."""

import jax
import jax.numpy as jnp

from thermo import checks
from thermo.reals import alike


def double(matrix: jax.Array) -> jax.Array:
    """Gremban's doubling: positive off-diagonals on twice the cells.

    Twice the size, no positive off-diagonal entry; a diagonally dominant matrix stays
    so. Sample the doubled Gaussian, then `undouble` its samples.

    Args:
        matrix: symmetric, `(d, d)`.

    Returns:
        `(2 d, 2 d)`.

    Raises:
        ValueError: if it is not symmetric, or not of finite real numbers.

    Example:
        >>> import jax.numpy as jnp
        >>> double(jnp.array([[2.0, 1.0], [1.0, 2.0]]))
        Array([[ 2.,  0.,  0., -1.],
               [ 0.,  2., -1.,  0.],
               [ 0., -1.,  2.,  0.],
               [-1.,  0.,  0.,  2.]], dtype=float32)
    """
    checks.symmetric("matrix", matrix)
    (matrix,) = alike(matrix=matrix)
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
        `(..., d)`, in the same unit.

    Raises:
        ValueError: if they are not finite real numbers, or the last axis is odd.
    """
    return _undoubled("samples", samples)


def _undoubled(name, samples):
    checks.finite(name, samples)
    (samples,) = alike(**{name: samples})
    if not samples.ndim or samples.shape[-1] % 2 or not samples.shape[-1]:
        raise ValueError(
            f"{name} has shape {samples.shape}: the last axis must be even, 2 d."
        )
    first, second = jnp.split(samples, 2, axis=-1)
    return (first - second) / 2**0.5


def undouble_covariance(covariance: jax.Array) -> jax.Array:
    """Second moment of undoubled samples from that of the doubled ones.

    Args:
        covariance: `(2 d, 2 d)`.

    Returns:
        `(d, d)`.

    Raises:
        ValueError: if it is no square matrix of finite real numbers, of even size.
    """
    checks.square("covariance", covariance)
    return _undoubled("covariance", _undoubled("covariance", covariance).mT).mT
