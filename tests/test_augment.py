"""Images moved and mirrored: every way equally likely, nothing else changed."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy import stats

from experiments.learning.augment import cropped, flipped, moved
from tests.statistics import assert_rate

RARE = 5.7e-7
"""Odds of five standard errors."""
N, SIDE, PADDING = 8100, 6, 4


@pytest.fixture(scope="module")
def image():
    """No pixel is 0 and none is like another."""
    return np.arange(1, 1 + SIDE * SIDE * 2, dtype=np.float32).reshape(SIDE, SIDE, 2)


def copies(image):
    """The image at every place, row by row."""
    wide = np.pad(image, ((PADDING,) * 2, (PADDING,) * 2, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(wide, (SIDE, SIDE), (0, 1))
    return np.moveaxis(windows, 2, -1).reshape(-1, SIDE, SIDE, 2)


def equal(found, known):
    """Which of the known images each one found is."""
    return np.stack([(found == one).all((1, 2, 3)) for one in known], 1)


@pytest.fixture(scope="module")
def result(image):
    """Many copies of one image, moved, and where each of them went."""
    x = jnp.broadcast_to(image, (N, *image.shape))
    return equal(np.asarray(jax.jit(cropped)(jr.key(0), x)), copies(image))


def test_every_image_is_a_shifted_copy_with_zeros_around(result):
    np.testing.assert_array_equal(result.sum(1), 1)


def test_every_place_is_equally_likely_and_rows_know_nothing_of_columns(result):
    counts = result.sum(0)
    assert len(counts) == (2 * PADDING + 1) ** 2
    # all pairs of a row and a column at once: also that the two are independent
    assert stats.chisquare(counts).pvalue > RARE


def test_neighbours_move_independently(result):
    place = result.argmax(1)
    table = np.zeros((9, 9))
    np.add.at(table, (place[:-1:2] // 9, place[1::2] // 9), 1)
    assert stats.chi2_contingency(table).pvalue > RARE


def test_half_of_the_images_are_mirrored_and_none_changed_otherwise(image):
    x = jnp.broadcast_to(image, (N, *image.shape))
    found = np.asarray(jax.jit(flipped)(jr.key(1), x))
    mirrored = (found == image[:, ::-1]).all((1, 2, 3))
    kept = (found == image).all((1, 2, 3))
    assert (mirrored ^ kept).all()
    assert_rate(mirrored.sum(), N, 0.5)


def test_moves_and_mirrors_are_independent(image):
    x = jnp.broadcast_to(image, (N, *image.shape))
    found = np.asarray(jax.jit(moved)(jr.key(2), x))
    ways = [*copies(image), *copies(image)[:, :, ::-1]]
    counts = equal(found, ways).sum(0)
    assert counts.sum() == N
    assert stats.chisquare(counts).pvalue > RARE


def test_one_key_says_all_and_another_says_otherwise(image):
    x = jnp.broadcast_to(image, (50, *image.shape))
    one, again, other = (np.asarray(moved(jr.key(k), x)) for k in (3, 3, 4))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


def test_bytes_stay_bytes_and_no_border_moves_nothing():
    x = jnp.arange(2 * 4 * 4, dtype=jnp.uint8).reshape(2, 4, 4, 1)
    np.testing.assert_array_equal(cropped(jr.key(0), x, 0), x)
    assert moved(jr.key(0), x).dtype == jnp.uint8
    with pytest.raises(ValueError, match="padding = -1: must be 0 or more"):
        cropped(jr.key(0), x, -1)
