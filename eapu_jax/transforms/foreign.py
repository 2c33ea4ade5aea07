"""Weights that were changed from outside, held against what the array reads out."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from eapu_jax.bank import Bank, Joined
from eapu_jax.devices.base import Scalar
from eapu_jax.rows import Arrays


def reaches(bank: Bank, asked: Arrays, held: Arrays) -> Float[Array, " arrays"]:
    """How far the weights of every array may be from it by rounding alone.

    Weights are the sum of many updates, each rounded: two units in the last place,
    of the coarser of weight and update, of the largest weight that the array has held.
    """

    def of(path: str) -> float:
        return 2 * max(float(jnp.finfo(x[path].dtype).eps) for x in (asked, held))

    units = np.array([of(path) for path in bank.rows.paths])
    return jnp.asarray(units, bank.largest.dtype) * bank.largest


def difference(w: jax.Array, read_out: jax.Array, reach: Scalar) -> jax.Array:
    """What the weights differ by from their array, where it is more than rounding."""
    gap = w - read_out
    return jnp.where(jnp.abs(gap) <= reach, 0, gap)


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
    differs = gap != 0
    base = jnp.where(differs & ~settled, before, held)
    return jnp.where((after == before) & ~differs, 0, after - base)


def set_cells(
    key: jax.Array, chip: Joined, bank: Bank, w: jax.Array, gap: jax.Array
) -> Bank:
    """Fresh cells at the weights that were changed from outside."""
    changed = _cells_of(chip, bank, gap != 0)
    fresh = chip.device.init(key, chip.to_cells(bank, w))
    pick = lambda new, old: jnp.where(changed, new, old)  # noqa: E731
    return bank._replace(cells=jax.tree.map(pick, fresh, bank.cells))


def _cells_of(chip: Joined, bank: Bank, chosen: jax.Array) -> jax.Array:
    """The cells that stand for these weights: they would differ, were the weights."""
    bank = bank._replace(scales=jax.tree.map(_one, bank.scales))
    unit = chosen.astype(jnp.float32)
    none, more, less = (chip.to_cells(bank, x * unit) for x in (0, 1, -1))
    return (more != none) | (less != none)


def _one(scale: jax.Array) -> jax.Array:
    return jnp.ones_like(scale, jnp.float32)
