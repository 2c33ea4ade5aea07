"""Photographs made worse, and how near to the original what is restored comes.

Images are in [0, 1], `(n, height, width, channels)`. Nothing here clips or rounds:
`as_bytes` does what a file of 8 bits would.
"""

from functools import cache

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

SIGMA, RADIUS = 1.5, 5
"""Of the window of SSIM, pixels: scikit-image cuts a Gaussian off at 3.5 sigma, which
is 5 pixels, a window of 11 x 11, as Wang et al. have it (IEEE Transactions on Image
Processing 13, 600 (2004))."""
K1, K2 = 0.01, 0.03
"""Constants of SSIM, ibid."""

Images = Float[Array, "n h w c"]


def noisy(key: Key[Array, ""], x: Images, sd: float) -> Images:
    """Gaussian noise on every channel of every pixel, not clipped.

    Args:
        key: of the noise.
        x: images.
        sd: standard deviation on the scale from 0 to 255, as the literature gives it.
    """
    return x + jnp.asarray(sd / 255, x.dtype) * jr.normal(key, x.shape, x.dtype)


def reduced(x: Images, factor: int) -> Images:
    """Bicubic reduction without aliasing, as `PIL.Image.resize(..., BICUBIC)` has it.

    Cubic convolution of Keys with a = -1/2, stretched by the factor, an axis at a time;
    at the border what lies outside has no weight. MATLAB's `imresize` has the same
    kernel and mirrors the image at its border, so the two are equal further than
    2 `factor` pixels inside.

    Raises:
        ValueError: if `factor` divides no side, naming both.

    Example:
        >>> float(reduced(jnp.full((1, 8, 8, 1), 0.25), 4)[0, 1, 1, 0])
        0.25
    """
    height, width = x.shape[1:3]
    if factor < 1 or height % factor or width % factor:
        raise ValueError(f"factor = {factor!r}: must divide {height} and {width}")
    return _resized(x, height // factor, width // factor)


def enlarged(x: Images, factor: int) -> Images:
    """Bicubic enlargement, the kernel that of `reduced`, not stretched.

    Raises:
        ValueError: if `factor` is less than 1.
    """
    if factor < 1:
        raise ValueError(f"factor = {factor!r}: must be 1 or more")
    return _resized(x, x.shape[1] * factor, x.shape[2] * factor)


def as_bytes(x: Images) -> Images:
    """Clipped to [0, 1] and rounded to one of 256 levels.

    Example:
        >>> (255 * as_bytes(jnp.asarray([-0.1, 0.5, 2.0]))).tolist()
        [0.0, 128.0, 255.0]
    """
    return jnp.round(jnp.clip(x, 0, 1) * 255) / 255


def studio_luma(x: Float[Array, "n h w 3"]) -> Float[Array, "n h w 1"]:
    """Y of BT.601 in its studio range, 16 to 235 of 255.

    Y = (16 + 65.481 R + 128.553 G + 24.966 B) / 255: MATLAB's `rgb2ycbcr`, by which
    super-resolution is judged.
    """
    weights = jnp.asarray([65.481, 128.553, 24.966], x.dtype) / 255
    y = jnp.einsum("nhwc,c->nhw", x, weights, precision="highest")
    return y[..., None] + 16 / 255


def psnr(x: Images, y: Images, border: int = 0) -> Float[Array, " n"]:
    """Peak signal over noise of each image, -10 log10 of the mean squared error, dB.

    Args:
        x: images; what a display would clip is to be clipped before.
        y: the originals.
        border: pixels left out at every side.

    Returns:
        Infinite where both are equal, NaN where an image is not finite.
    """
    x, y = _inside(x, border), _inside(y, border)
    error = jnp.mean(jnp.square(x - y), axis=(1, 2, 3))
    return jnp.where(jnp.isfinite(error), -10 * jnp.log10(error), jnp.nan)


def ssim(x: Images, y: Images, border: int = 0) -> Float[Array, " n"]:
    """Structural similarity of each image, the mean over channels and windows.

    (2 m_x m_y + C1)(2 s_xy + C2) / ((m_x^2 + m_y^2 + C1)(s_x^2 + s_y^2 + C2)) with
    means m, variances s^2 and covariance s_xy (of populations) under a Gaussian window
    of 11 x 11 pixels that lies wholly within the image, C = K^2 on the range [0, 1].

    Args:
        x: images; what a display would clip is to be clipped before.
        y: the originals.
        border: pixels left out at every side before windows are laid.

    Returns:
        1 where both are equal, NaN where an image is not finite.

    Raises:
        ValueError: if no window fits.
    """
    x, y = _inside(x, border), _inside(y, border)
    if min(x.shape[1:3]) <= 2 * RADIUS:
        sides = f"{x.shape[1]} x {x.shape[2]}"
        raise ValueError(f"images: must be {2 * RADIUS + 1} wide or more, got {sides}")
    # variances do not change, and differences of smaller squares lose fewer digits
    a, b = x - 0.5, y - 0.5
    m_a, m_b = _windowed(a), _windowed(b)
    s_aa = _windowed(a * a) - m_a * m_a
    s_bb = _windowed(b * b) - m_b * m_b
    s_ab = _windowed(a * b) - m_a * m_b
    m_x, m_y = m_a + 0.5, m_b + 0.5
    means = (2 * m_x * m_y + K1**2) / (m_x * m_x + m_y * m_y + K1**2)
    return jnp.mean(means * (2 * s_ab + K2**2) / (s_aa + s_bb + K2**2), axis=(1, 2, 3))


def _inside(x: Images, border: int) -> Images:
    height, width = x.shape[1:3]
    if not 0 <= 2 * border < min(height, width):
        most = (min(height, width) - 1) // 2
        raise ValueError(f"border = {border!r}: must be 0 to {most}")
    return x[:, border : height - border, border : width - border]


def _windowed(x: Images) -> Images:
    """Means under the window, an axis at a time."""
    weights = np.exp(-0.5 * (np.arange(-RADIUS, RADIUS + 1) / SIGMA) ** 2)
    weights = weights / weights.sum()
    for axis in (1, 2):
        n = x.shape[axis] - 2 * RADIUS
        parts = (
            float(w) * jax.lax.slice_in_dim(x, k, k + n, axis=axis)
            for k, w in enumerate(weights)
        )
        x = sum(parts, start=jnp.zeros((), x.dtype))
    return x


def _resized(x: Images, height: int, width: int) -> Images:
    rows = jnp.asarray(_cubic(x.shape[1], height), x.dtype)
    columns = jnp.asarray(_cubic(x.shape[2], width), x.dtype)
    x = jnp.einsum("ih,nhwc->niwc", rows, x, precision="highest")
    return jnp.einsum("jw,niwc->nijc", columns, x, precision="highest")


@cache
def _cubic(n: int, m: int) -> np.ndarray:
    """Weights `(m, n)` of n pixels in m, by Keys' kernel with a = -1/2."""
    scale = n / m
    centres = (np.arange(m) + 0.5) * scale
    far = np.abs(np.arange(n) + 0.5 - centres[:, None]) / max(scale, 1)
    near = 1.5 * far**3 - 2.5 * far**2 + 1
    outer = -0.5 * far**3 + 2.5 * far**2 - 4 * far + 2
    weights = np.where(far < 1, near, np.where(far < 2, outer, 0))
    return weights / weights.sum(1, keepdims=True)
