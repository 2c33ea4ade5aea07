"""Small convolutional networks: one of strided convolutions, and the LeNet-5."""

from functools import partial

import flax.linen as nn
from jaxtyping import Array, Float

from experiments.learning.networks.conv import inner_patches, patches
from experiments.learning.networks.perceptrons import KAIMING, UNIFORM, dense_layers


class _Strided(nn.Module):
    channels: tuple[int, ...]
    widths: tuple[int, ...]

    @nn.compact
    def __call__(self, x, train: bool = False):
        del train  # it behaves alike in both
        dense = partial(nn.Dense, kernel_init=KAIMING)
        x = x.reshape((*x.shape[:3], -1))
        for channels in self.channels:
            x = nn.relu(dense(channels)(patches(x, 3, 2)))
        return dense_layers(x, self.widths, nn.relu, KAIMING)


def _halved(x: Float[Array, "batch h w c"]) -> Float[Array, "batch h/2 w/2 c"]:
    """Maxima of 2 x 2 places; an odd side loses its last. Cheaper than a window."""
    n, h, w, c = x.shape
    whole = x[:, : h // 2 * 2, : w // 2 * 2]
    return whole.reshape(n, h // 2, 2, w // 2, 2, c).max((2, 4))


class _LeNet(nn.Module):
    channels: tuple[int, ...]
    widths: tuple[int, ...]

    @nn.compact
    def __call__(self, x, train: bool = False):
        del train  # it behaves alike in both
        dense = partial(nn.Dense, kernel_init=UNIFORM)
        x = x.reshape((*x.shape[:3], -1))
        for channels in self.channels:
            x = nn.tanh(dense(channels)(inner_patches(x, 5)))
            x = _halved(x)
        return dense_layers(x, self.widths, nn.tanh, UNIFORM)


def cnn(
    channels: tuple[int, ...] = (16, 32), hidden: int = 32, classes: int = 10
) -> nn.Module:
    """Strided 3x3 convolutions, one hidden dense layer, logits.

    Each convolution halves the sides of the image. Its kernel is the matrix of
    a crossbar, `9 * c_in` rows by `c_out` columns.

    Args:
        channels: output channels of each convolution.
        hidden: width of the dense layer.
        classes: number of logits.

    Returns:
        The network, for images `(batch, h, w)` or `(batch, h, w, c)`.

    Raises:
        ValueError: if a size is below 1 or there is no convolution.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> variables = cnn().init(jax.random.key(0), jnp.zeros((1, 14, 14)))
        >>> sum(p.size for p in jax.tree.leaves(variables) if p.ndim > 1)
        21456
    """
    return _Strided(*_sizes(channels, hidden, classes))


def lenet(
    channels: tuple[int, ...] = (16, 32), hidden: int = 128, classes: int = 10
) -> nn.Module:
    """5x5 convolutions within the image, tanh, each halved by its maxima; tanh, logits.

    With the default sizes, on 28x28 images, the LeNet-5 of arXiv 2510.02516: 512-128-10
    behind the convolutions (STATED). The public code has one tanh more behind the last
    maxima (STATED there); it is left out.

    Args:
        channels: output channels of each convolution.
        hidden: width of the dense layer.
        classes: number of logits.

    Returns:
        The network, for images `(batch, h, w)` or `(batch, h, w, c)`.

    Raises:
        ValueError: if a size is below 1 or there is no convolution.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> variables = lenet().init(jax.random.key(0), jnp.zeros((1, 28, 28)))
        >>> [p.shape for p in jax.tree.leaves(variables) if p.ndim > 1]
        [(25, 16), (400, 32), (512, 128), (128, 10)]
    """
    return _LeNet(*_sizes(channels, hidden, classes))


def _sizes(
    channels: tuple[int, ...], hidden: int, classes: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if not channels or min(*channels, hidden, classes) < 1:
        raise ValueError(
            "channels, hidden and classes must be positive, with at least one "
            f"convolution; got channels={channels}, hidden={hidden}, classes={classes}"
        )
    return tuple(channels), (hidden, classes)
