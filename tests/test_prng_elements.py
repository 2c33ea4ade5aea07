"""A few elements draw what they would have drawn among all."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from prng import unrolled
from prng.elements import element_keys

pytestmark = pytest.mark.usefixtures("optimised")

SHAPE = (37, 61)
FEW = jnp.array([0, 1, 60, 61, 1000, 37 * 61 - 1], jnp.uint32)
SAMPLERS = {
    "bits": lambda k, s: jr.bits(k, s),
    "bits8": lambda k, s: jr.bits(k, s, jnp.uint8),
    "uniform": lambda k, s: jr.uniform(k, s, minval=-1.0, maxval=3.0),
    "normal": lambda k, s: jr.normal(k, s),
    "after_a_split": lambda k, s: jr.normal(jr.split(k, 3)[2], s),
    "after_a_fold": lambda k, s: jr.uniform(jr.fold_in(k, 99), s),
}


@pytest.mark.parametrize("unroll", [unrolled, lambda key: key])
@pytest.mark.parametrize("draw", SAMPLERS.values(), ids=SAMPLERS)
def test_an_element_draws_its_own_number(draw, unroll):
    key = unroll(jr.key(5))
    few = jax.vmap(lambda k: draw(k, ()))(element_keys(key, FEW))
    np.testing.assert_array_equal(few, draw(key, SHAPE).ravel()[FEW])


def test_in_double_precision(x64):
    few = jax.vmap(jr.normal)(element_keys(jr.key(5), FEW))
    np.testing.assert_array_equal(few, jr.normal(jr.key(5), SHAPE).ravel()[FEW])


def test_draws_of_an_array_are_its_own():
    """Elements that draw several numbers share none, and the first is the scalar."""
    keys = element_keys(jr.key(5), jnp.arange(500, dtype=jnp.uint32))
    drawn = np.asarray(jax.vmap(lambda k: jr.bits(k, (7,)))(keys))
    assert len(np.unique(drawn)) == drawn.size
    np.testing.assert_array_equal(drawn[:, 0], jr.bits(jr.key(5), (500,)))


def test_keys_that_do_not_number_their_draws_are_refused():
    with pytest.raises(TypeError, match="threefry2x32"):
        element_keys(jr.key(0, impl="rbg"), FEW)
