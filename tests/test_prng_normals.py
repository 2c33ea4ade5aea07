"""Normals of polynomials: jax's own up to rounding, held against SciPy's."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy import special, stats

from prng.elements import element_keys
from prng.normals import _from_uniform, _uniform, normal

KEY = jr.key(5)


@pytest.fixture(scope="module")
def drawn():
    return np.asarray(jax.jit(lambda key: normal(key, (500_000,)))(KEY), np.float64)


def test_every_uniform_becomes_its_quantile():
    """All but every hundredth of the 2**23 that there are, and both ends."""
    bits = np.arange(0, 2**23, 101, dtype=np.uint32) << 9
    bits = np.concatenate([bits, np.uint32([0, (2**23 - 1) << 9, 2**22 << 9])])
    u = np.asarray(_uniform(jnp.asarray(bits)))
    exact = np.sqrt(2) * special.erfinv(u.astype(np.float64))
    found = np.asarray(jax.jit(_from_uniform)(jnp.asarray(u)))
    np.testing.assert_allclose(found, exact, rtol=1e-6, atol=1e-7)


def test_they_are_those_of_jax_up_to_rounding(drawn):
    theirs = np.asarray(jr.normal(KEY, drawn.shape), np.float64)
    np.testing.assert_allclose(drawn, theirs, atol=1e-6, rtol=1e-5)


def test_they_are_normal(drawn):
    assert stats.kstest(drawn, "norm").pvalue > 1e-6
    n = drawn.size
    for power, moment in ((1, 0), (2, 1), (3, 0), (4, 3)):
        found = drawn**power
        assert abs(found.mean() - moment) < 5 * found.std() / np.sqrt(n)


def test_an_element_draws_what_it_draws_among_all(drawn):
    few = jnp.array([0, 3, 1024, 499_999], jnp.uint32)
    alone = jax.jit(jax.vmap(lambda key: normal(key, ())))(element_keys(KEY, few))
    np.testing.assert_array_equal(alone, drawn[few])


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16])
def test_other_floats_are_drawn_as_jax_does(dtype):
    found = normal(KEY, (7,), dtype)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, jr.normal(KEY, (7,), dtype))


def test_keys_of_other_kinds_are_served():
    key = jr.key(0, impl="rbg")
    np.testing.assert_allclose(normal(key, (9,)), jr.normal(key, (9,)), atol=1e-5)
