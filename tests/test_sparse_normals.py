"""Normals for a few elements are those that all elements would have drawn."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy import stats

import eapu_jax as ej
from prng import unrolled
from prng.sparse import normal_where
from tests.statistics import assert_mean, assert_second_moment, assert_within

# from none through a lone element and many in one queue of 128 to all of them
RATES = [0.0, 0.001, 0.02, 0.1, 0.3, 1.0]


def noise(key, hit, dtype=jnp.float32):
    return normal_where(unrolled(key), hit, dtype)


def hits(rate, shape=(301, 67)):
    return jr.bernoulli(jr.key(7), rate, shape)


@pytest.mark.parametrize("rate", RATES)
def test_the_few_draw_what_all_would_have_drawn(rate):
    hit = hits(rate)
    everywhere = jr.normal(jr.key(0), hit.shape)
    np.testing.assert_allclose(
        noise(jr.key(0), hit), jnp.where(hit, everywhere, 0), rtol=3e-6, atol=1e-7
    )


def test_keys_that_do_not_number_their_draws_draw_all():
    key, hit = jr.key(0, impl="rbg"), hits(0.01)
    np.testing.assert_array_equal(
        normal_where(key, hit, jnp.float32),
        jnp.where(hit, jr.normal(key, hit.shape), 0),
    )


@pytest.mark.parametrize("rate", RATES)
def test_every_hit_cell_has_a_draw_of_its_own_and_no_other_has_any(rate):
    hit = np.asarray(hits(rate))
    z = np.asarray(noise(jr.key(0), hit))
    np.testing.assert_array_equal(z[~hit], 0)
    assert len(np.unique(z[hit])) >= 0.998 * hit.sum()  # there are 2**23 values


@pytest.mark.parametrize("rate", RATES[2:])
def test_the_draws_are_standard_normal(rate):
    hit = np.asarray(hits(rate))
    assert stats.kstest(np.asarray(noise(jr.key(1), hit))[hit], "norm").pvalue > 1e-6


def test_cells_of_one_queue_are_independent():
    """Of 5120 elements every fortieth stands in the first of 40 queues."""
    hit = (np.arange(5120) % 40 == 0) & (np.arange(5120) < 640)
    z = jax.vmap(lambda k: noise(k, hit))(jr.split(jr.key(2), 4000))[:, hit]
    assert_second_moment(z, np.eye(16))
    assert_mean(z, 0.0)


def test_a_chip_does_not_depend_on_the_batch():
    keys, rates = jr.split(jr.key(3), len(RATES)), jnp.array(RATES)
    hit = jax.vmap(lambda r: hits(r, (80, 67)))(rates)
    together = jax.vmap(noise)(keys, hit)
    alone = jnp.stack([noise(k, h) for k, h in zip(keys, hit, strict=True)])
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("shape", [(), (0,), (31,), (4096,), (4097,), (3, 3, 15, 37)])
def test_any_shape_and_any_width(shape):
    for dtype in (jnp.float32, jnp.bfloat16):
        z = noise(jr.key(4), jnp.ones(shape, bool), dtype)
        assert (z.shape, z.dtype) == (shape, dtype)


def test_double_precision_stays_double(x64):
    assert noise(jr.key(4), hits(0.01), jnp.float64).dtype == jnp.float64


@pytest.mark.parametrize("rate", [0.02, 1.0])
def test_the_slope_in_the_write_error_is_the_draw(rate):
    dg = hits(rate, (80, 67)).astype(jnp.float32)

    def total(write_noise):
        device = ej.AdditiveError(write_noise=write_noise)
        fresh = device.init(jr.key(4), jnp.zeros(dg.shape))
        return device.write(jr.key(5), fresh, dg)[0].g.sum()

    z = noise(jr.key(5), dg != 0).sum()
    assert_within(jax.jit(jax.grad(total))(2.0), z, 1e-4)
    assert_within(jax.jacfwd(total)(2.0), z, 1e-4)
