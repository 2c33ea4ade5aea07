"""Arrays laid below each other are the arrays again when taken apart."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from eapu_jax.rows import TOGETHER, Rows

SHAPES = [(3, 5), (16, 16), (20, 40), (3, 5), (1, 300), (2, 3, 4), (257, 2), (16, 16)]
SHAPES += SHAPES[: TOGETHER + 1 - len(SHAPES)]


def arrays(key):
    keys = jr.split(key, len(SHAPES))
    pairs = zip(keys, SHAPES, strict=True)
    return {f"{n:02}": jr.normal(k, shape) for n, (k, shape) in enumerate(pairs)}


def again(key, step):
    here = arrays(key)
    rows = Rows.of(here)
    return here, rows.unpack(rows.pack(here)), rows.unpack(rows.pack(here), step)


@pytest.mark.parametrize("around", [lambda f: f, jax.jit])
def test_many_arrays_come_out_as_they_went_in(around):
    was, plain, told = around(again)(jr.key(0), jnp.int32(3))
    jax.tree.map(np.testing.assert_array_equal, was, plain)
    jax.tree.map(np.testing.assert_array_equal, was, told)


def test_many_arrays_of_many_chips_come_out_as_they_went_in():
    chips = jr.split(jr.key(0), 3), jnp.arange(3)
    was, _, told = jax.jit(jax.vmap(again))(*chips)
    jax.tree.map(np.testing.assert_array_equal, was, told)


def test_derivatives_pass_back_through_many_arrays():
    here = arrays(jr.key(0))
    rows = Rows.of(here)
    total = lambda x: sum(a.sum() for a in rows.unpack(x, jnp.int32(3)).values())  # noqa: E731
    slopes = jax.jit(jax.grad(total))(rows.pack(here))
    ones = rows.pack({p: jnp.ones(a.shape) for p, a in here.items()})
    np.testing.assert_array_equal(slopes, ones)
