"""Degradations and measures of images, held against Pillow, SciPy and scikit-image."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from experiments.data.photographs import luma
from experiments.learning.restoration import (
    K1,
    K2,
    as_bytes,
    enlarged,
    noisy,
    psnr,
    reduced,
    ssim,
    studio_luma,
)
from tests.statistics import assert_mean, assert_variance

PSNR, SSIM = (jax.jit(measure, static_argnums=2) for measure in (psnr, ssim))


@pytest.fixture(scope="module")
def photographs():
    """Two photographs in colour, (2, 96, 128, 3) in [0, 1], and both made worse."""
    cut = [load_sample_image(n)[100:196, 200:328] for n in ("china.jpg", "flower.jpg")]
    clean = np.stack(cut).astype(np.float32) / 255
    noise = 25 / 255 * np.random.default_rng(0).standard_normal(clean.shape)
    return clean, np.clip(clean + noise, 0, 1).astype(np.float32)


def test_noise_has_the_deviation_asked_for_on_the_scale_of_bytes():
    x = jnp.full((4, 50, 50, 2), 0.5)
    noise = 255 * (np.asarray(jax.jit(noisy)(jr.key(0), x, 25.0)) - 0.5)
    assert_mean(noise.ravel(), 0)
    assert_variance(noise.ravel(), 25**2)
    images = noise.reshape(4, -1)
    apart = np.corrcoef(images)[np.triu_indices(4, 1)]
    assert np.abs(apart).max() < 5 / images.shape[1] ** 0.5


@pytest.mark.parametrize("factor", [2, 4])
def test_reduction_and_enlargement_are_those_of_pillow(photographs, factor):
    for image in photographs[0]:
        gray = image[..., 1]
        for change, sides in (
            (reduced, (128 // factor, 96 // factor)),
            (enlarged, (128 * factor, 96 * factor)),
        ):
            known = Image.fromarray(gray).resize(sides, Image.Resampling.BICUBIC)
            got = change(jnp.asarray(gray)[None, :, :, None], factor)[0, ..., 0]
            # floats of 32 bits, sums of up to 16 terms below 1.2 for each axis
            tolerance = 2 * 16 * 1.2 * 2.0**-24
            np.testing.assert_allclose(got, np.asarray(known), atol=tolerance, rtol=0)


def test_reduction_of_bytes_is_that_of_pillow_up_to_its_two_roundings(photographs):
    image = np.round(255 * photographs[0][0]).astype(np.uint8)
    known = Image.fromarray(image).resize((32, 24), Image.Resampling.BICUBIC)
    got = 255 * as_bytes(reduced(jnp.asarray(image[None] / np.float32(255)), 4))[0]
    # Pillow rounds after each axis: half a level, spread by weights that add to < 1.3
    assert np.abs(np.asarray(got) - np.asarray(known, float)).max() < 1.5


def test_even_images_stay_even_and_ramps_stay_ramps():
    even = jnp.full((1, 16, 24, 1), 0.3)
    np.testing.assert_allclose(reduced(even, 4), 0.3, atol=1e-6)
    ramp = jnp.broadcast_to(jnp.arange(32.0)[:, None, None] / 32, (1, 32, 8, 1))
    inner = np.asarray(reduced(ramp, 2))[0, 2:-2, 0, 0]
    np.testing.assert_allclose(inner, (2 * np.arange(2, 14) + 0.5) / 32, atol=1e-6)


def test_psnr_is_that_of_scikit_image(photographs):
    metrics = pytest.importorskip("skimage.metrics")
    clean, worse = photographs
    got = PSNR(worse, clean, 0)
    for n in range(2):
        known = metrics.peak_signal_noise_ratio(
            clean[n].astype(float), worse[n].astype(float), data_range=1
        )
        # a relative error of 32 roundings in the mean of the squares
        tolerance = 10 / np.log(10) * 32 * 2.0**-24
        np.testing.assert_allclose(got[n], known, atol=tolerance)


@pytest.mark.parametrize("border", [0, 4])
def test_ssim_is_that_of_scikit_image(photographs, border):
    metrics = pytest.importorskip("skimage.metrics")
    clean, worse = photographs
    got = SSIM(worse, clean, border)
    inside = np.s_[border : 96 - border, border : 128 - border]
    for n in range(2):
        known = metrics.structural_similarity(
            clean[n][inside].astype(float),
            worse[n][inside].astype(float),
            data_range=1,
            channel_axis=-1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        np.testing.assert_allclose(got[n], known, atol=1e-5)


def test_ssim_of_even_images_is_its_closed_form():
    a, b = 0.2, 0.7
    x, y = jnp.full((1, 20, 20, 1), a), jnp.full((1, 20, 20, 1), b)
    known = (2 * a * b + K1**2) / (a**2 + b**2 + K1**2)
    # a variance of 0 comes out as a few roundings of 0.25, over K2^2
    tolerance = 16 * 2.0**-24 * 0.25 / K2**2
    np.testing.assert_allclose(SSIM(x, y, 0), [known], atol=tolerance)


def test_equal_images_are_as_near_as_can_be_and_nan_is_seen(photographs):
    x = jnp.asarray(photographs[0])
    np.testing.assert_allclose(SSIM(x, x, 0), 1, atol=1e-6)
    assert np.isinf(PSNR(x, x, 0)).all()
    for wrong in (jnp.nan, jnp.inf):
        bad = x.at[1, 50, 50, 0].set(wrong)
        for measure in (PSNR, SSIM):
            assert np.isfinite(measure(bad, x * 0.9, 0)[0])
            assert np.isnan(measure(bad, x * 0.9, 0)[1])


def test_what_is_at_the_border_does_not_count_when_cropped(photographs):
    x = jnp.asarray(photographs[0])
    worse = x.at[:, :4].set(0).at[:, :, -4:].set(0)
    assert np.isinf(PSNR(worse, x, 4)).all()
    assert not np.isinf(PSNR(worse, x, 3)).any()
    np.testing.assert_allclose(SSIM(worse, x, 4), 1, atol=1e-6)


def test_luma_of_the_studio_range_has_its_ends_and_goes_with_that_of_the_full_one():
    ends = jnp.asarray([[[[0.0, 0, 0], [1, 1, 1]]]])
    np.testing.assert_allclose(
        255 * studio_luma(ends)[0, 0, :, 0], [16, 235], atol=1e-4
    )
    colour = np.random.default_rng(0).integers(0, 256, (9, 9, 3)).astype(np.uint8)
    got = 255 * studio_luma(jnp.asarray(colour[None] / np.float32(255)))[0]
    full = luma(colour).astype(float)
    np.testing.assert_allclose(got, 16 + full * 219 / 255, atol=0.5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: reduced(x, 3), "factor = 3: must divide 16 and 12"),
        (lambda x: reduced(x, 0), "factor = 0: must divide"),
        (lambda x: enlarged(x, 0), "factor = 0: must be 1 or more"),
        (lambda x: psnr(x, x, 6), "border = 6: must be 0 to 5"),
        (lambda x: ssim(x, x, -1), "border = -1: must be 0 to 5"),
        (lambda x: ssim(x, x, 1), "must be 11 wide or more, got 14 x 10"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(jnp.zeros((1, 16, 12, 1)))
