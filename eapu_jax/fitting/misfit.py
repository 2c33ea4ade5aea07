"""What is left of the readings that a right family of devices would not leave."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.special import gammaincc
from jaxtyping import Array, Bool, Float

from eapu_jax.fitting.likelihood import Judged

_BINS = 8  # places, in either direction


class Misfit(NamedTuple):
    r"""Tests of what is left, in standard deviations that were expected.

    Under the right family what a reading brings beyond what was expected of it has
    the mean 0 and the variance 1 wherever the cell stands, and knows nothing of the
    reading before.

    Attributes:
        shape: $\chi^2$ of the mean over places and directions: the wrong step.
        noise: $\chi^2$ of the variance over them: the wrong noise, if what is left is
            Gaussian at all; at an end of the window it is not.
        memory: correlation of neighbours, in standard errors.
        shape_freedom: degrees of freedom of `shape`.
        noise_freedom: of `noise`.
    """

    shape: Float[Array, ""]
    noise: Float[Array, ""]
    memory: Float[Array, ""]
    shape_freedom: Float[Array, ""]
    noise_freedom: Float[Array, ""]


def misfit(seen: Judged, up: Bool[Array, "cycles n"]) -> Misfit:
    """Sort what is left by place and direction, and test every lot.

    A degree of freedom for every lot: the constants that were fitted take some of
    them, so that a right family looks a little better than it is.

    Args:
        seen: readings held against the device that was fitted.
        up: whether a pulse asked for more.
    """
    sure = seen.counted & (seen.clean > 0.5)
    z = jnp.where(sure, seen.surprise, 0)
    lot, lots = _lots(seen.expected, sure, up)
    put = lambda value: jnp.zeros(lots, z.dtype).at[lot].add(value)  # noqa: E731
    n = put(sure.astype(z.dtype))
    total, square = put(z), put(z**2)
    enough = n >= 5
    n = jnp.maximum(n, 1)
    shape = jnp.where(enough, total**2 / n, 0)
    noise = jnp.where(enough, of_variance(square, n), 0)
    used = jnp.sum(enough, dtype=z.dtype)
    neighbours = sure[:, 1:] & sure[:, :-1]
    along = jnp.sum(jnp.where(neighbours, z[:, 1:] * z[:, :-1], 0))
    return Misfit(
        shape=jnp.sum(shape),
        noise=jnp.sum(noise),
        memory=along / jnp.sqrt(jnp.maximum(jnp.sum(neighbours, dtype=z.dtype), 1)),
        shape_freedom=used,
        noise_freedom=used,
    )


def of_variance(square, n):
    r"""What a sum of `n` squared standard normals adds to a $\chi^2$.

    The square of $(\sqrt[3]{s / n} - 1 + 2 / 9n) / \sqrt{2 / 9n}$, nearly a standard
    normal from a handful of readings on (Wilson and Hilferty).

    Example:
        >>> round(of_variance(30.0, 20), 2)
        2.19
    """
    part = 2 / (9 * n)
    return ((square / n) ** (1 / 3) - 1 + part) ** 2 / part


def chance(chi_square, freedom):
    r"""Probability that a right family leaves a $\chi^2$ at least as large.

    Example:
        >>> round(float(chance(3.841, 1.0)), 3)
        0.05
    """
    return gammaincc(jnp.asarray(freedom) / 2, jnp.asarray(chi_square) / 2)


def _lots(expected, sure, up):
    """Equally many readings in every place; what is not sure goes to a lot of its own.

    The place is where the reading was expected: known before it came.
    """
    place = jax.lax.stop_gradient(expected)
    held = jnp.where(sure, place, jnp.nan)
    edges = jnp.nanquantile(
        held, jnp.linspace(0, 1, _BINS + 1)[1:-1].astype(held.dtype)
    )
    lot = jnp.searchsorted(edges, place) + jnp.where(up, _BINS, 0)
    return jnp.where(sure, lot, 2 * _BINS), 2 * _BINS + 1
