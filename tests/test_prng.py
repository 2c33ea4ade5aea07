"""The unrolled generator is jax's default generator, bit for bit."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from prng import blocks_at, chance, unrolled
from tests.statistics import assert_rate

pytestmark = pytest.mark.usefixtures("optimised")

SAMPLERS = {
    "bits": lambda k: jr.bits(k, (3, 5)),
    "bits8": lambda k: jr.bits(k, (9,), jnp.uint8),
    "bits16": lambda k: jr.bits(k, (9,), jnp.uint16),
    "uniform": lambda k: jr.uniform(k, (2, 3, 4)),
    "normal": lambda k: jr.normal(k, (1001,)),
    "bfloat16": lambda k: jr.normal(k, (33,), jnp.bfloat16),
    "scalar": lambda k: jr.normal(k),
    "permutation": lambda k: jr.permutation(k, 50),
    "split": lambda k: jr.key_data(jr.split(k, 7)),
    "split_2d": lambda k: jr.key_data(jr.split(k, (2, 3))),
    "fold_in": lambda k: jr.key_data(jr.fold_in(k, 123)),
    "randint": lambda k: jr.randint(k, (40,), 0, 1000),
}


@pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
@pytest.mark.parametrize("seed", [0, 2**31 - 1])
def test_equals_the_default_stream(sampler, seed):
    key = jr.key(seed)
    np.testing.assert_array_equal(sampler(unrolled(key)), sampler(key))
    np.testing.assert_array_equal(jax.jit(sampler)(unrolled(key)), sampler(key))


def test_equals_the_default_stream_in_double_precision(x64):
    key = jr.key(3)
    np.testing.assert_array_equal(
        jr.normal(unrolled(key), (17,)), jr.normal(key, (17,))
    )


def test_a_key_among_many_draws_what_it_draws_alone():
    keys = unrolled(jr.split(jr.key(1), 16))
    together = jax.vmap(lambda k: jr.normal(k, (5,)))(keys)
    np.testing.assert_array_equal(together[11], jr.normal(keys[11], (5,)))


def test_inside_jit_the_key_may_be_traced():
    draw = jax.jit(lambda k: jr.normal(unrolled(k), (4,)))
    np.testing.assert_array_equal(draw(jr.key(2)), jr.normal(jr.key(2), (4,)))


def test_other_generators_are_left_alone():
    key = jr.key(0, impl="rbg")
    assert jr.key_impl(unrolled(key)) == jr.key_impl(key)


def test_the_stream_of_older_jax_is_kept_where_it_is_asked_for():
    key = jr.key(7)
    with jax.threefry_partitionable(False):
        older = jr.normal(key, (5,))
        np.testing.assert_array_equal(jr.normal(unrolled(key), (5,)), older)
    assert not np.array_equal(older, jr.normal(key, (5,)))


def test_an_accelerator_draws_with_the_kernels_of_jax(monkeypatch):
    key = jr.key(7)
    assert jr.key_impl(unrolled(key)) != jr.key_impl(key)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert unrolled(key) is key


@pytest.mark.parametrize("size", [20_000, 100_000])
def test_an_event_is_decided_by_all_of_64_bits(x64, size):
    key = jr.key(5)
    high, low = blocks_at(jr.split(key)[1], jnp.uint32(0), jnp.arange(size, dtype="u4"))
    u = np.asarray(high, float) * 2.0**-32 + np.asarray(low, float) * 2.0**-64
    p = u / 256 * (1 + np.array([[-1], [1]]) * 2.0**-45)
    below, above = (np.asarray(chance.happens(key, jnp.asarray(row))) for row in p)
    assert not below.any()
    assert_rate(above.sum(), size, 1 / 256)


@pytest.mark.parametrize("rows", [5, 32])
@pytest.mark.parametrize("whole", [(), "rows", "all"])
def test_a_quotient_is_as_possible_as_the_probability_it_is(rows, whole):
    shape = {"rows": (rows, 1), "all": (rows, 256)}.get(whole, whole)
    random = np.random.default_rng(0)
    part = jnp.asarray(random.normal(size=(rows, 256)), jnp.float32)
    of = jnp.asarray(random.uniform(1, 100, shape), jnp.float32)
    keys = jr.split(jr.key(3))
    expected = chance.possible(keys, jnp.abs(part) / of)
    np.testing.assert_array_equal(chance.possible(keys, part, of), expected)


def test_of_the_bytes_that_are_likely_every_one_is_counted():
    random = np.random.default_rng(1)
    unit = np.float32(random.uniform(0.003, 3, 400))
    part = np.float32(random.integers(0, 257, 400)) * unit
    near = [np.nextafter(part, np.float32(end)) for end in (0, np.inf)]
    part = jnp.asarray([part, *near, unit / 7])
    unit = jnp.broadcast_to(unit, part.shape)
    byte = jnp.arange(256, dtype=jnp.uint32)
    counted = jax.vmap(chance.likely, (0, None, None))(byte, part, unit).sum(0)
    left = np.asarray(chance.bytes_left(part, unit))
    plain = np.ceil(part / unit)
    assert ((left != plain) & (plain < 256)).any()  # what rounding does
    np.testing.assert_array_equal(np.minimum(left, 256), counted)


def test_a_raw_key_is_refused():
    with pytest.raises(TypeError, match="typed key"):
        unrolled(jnp.zeros(2, jnp.uint32))
