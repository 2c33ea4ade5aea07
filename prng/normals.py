r"""Standard normals, those of `jax.random.normal` up to rounding, for less.

Both turn 23 random bits into a uniform $u$ on $(-1, 1)$ and that into
$z = \sqrt 2\, \mathrm{erf}^{-1}(u)$. What costs is $w = -\log(1 - u^2)$, the argument
of Giles's polynomials: XLA takes the logarithm of one plus any number, here it is that
of a number in (0, 1]. Numbers differ by rounding, most in the tails, where jax loses
digits of $u^2$: there these are the better ones.

Source: M. Giles, Approximating the erfinv function, GPU Computing Gems 2 (2011), single
precision (STATED); logarithm: the polynomial of S. Moshier's Cephes library.
"""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

__all__ = ["normal"]

CENTRE = (
    2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087,
    -0.00125372503, -0.00417768164, 0.246640727, 1.50140941,
)  # fmt: skip
"""In $w - 5/2$, where $w < 5$."""
TAIL = (
    -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773,
    -0.0076224613, 0.00943887047, 1.00167406, 2.83297682,
)  # fmt: skip
r"""In $\sqrt w - 3$, elsewhere."""
LOG = (
    7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1,
    1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1,
    3.3333331174e-1,
)  # fmt: skip


def normal(
    key: Key[Array, ""], shape: tuple[int, ...], dtype: jnp.dtype | type = jnp.float32
) -> Float[Array, "*shape"]:
    """Standard normals; in float32 those of `jax.random.normal` up to rounding.

    Args:
        key: typed key; of any implementation, and of `prng.elements`.
        shape: how many.
        dtype: float32, or any other float as jax draws it.

    Example:
        >>> import jax
        >>> key = jax.random.key(0)
        >>> z = normal(key, (1000,))
        >>> bool(abs(z - jax.random.normal(key, (1000,))).max() < 1e-4)
        True
    """
    if dtype != jnp.float32:
        return jr.normal(key, shape, dtype)
    return _from_uniform(_uniform(jr.bits(key, shape, jnp.uint32)))


def _uniform(bits):
    """On (-1, 1), as jax makes it of the upper 23 bits."""
    unit = _as(bits >> 9 | jnp.uint32(0x3F800000), jnp.float32) - jnp.float32(1)
    low = np.nextafter(np.float32(-1), np.float32(0))
    return jnp.maximum(low, unit * (1 - low) + low)


def _from_uniform(u):
    w = -_log((1 - u) * (1 + u))
    centre = w < 5
    x = jnp.where(centre, w - jnp.float32(2.5), jnp.sqrt(w) - jnp.float32(3))
    total = jnp.zeros_like(u)
    for near, far in zip(CENTRE, TAIL, strict=True):
        total = jnp.where(centre, jnp.float32(near), jnp.float32(far)) + total * x
    return jnp.float32(np.sqrt(2)) * total * u


def _log(x):
    """The natural logarithm of positive normal numbers."""
    word = _as(x, jnp.int32)
    power = (word - jnp.int32(0x3F3504F3)) >> 23  # of two, leaves 1/sqrt(2) to sqrt(2)
    m = _as(word - (power << 23), jnp.float32) - jnp.float32(1)
    series = jnp.zeros_like(m)
    for coefficient in LOG:
        series = series * m + jnp.float32(coefficient)
    near_one = m + (series * m - jnp.float32(0.5)) * (m * m)
    return near_one + power.astype(jnp.float32) * jnp.float32(np.log(2))


def _as(x, dtype):
    return jax.lax.bitcast_convert_type(x, dtype)
