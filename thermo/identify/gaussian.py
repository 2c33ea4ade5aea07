"""Log density of Gaussian samples, and what they say of what their law depends on."""

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl


def log_density(
    covariance: jax.Array, total: jax.Array, count: jax.Array | float
) -> jax.Array:
    r"""Of samples of mean 0: $-\tfrac12 [N \ln\det(2\pi S) + \mathrm{tr}\,S^{-1} M]$.

    As a function of S it is, up to a constant, the Wishart log likelihood as well.

    Args:
        covariance: S, symmetric or Hermitian, `(d, d)`.
        total: M, the sum of x x^H over the samples, `(d, d)`.
        count: N.

    Example:
        >>> one = jnp.ones((1, 1))  # -ln(2 pi) / 2 - 1 / 2
        >>> round(float(log_density(one, one, 1.0)), 4)
        -1.4189
    """
    factor = jnp.linalg.cholesky(covariance)
    spread = jnp.log(2 * jnp.pi * jnp.diagonal(factor).real ** 2).sum()
    pull = jnp.trace(jsl.cho_solve((factor, True), total)).real
    return -(count * spread + pull) / 2


def fisher(covariance: jax.Array, slopes: jax.Array) -> jax.Array:
    r"""Fisher information of one sample about what its covariance depends on.

    $$ I_{ab} = \tfrac12 \mathrm{tr}\,S^{-1} \partial_a S\,S^{-1} \partial_b S $$

    Args:
        covariance: S, symmetric or Hermitian, `(d, d)`.
        slopes: its derivatives, `(d, d, n)`.

    Returns:
        `(n, n)`.
    """
    white = whitened(covariance, jnp.moveaxis(slopes, -1, 0))
    return jnp.einsum("aij,bij->ab", white, white.conj()).real / 2


def whitened(covariance: jax.Array, matrices: jax.Array) -> jax.Array:
    r"""$L^{-1} X L^{-H}$ of each matrix, $L L^H = S$."""
    factor = jnp.linalg.cholesky(covariance)
    inverse = jsl.solve_triangular(
        factor, jnp.eye(len(factor), dtype=factor.dtype), lower=True
    )
    return inverse @ matrices @ inverse.mT.conj()
