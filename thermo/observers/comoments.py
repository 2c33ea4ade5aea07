r"""Means and products about the means, of runs that any float32 sum would lose.

The mean of the squares less the square of the mean cancels: nothing is left of a
fluctuation of a millivolt about a volt. So every block of samples is centred on a mean
of its own, and blocks are merged as Chan, Golub and LeVeque do it,

$$ M = M_a + M_b + \frac{n_a n_b}{n_a + n_b} (x_b - x_a)(y_b - y_a)^\mathsf T, $$

with every sum held in two parts and the number of samples in two words.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from thermo.chunks import in_chunks
from thermo.compensated import Pair, add, pair
from thermo.counts import Count

S = TypeVar("S")

BLOCK = 1024
"""Samples centred at once, at the most: their plain sums lose no digit that matters."""


class Comoments(NamedTuple):
    """Statistics of pairs (x, y), with any leading axes `...`.

    Attributes:
        seen: number of pairs, `(...)`.
        x: mean of x, `(..., d)`.
        y: mean of y, `(..., d)`.
        products: sum of the products about the means, `(..., d, d)`.
    """

    seen: Count
    x: Pair
    y: Pair
    products: Pair


def nothing(shape: tuple[int, ...], size: int, dtype: Any) -> Comoments:
    """No pairs seen."""
    mean, products = (jnp.zeros((*shape, *n), dtype) for n in ((size,), (size, size)))
    mean, products = Pair(mean, mean), Pair(products, products)
    return Comoments(Count.zero(shape), mean, mean, products)


def centred(
    centre: Float[Array, "... d"],
    n: Int[Array, "..."],
    x: Float[Array, "... d"],
    y: Float[Array, "... d"],
    products: Float[Array, "... d d"],
) -> Comoments:
    """Statistics of a block from its plain sums about a `centre` amid the block."""
    real = jnp.maximum(n, 1).astype(x.dtype)[..., None]
    x, y = x / real, y / real
    about = products - real[..., None] * _outer(x, y)
    whole = pair(jnp.broadcast_to(centre, x.shape))
    count = Count.zero(n.shape).plus(n)
    return Comoments(count, add(whole, x), add(whole, y), pair(about))


def merge(a: Comoments, b: Comoments) -> Comoments:
    """Statistics of two sets of pairs together."""
    count = a.seen.plus(b.seen)
    dtype = a.x.high.dtype
    n_a, n_b, n = (c.real(dtype)[..., None] for c in (a.seen, b.seen, count))
    share = n_b / jnp.maximum(n, 1)
    x, y = _apart(a.x, b.x), _apart(a.y, b.y)
    between = (n_a * share)[..., None] * _outer(sum(x), sum(y))
    products = add(add(a.products, b.products.high), b.products.low + between)
    return Comoments(count, _moved(a.x, x, share), _moved(a.y, y, share), products)


def covariance(state: Comoments) -> Float[Array, "... d d"]:
    """Average product about the means; NaN where nothing was seen."""
    n = state.seen.real(state.x.high.dtype)[..., None, None]
    return (state.products.high + state.products.low) / n


def second(
    x: Float[Array, "... d"], y: Float[Array, "... d"], about: Float[Array, "... d d"]
) -> Float[Array, "... d d"]:
    """Average product about zero, from means and the average about them."""
    return about + _outer(x, y)


def by_blocks(
    update: Callable[[S, Float[Array, "time d"]], S],
    state: S,
    v: Float[Array, "time d"],
    block: int = BLOCK,
) -> S:
    """Update with samples of any number, so many at a time."""
    if v.shape[0] <= block:
        return update(state, v)

    def body(state, i, length=block):
        part = jax.lax.dynamic_slice_in_dim(v, i * block, length)
        return update(state, part), None

    return in_chunks(body, state, v.shape[0], block)


def _outer(x, y):
    return x[..., :, None] * y[..., None, :]


def _apart(a, b):
    """From mean to mean: the larger parts, which cancel exactly, and the smaller."""
    return b.high - a.high, b.low - a.low


def _moved(mean, apart, share):
    """The mean, shifted by a share of the way; the two parts one after the other."""
    high, low = apart
    return add(add(mean, high * share), low * share)
