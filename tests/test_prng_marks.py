"""Marked elements are found by their rank."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from prng import marks


def cut(size):
    """A third, and the rest."""
    third = size // 3
    return [(jnp.int32(0), third), (jnp.int32(third), size - third)]


@partial(jax.jit, static_argnums=2)
def elements(ranks, first, n):
    """Those of every mask of one size by one program."""
    return ranks.elements(first, n)


@pytest.mark.parametrize("size", [1, 31, 2048, 2049, 5000, 150_000])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 1.0])
def test_the_element_of_every_rank_is_the_one_that_numpy_finds(size, share):
    mask = np.random.default_rng(size).random(size) < share
    ranks = marks.ranked(marks.pack(jnp.asarray(mask)))
    parts = [elements(ranks, first, n) for first, n in cut(size + 5)]
    found = np.concatenate(parts)
    order = marks.unpack(ranks.marks, (size,), size)
    assert np.array_equal(order, mask)
    assert int(ranks.total) == mask.sum() == int(marks.count(ranks.marks))
    expected = set(np.flatnonzero(mask).tolist())
    assert set(found[: mask.sum()].tolist()) == expected
    assert np.all(found[mask.sum() :] >= size)


def test_lone_marks_are_found_at_every_bit_of_a_group():
    def found(place):
        mask = jnp.zeros(2 * marks.GROUP, bool).at[place].set(True)
        return marks.ranked(marks.pack(mask)).elements(jnp.int32(0), 1)[0]

    places = jnp.arange(2 * marks.GROUP)
    assert np.array_equal(jax.jit(jax.vmap(found))(places), places)


def test_what_a_mask_marks_does_not_depend_on_its_shape():
    mask = jr.bernoulli(jr.key(0), 0.2, (30, 7, 11))
    packed = marks.pack(mask)
    assert np.array_equal(packed, marks.pack(mask.ravel()))
    assert np.array_equal(marks.unpack(packed, mask.shape, mask.size), mask)
