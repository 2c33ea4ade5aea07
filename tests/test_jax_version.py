"""Refuse a jax that is known, or can be seen, to compute wrong numbers."""

import jax
import jax.random as jr
import numpy as np

WRONG_ON_CPU = {"0.10.2", "0.11.0", "0.11.1"}


def test_jax_is_not_a_release_known_to_be_wrong():
    assert jax.__version__ not in WRONG_ON_CPU, (
        f"jax {jax.__version__} returns wrong numbers on CPU. Install a sound one: "
        'pip install "jax>=0.10.1,!=0.10.2,!=0.11.0,!=0.11.1,<0.13"'
    )


def test_compiled_product_and_sum_equal_eager_at_32769_rows():
    def total(x, w):
        return jax.vmap(lambda row: row @ w)(x).sum(0)

    x = jr.normal(jr.key(0), (32_769, 8))
    w = jr.normal(jr.key(1), (8, 4))
    exact = (np.asarray(x, float) @ np.asarray(w, float)).sum(0)
    np.testing.assert_allclose(total(x, w), exact, rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(jax.jit(total)(x, w), exact, rtol=1e-3, atol=1e-2)
