"""A population in pieces reduces to the population in one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.sweep import Best, Fraction, Histogram, Moments, Quantiles
from experiments.sweep.reductions import Lanes

ALL = [
    Moments(),
    Histogram(low=-1.0, high=1.0, bins=7),
    Quantiles(),
    Quantiles(low=-5.0, high=5.0),
    Fraction(at_least=(-0.5, 0.5)),
    Best(n=3),
    Best(n=2, largest=False),
]


def lanes(x, start=0):
    who = start + np.arange(len(x))
    return Lanes(x, who, who % 3)


def reduced(reduction, x, cuts=()):
    """Cut the population, reduce the pieces, merge in order."""
    state = reduction.init(x.shape[1:], x.dtype)
    for a, b in zip([0, *cuts], [*cuts, len(x)], strict=True):
        empty = reduction.init(x.shape[1:], x.dtype)
        state = reduction.merge(state, reduction.update(empty, lanes(x[a:b], a)))
    return {k: f.values for k, f in reduction.finish(state, len(x)).items()}


@pytest.mark.parametrize("reduction", ALL)
@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 40), seed=st.integers(0, 9), data=st.data())
def test_pieces_merge_into_the_whole(reduction, n, seed, data):
    x = np.random.default_rng(seed).normal(size=n).astype(np.float32)
    cuts = sorted(data.draw(st.lists(st.integers(0, n), max_size=4)))
    whole, pieces = reduced(reduction, x), reduced(reduction, x, cuts)
    for name, value in whole.items():
        np.testing.assert_allclose(pieces[name], value, 1e-12, 1e-14)


def test_moments_are_those_of_numpy():
    x = (1e4 + np.random.default_rng(0).normal(size=(100, 3))).astype(np.float32)
    found, wide = reduced(Moments(), x, [1, 50]), x.astype(float)
    np.testing.assert_allclose(found["mean"], wide.mean(0), 1e-14)
    np.testing.assert_allclose(found["std"], wide.std(0, ddof=1), 1e-11)
    np.testing.assert_array_equal(found["max"], wide.max(0))
    np.testing.assert_array_equal(found["min"], wide.min(0))


def test_a_histogram_is_that_of_numpy():
    x = np.r_[np.random.default_rng(0).normal(size=200), -1.0, 1.0, 0.0]
    found = reduced(Histogram(low=-1.0, high=1.0, bins=8), x, [77])
    expected = np.histogram(x, 8, (-1.0, 1.0))[0]
    np.testing.assert_array_equal(found["histogram"], expected)
    assert (found["below"], found["above"]) == ((x < -1).sum(), (x > 1).sum())


@pytest.mark.parametrize("shape", [(), (2,)])
def test_quantiles_without_bounds_are_exact_and_with_bounds_right_to_a_bin(shape):
    x = np.random.default_rng(1).uniform(-3, 3, (1001, *shape)).astype(np.float32)
    expected = np.quantile(x.astype(float), (0.05, 0.25, 0.5, 0.75, 0.95), axis=0)
    exact = reduced(Quantiles(), x, [10, 500])["quantile"]
    binned = reduced(Quantiles(low=-4.0, high=4.0), x, [10, 500])["quantile"]
    np.testing.assert_array_equal(exact, expected)
    np.testing.assert_allclose(binned, expected, rtol=0, atol=8 / 4096)


def test_values_outside_the_bounds_lie_on_the_edge():
    x = np.array([-9.0, -9.0, 0.0, 9.0, 9.0])
    found = reduced(Quantiles(q=(0.0, 0.5, 1.0), low=-1.0, high=1.0, bins=2000), x)
    np.testing.assert_allclose(found["quantile"], [-1, 0, 1], atol=1e-3)


def test_the_best_are_those_of_a_sort_and_the_first_of_equals_wins():
    x = np.array([1.0, 3.0, 2.0, 3.0, 0.0])
    found = reduced(Best(n=3), x, [1, 2, 4])
    assert found["best"].tolist() == [3.0, 3.0, 2.0]
    assert found["best_chip"].tolist() == [1, 3, 2]
    assert reduced(Best(n=7), x)["best_chip"].tolist()[-2:] == [-1, -1]


def test_a_fraction_counts_the_lost_as_failures():
    fraction = Fraction(at_least=(0.5,))
    state = fraction.update(fraction.init((), np.dtype(float)), lanes(np.ones(3)))
    assert fraction.finish(state, 4)["fraction"].values.item() == 0.75


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Histogram(low=1.0, high=1.0), "low = 1.0 must be below"),
        (lambda: Histogram(low=0.0, high=1.0, bins=0), "bins = 0"),
        (lambda: Quantiles(q=(0.5, 1.5)), "q ="),
        (lambda: Quantiles(low=0.0), "both or none"),
        (lambda: Best(n=0), "n = 0"),
        (lambda: Fraction(at_least=()), "at_least"),
        (lambda: Best().init((3,), np.dtype(float)), r"not shape \(3,\)"),
    ],
)
def test_a_wrong_reduction_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
