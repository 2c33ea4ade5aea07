"""Weights that were changed from outside, held against what the array reads out."""

import jax
import jax.numpy as jnp

from eapu_jax.array import ArrayState, working_dtype
from eapu_jax.crossbar import Crossbar


def difference(
    held: jax.Array, read_out: jax.Array, update_dtype: jax.typing.DTypeLike
) -> jax.Array:
    """What the weights differ by from their array, where it is more than rounding.

    Weights are the sum of many updates, each rounded to the coarser precision of
    weight and update: within two units in the last place of the largest weight there
    is no difference.
    """
    w = held.astype(working_dtype(held))
    eps = max(float(jnp.finfo(t).eps) for t in (held.dtype, update_dtype))
    largest = jnp.maximum(jnp.abs(w), jnp.abs(read_out))
    reach = jnp.max(jnp.where(jnp.isfinite(largest), largest, 0), initial=0)
    gap = w - read_out
    return jnp.where(jnp.abs(gap) <= 2 * eps * reach, 0, gap)


def emitted(
    held: jax.Array,
    before: jax.Array,
    gap: jax.Array,
    after: jax.Array,
    settled: jax.Array,
) -> jax.Array:
    """The update that makes the weights what the array became.

    Args:
        held: the weights as they were handed in.
        before: the read-out before this update.
        gap: what they differed by.
        after: the read-out after this update.
        settled: where a pulse was sent, or the cells were set.

    Returns:
        `after - held`, exactly 0 where nothing moved. Where weights differ and no
        pulse was sent, `after - before`: the difference stays and is asked again.
    """
    w, differs = held.astype(after.dtype), gap != 0
    base = jnp.where(differs & ~settled, before, w)
    return jnp.where((after == before) & ~differs, 0, after - base)


def set_cells(
    crossbar: Crossbar, array: ArrayState, held: jax.Array, gap: jax.Array
) -> ArrayState:
    """Fresh cells at the weights that were changed from outside."""
    w = held.astype(gap.dtype)
    marked = crossbar.encoding.to_cells(jnp.where(gap != 0, jnp.nan, w), array.scale)
    g = crossbar.encoding.to_cells(w, array.scale)
    fresh = crossbar.device.init(jax.random.key(0), g)
    pick = lambda new, old: jnp.where(jnp.isnan(marked), new, old)  # noqa: E731
    return array._replace(cells=jax.tree.map(pick, fresh, array.cells))
