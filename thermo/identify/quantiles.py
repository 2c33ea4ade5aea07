"""Quantiles of the normal and the chi-squared law."""

import functools
from statistics import NormalDist

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammainc


def check_level(level: float) -> None:
    """Refuse what is no level of confidence."""
    whole = isinstance(level, bool) or not isinstance(level, int | float | np.floating)
    if whole or not 0 < level < 1:
        raise ValueError(f"level = {level!r}: must lie between 0 and 1.")


def sigmas(level: float) -> float:
    """How many standard errors on either side hold so much of a normal law.

    Example:
        >>> round(sigmas(0.95), 2)
        1.96
    """
    return NormalDist().inv_cdf((1 + level) / 2)


@functools.cache
def chi_squared(n: int, level: float) -> float:
    """What the sum of n squared normals stays below so often, by bisection.

    Example:
        >>> round(chi_squared(10, 0.95), 2)
        18.31
    """
    low, high = 0.0, 10.0 * n + 100.0
    with jax.enable_x64(True):
        half = jnp.asarray(n / 2)
        for _ in range(60):
            middle = (low + high) / 2
            below = float(gammainc(half, jnp.asarray(middle / 2))) < level
            low, high = (middle, high) if below else (low, middle)
    return (low + high) / 2
