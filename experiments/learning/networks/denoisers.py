"""Networks that take noise out of images: DnCNN, and a small autoencoder."""

from functools import partial
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from experiments.learning.networks.conv import Conv
from experiments.learning.networks.layers import batch_norm
from experiments.learning.networks.sizes import at_least, pictures
from experiments.learning.networks.super_resolution import pixel_shuffle


class _DnCNN(nn.Module):
    depth: int
    width: int
    dtype: Any

    @nn.compact
    def __call__(self, x, train: bool = False):
        x = pictures(x)
        conv = partial(Conv, dtype=self.dtype)
        y = nn.relu(conv(self.width)(x))
        for _ in range(self.depth - 2):
            y = conv(self.width, use_bias=False)(y)
            y = nn.relu(batch_norm(y, train))
        noise = conv(x.shape[-1], use_bias=False)(y)
        return x - noise.astype(x.dtype)


def dncnn(depth: int = 17, width: int = 64, *, dtype: Any = jnp.float32) -> nn.Module:
    """DnCNN (Zhang et al. 2017): 3x3 convolutions find the noise, which is taken away.

    Args:
        depth: convolutions, at least 2.
        width: channels between them.
        dtype: as of `basic_resnet`.

    Returns:
        The network: of noisy images `(batch, h, w, c)` images of the same shape.

    Raises:
        ValueError: naming a size that cannot be.

    Example:
        >>> import jax
        >>> x = jax.ShapeDtypeStruct((1, 8, 8, 1), jnp.float32)
        >>> variables = jax.eval_shape(dncnn().init, jax.random.key(0), x)
        >>> sum(p.size for p in jax.tree.leaves(variables) if p.ndim == 2)
        554112
    """
    at_least(2, depth=depth)
    at_least(1, width=width)
    return _DnCNN(depth, width, dtype)


class _Autoencoder(nn.Module):
    widths: tuple[int, ...]
    dtype: Any

    @nn.compact
    def __call__(self, x, train: bool = False):
        del train  # it behaves alike in both
        y = x = pictures(x, "2**len(widths)", 2 ** len(self.widths))
        conv = partial(Conv, dtype=self.dtype)
        for width in self.widths:
            y = nn.relu(conv(width, stride=2)(y))
        for width in reversed((self.widths[0], *self.widths[:-1])):
            y = nn.relu(pixel_shuffle(conv(4 * width)(y)))
        return nn.sigmoid(conv(x.shape[-1])(y).astype(jnp.float32))


def autoencoder(
    widths: tuple[int, ...] = (16, 32), *, dtype: Any = jnp.float32
) -> nn.Module:
    """A convolutional denoising autoencoder; its shape is ASSUMED.

    Strided convolutions narrow the image, convolutions with pixel shuffles widen it
    again, a sigmoid ends it: nothing of the input is passed by.

    Args:
        widths: channels of each halving of the sides.
        dtype: as of `basic_resnet`.

    Returns:
        The network: of noisy images `(batch, h, w, c)` in [0, 1], whose sides are
        multiples of `2**len(widths)`, images of the same shape.

    Raises:
        ValueError: naming a size that cannot be.

    Example:
        >>> import jax
        >>> x = jnp.zeros((1, 8, 8, 1))
        >>> variables = jax.eval_shape(autoencoder().init, jax.random.key(0), x)
        >>> sum(p.size for p in jax.tree.leaves(variables) if p.ndim == 2)
        32544
    """
    at_least(1, widths=widths)
    return _Autoencoder(tuple(widths), dtype)
