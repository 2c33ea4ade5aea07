"""Statistics go on where 10^8, 2^24, 2^31 or 2^32 samples were seen: none stalls.

The state after so many samples is written down exactly, a few hundred more are added by
the code, and both together are what exact rational arithmetic makes of them.
"""

from fractions import Fraction
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thermo.compensated import Pair, add
from thermo.counts import Count
from thermo.exact import sampled_variance
from thermo.observers import Autocovariance, Correlations, Moments, Spectrum, measure
from thermo.observers.comoments import Comoments

COUNTS = [2**24, 10**8, 2**31 - 1, 2**32 - 2]
MORE = np.array([[1.0], [3.0]] * 100)
"""Two hundred samples, added two at a time, about a mean of 2."""


def words(n, shape=()):
    """A count, in its two words."""
    high, low = divmod(n, 2**32)
    return Count(*(jnp.full(shape, x, jnp.uint32) for x in (high, low)))


def parts(x, shape):
    """A number, as a sum in two float32."""
    high = np.float32(x)
    low = np.float32(float(Fraction(x) - Fraction(float(high))))
    return Pair(jnp.full(shape, high), jnp.full(shape, low))


def exactly(both):
    """What a sum in two parts says."""
    return sum(Fraction(float(np.asarray(x).ravel()[0])) for x in both)


def alternating(n, shape=()):
    """Statistics of n pairs of a sample of 1 or 3 with itself, half of them each."""
    of_mean = parts(2, (*shape, 1))
    return Comoments(words(n, shape), of_mean, of_mean, parts(n, (*shape, 1, 1)))


@partial(jax.jit, static_argnums=0)
def later(observer, state):
    """The state after `MORE`, two samples at a time."""
    pieces = jnp.asarray(MORE.reshape(100, 2, 1), jnp.float32)
    return jax.lax.scan(lambda s, v: (observer.update(s, v), None), state, pieces)[0]


@pytest.mark.parametrize("n", COUNTS)
def test_moments_add_one_to_each_sum_for_each_sample(n):
    found = later(Moments(), alternating(n))
    assert int(found.seen.value()) == n + 200
    assert exactly(found.products) == n + 200  # each is 1 away from the mean
    assert exactly(found.x) == 2
    assert float(Moments().finish(found).covariance[0, 0]) == 1


@pytest.mark.parametrize("kind", [Correlations, Autocovariance])
@pytest.mark.parametrize("n", COUNTS)
def test_correlations_count_pairs_and_add_their_products(n, kind):
    observer = kind(1)
    state = observer.init(1, 2, jnp.float32)
    state = state._replace(
        recent=jnp.full((1, 1), 3.0),
        known=jnp.ones((), jnp.int32),
        pairs=alternating(n, (2,)),
    )
    # At lag 1 a sample of 1 meets one of 3: the product about the means is -1.
    signs = jnp.array([1.0, -1.0], jnp.float32)[:, None, None]
    products = Pair(*(x * signs for x in state.pairs.products))
    state = state._replace(pairs=state.pairs._replace(products=products))
    found = later(observer, state).pairs
    assert found.seen.value().tolist() == [n + 200] * 2
    for lag, sign in enumerate((1, -1)):
        assert exactly(Pair(*(x[lag] for x in found.products))) == sign * (n + 200)


@pytest.mark.parametrize("n", COUNTS)
def test_a_spectrum_counts_segments_and_adds_their_powers(n):
    observer = Spectrum(4, 1.0)
    v = jnp.asarray(MORE[:4], jnp.float32)
    first = observer.update(observer.init(1, 1, jnp.float32), v)
    power = np.asarray(first.density.high, complex)  # of one segment, all are alike
    many = n * power
    high = many.astype(np.complex64)
    state = first._replace(
        seen=words(n),
        density=Pair(
            jnp.asarray(high), jnp.asarray((many - high).astype(np.complex64))
        ),
    )
    found = later(observer, state)
    assert int(found.seen.value()) == n + 100
    total = sum(np.asarray(x, complex) for x in found.density)
    np.testing.assert_allclose(total - many, 100 * power, rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(
        observer.finish(found).density, measure(observer, v).density, rtol=1e-6
    )


@pytest.mark.parametrize("n", COUNTS)
@pytest.mark.parametrize("observer", [Moments(), Correlations(1)], ids=["m", "c"])
def test_two_long_runs_merge_into_one_twice_as_long(n, observer):
    shape = () if isinstance(observer, Moments) else (2,)
    whole = state = alternating(n, shape)
    if shape:
        start = observer.init(1, 1, jnp.float32)
        whole = start._replace(pairs=state)
    found = observer.merge(whole, whole)
    found = found.pairs if shape else found
    assert np.all(found.seen.value() == 2 * n)
    assert abs(exactly(found.products) - 2 * n) <= n * np.finfo(np.float32).eps
    assert exactly(found.x) == 2


@pytest.mark.parametrize("n", COUNTS)
def test_a_sum_in_two_parts_takes_ones_that_float32_would_lose(n):
    assert np.float32(n) + np.float32(1) == np.float32(n)
    assert exactly(later_sum(parts(n, ()))) == n + 200


@jax.jit
def later_sum(total):
    return jax.lax.fori_loop(0, 200, lambda _, s: add(s, jnp.float32(1)), total)


def test_the_error_law_of_a_hundred_million_samples():
    """Of a mean square with correlation a: 2 (1 + a^2) / (1 - a^2) / n, nearly."""
    one, n, dt = jnp.eye(1), 10**8, 0.1
    found = sampled_variance(one, 2 * one, dt=dt, n_samples=n)[0, 0]
    square = np.exp(-2 * dt)
    law = 2 * (1 + square) / (1 - square) / n
    np.testing.assert_allclose(found, law, rtol=1e-5)
