"""A convolution as a crossbar makes it: patches of the image times one matrix.

Patches are gathered first and multiplied by one matrix (im2col): ten times faster than
a convolution inside a scan on a CPU, where the backward pass of one is slow. An
accelerator has a convolution of its own, of the same numbers up to rounding.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax.linen.dtypes import promote_dtype
from jaxtyping import Array, Float

from eapu_jax import Analog
from experiments.learning.networks.perceptrons import KAIMING
from experiments.learning.networks.sizes import at_least, odd


def patches(
    x: Float[Array, "batch h w c"], size: int = 3, stride: int = 1
) -> Float[Array, "batch h_out w_out taps"]:
    """Every `size` x `size` neighbourhood of an image, zero-padded, as a vector.

    Args:
        x: images, channels last.
        size: odd width of the window.
        stride: distance between windows; output sides are `ceil(side / stride)`.

    Returns:
        Windows, `size * size * c` numbers each, ordered (row, column, channel) as
        the flattened kernel of an ordinary convolution.

    Example:
        >>> patches(jnp.ones((1, 4, 4, 2)), 3, 2).shape
        (1, 2, 2, 18)
    """
    half = size // 2
    padded = jnp.pad(x, ((0, 0), (half, half), (half, half), (0, 0)))
    return inner_patches(padded, size, stride)


def inner_patches(
    x: Float[Array, "batch h w c"], size: int = 5, stride: int = 1
) -> Float[Array, "batch h_out w_out taps"]:
    """As `patches`, but only neighbourhoods that lie within the image.

    Example:
        >>> inner_patches(jnp.ones((1, 28, 28, 2))).shape
        (1, 24, 24, 50)
    """
    h, w = (side - size + 1 for side in x.shape[1:3])
    shifted = [
        x[:, i : i + h : stride, j : j + w : stride]
        for i in range(size)
        for j in range(size)
    ]
    return jnp.concatenate(shifted, axis=-1)


def convolve(
    x: Float[Array, "batch h w c"],
    kernel: Float[Array, "taps features"] | Analog,
    size: int = 3,
    stride: int = 1,
) -> Float[Array, "batch h_out w_out features"]:
    """Images, zero-padded by `size // 2` on every side, against one matrix.

    On a CPU, and through an array, the patches are multiplied; elsewhere a
    convolution is.

    Args:
        x: images, channels last.
        kernel: `size * size * c` rows, ordered (row, column, channel).
        size: odd width of the window.
        stride: distance between windows; output sides are `ceil(side / stride)`.

    Example:
        >>> convolve(jnp.ones((1, 3, 3, 1)), jnp.ones((9, 1)))[0, :, :, 0]
        Array([[4., 6., 4.],
               [6., 9., 6.],
               [4., 6., 4.]], dtype=float32)
    """
    gathered = partial(_gathered, size=size, stride=stride)
    if size == 1 or isinstance(kernel, Analog):
        return gathered(x, kernel)
    native = partial(_native, size=size, stride=stride)
    return jax.lax.platform_dependent(x, kernel, cpu=gathered, default=native)


def _gathered(x, kernel, size, stride):
    return patches(x, size, stride) @ kernel


def _native(x, kernel, size, stride):
    return jax.lax.conv_general_dilated(
        x,
        kernel.reshape(size, size, x.shape[-1], -1),
        (stride, stride),
        [(size // 2, size // 2)] * 2,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


class Conv(nn.Module):
    """A convolution layer whose `kernel` is the matrix of a crossbar.

    Attributes:
        features: output channels.
        size: odd width of the window; padded by half of it, as PyTorch does.
        stride: distance between windows.
        use_bias: whether a digital number is added per channel.
        dtype: of the product; parameters are float32.
        kernel_init: of a matrix of `size * size * c` rows.
        promote_dtype: Flax's own; `eapu_jax.flax` puts another in its place.

    Raises:
        ValueError: where it is called, if a size is not positive or `size` is even.

    Example:
        >>> x = jnp.ones((1, 4, 4, 2))
        >>> variables = Conv(5, size=3, stride=2).init(jax.random.key(0), x)
        >>> variables["params"]["kernel"].shape
        (18, 5)
    """

    features: int
    size: int = 3
    stride: int = 1
    use_bias: bool = True
    dtype: Any = None
    kernel_init: nn.initializers.Initializer = KAIMING
    promote_dtype: Callable[..., Any] = promote_dtype

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Of images `(batch, h, w, c)`."""
        at_least(1, features=self.features, stride=self.stride)
        odd(size=self.size)
        rows = self.size**2 * x.shape[-1]
        kernel = self.param("kernel", self.kernel_init, (rows, self.features))
        bias = None
        if self.use_bias:
            bias = self.param("bias", nn.initializers.zeros, (self.features,))
        x, kernel, bias = self.promote_dtype(x, kernel, bias, dtype=self.dtype)
        y = convolve(x, kernel, self.size, self.stride)
        return y if bias is None else y + bias.reshape(1, 1, 1, -1)
