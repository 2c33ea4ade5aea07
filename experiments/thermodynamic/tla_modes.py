"""Boards of any size that wait for an answer, mode by mode.

In coordinates in which a board falls apart, one with a thousand cells is as cheap to
step as many of a few cells, and errors of Frobenius norms are the same in all
orthonormal coordinates. The laws are those of the boards of `thermo.linalg`.
"""

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from thermo import exact
from thermo.linalg.determinant import mode_works

Rates = Float[Array, " d"]
Blocks = Float[Array, "b k k"]


def solve(key: Key[Array, ""], rates: Rates, time: jax.Array) -> Rates:
    r"""Error of the average of a board at equilibrium, along each mode.

    Gaussian of variance $2 [1 - (1 - e^{-z}) / z] / (\lambda^2 T)$, $z = \lambda T$.
    """
    z = rates * time
    share = 1 + jnp.expm1(-z) / z
    return jnp.sqrt(2 * share / (rates * z)) * jr.normal(key, rates.shape, rates.dtype)


def covariance(
    key: Key[Array, ""], drift: Blocks, diffusion: Blocks, time: jax.Array, reads: int
) -> tuple[jax.Array, Blocks]:
    """Second moment of a record that begins at equilibrium, and what it ought to be.

    Args:
        key: random key.
        drift: of each block of modes.
        diffusion: likewise.
        time: of the record.
        reads: samples, at equal intervals.

    Returns:
        `(d, d)` between all modes, and the exact blocks.
    """
    right = jax.vmap(exact.stationary_covariance)(drift, diffusion)
    change = jax.vmap(exact.propagator, (0, None))(drift, time / reads)
    gained = right - change @ right @ change.mT
    kick = jnp.linalg.cholesky(gained)
    first, rest = jr.split(key)
    shape = drift.shape[:-1]

    def further(x, key):
        xi = jr.normal(key, shape, drift.dtype)
        x = jnp.einsum("bij,bj->bi", change, x) + jnp.einsum("bij,bj->bi", kick, xi)
        return x, x.reshape(-1)

    root = jnp.linalg.cholesky(right)
    x0 = jnp.einsum("bij,bj->bi", root, jr.normal(first, shape, drift.dtype))
    _, record = jax.lax.scan(further, x0, jr.split(rest, reads))
    return record.T @ record / reads, right


def square_error(second: jax.Array, right: Blocks) -> jax.Array:
    """Squared error of a second moment, relative to that of the blocks it ought to be.

    Example:
        >>> one = jnp.ones((2, 1, 1))
        >>> float(square_error(jnp.ones((2, 2)), one))  # two entries too many
        1.0
    """
    wanted = jax.scipy.linalg.block_diag(*right)
    return jnp.sum((second - wanted) ** 2) / jnp.sum(right**2)


def expm(key: Key[Array, ""], rates: Rates, pairs: int) -> tuple[jax.Array, Rates]:
    """Correlation over a unit of time of a board at rest, and what it ought to be.

    The noise is such that all modes have a variance of 1.

    Args:
        key: random key.
        rates: of the modes.
        pairs: of samples a unit of time apart, end to end.

    Returns:
        `(d, d)` between all modes, and the exact diagonal.
    """
    kept = jnp.exp(-rates)
    first, rest = jr.split(key)

    def further(x, key):
        xi = jr.normal(key, rates.shape, rates.dtype)
        x = kept * x + jnp.sqrt(1 - kept**2) * xi
        return x, x

    x0 = jr.normal(first, rates.shape, rates.dtype)
    _, later = jax.lax.scan(further, x0, jr.split(rest, pairs))
    earlier = jnp.concatenate([x0[None], later[:-1]])
    return later.T @ earlier / pairs, kept


def logdet(
    key: Key[Array, ""], rates: Rates, time: jax.Array, runs: int, steps: int
) -> jax.Array:
    """Estimate of ln det A from work, see `thermo.linalg.primitives.logdet`."""
    mean = jnp.mean(rates)
    done = (jnp.arange(steps + 1) / steps).astype(rates.dtype)[:, None]
    path = rates[None, :] + done * (mean - rates)[None, :]
    decay = jnp.exp(-path[1:] * time / steps)
    work = mode_works(key, path, decay, runs, rates.dtype)
    free = jnp.log(float(runs)) - jax.scipy.special.logsumexp(-work)
    return len(rates) * jnp.log(mean) - 2 * free
