"""Multilayer perceptrons, and small convolutional networks made of matrix products.

A kernel is one crossbar; biases are digital and start at zero. Kernels before a ReLU
are drawn Kaiming-normal, those of the older networks uniform within 1 / sqrt(inputs),
as PyTorch does (RECALLED).
Patches of an image are gathered first and multiplied by one matrix (im2col): the way a
crossbar computes a convolution, and ten times faster than a convolution inside a scan
on a CPU.
"""

from collections.abc import Callable
from functools import partial

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float


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


KAIMING = nn.initializers.he_normal()
UNIFORM = nn.initializers.variance_scaling(1 / 3, "fan_in", "uniform")


class _Network(nn.Module):
    channels: tuple[int, ...]
    widths: tuple[int, ...]

    @nn.compact
    def __call__(self, x):
        dense = partial(nn.Dense, kernel_init=KAIMING)
        x = x.reshape((*x.shape[:3], -1)) if self.channels else x
        for channels in self.channels:
            x = nn.relu(dense(channels)(patches(x, 3, 2)))
        x = x.reshape((x.shape[0], -1))
        for width in self.widths[:-1]:
            x = nn.relu(dense(width)(x))
        return dense(self.widths[-1])(x)


def _halved(x: Float[Array, "batch h w c"]) -> Float[Array, "batch h/2 w/2 c"]:
    """Maxima of 2 x 2 places; an odd side loses its last. Cheaper than a window."""
    n, h, w, c = x.shape
    whole = x[:, : h // 2 * 2, : w // 2 * 2]
    return whole.reshape(n, h // 2, 2, w // 2, 2, c).max((2, 4))


class _Saturating(nn.Module):
    channels: tuple[int, ...]
    widths: tuple[int, ...]
    activation: Callable[[Array], Array]

    @nn.compact
    def __call__(self, x):
        dense = partial(nn.Dense, kernel_init=UNIFORM)
        x = x.reshape((*x.shape[:3], -1)) if self.channels else x
        for channels in self.channels:
            x = self.activation(dense(channels)(inner_patches(x, 5)))
            x = _halved(x)
        x = x.reshape((x.shape[0], -1))
        for width in self.widths[:-1]:
            x = self.activation(dense(width)(x))
        return dense(self.widths[-1])(x)


def mlp(widths: tuple[int, ...] = (128, 64, 10)) -> nn.Module:
    """Flatten the input, then one dense layer per width; the last gives logits.

    Args:
        widths: outputs of each layer, the number of classes last.

    Returns:
        The network. With the default widths and 28x28 images it has 109,184
        weights on the array.

    Raises:
        ValueError: if `widths` is empty or holds a width below 1.

    Example:
        >>> import jax
        >>> variables = mlp().init(jax.random.key(0), jnp.zeros((1, 28, 28)))
        >>> sum(p.size for p in jax.tree.leaves(variables) if p.ndim > 1)
        109184
    """
    return _Network((), _widths(widths))


def sigmoid_mlp(widths: tuple[int, ...] = (256, 128, 10)) -> nn.Module:
    """As `mlp`, with sigmoids: the 784-256-128-10 of Wu et al. 2024 and 2025 (STATED).

    Args:
        widths: outputs of each layer, the number of classes last.

    Raises:
        ValueError: if `widths` is empty or holds a width below 1.

    Example:
        >>> import jax
        >>> variables = sigmoid_mlp().init(jax.random.key(0), jnp.zeros((1, 28, 28)))
        >>> sum(p.size for p in jax.tree.leaves(variables) if p.ndim > 1)
        234752
    """
    return _Saturating((), _widths(widths), nn.sigmoid)


def _widths(widths: tuple[int, ...]) -> tuple[int, ...]:
    if not widths or min(widths) < 1:
        raise ValueError(f"widths must be one or more positive ints, got {widths}")
    return tuple(widths)


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
        >>> import jax
        >>> variables = cnn().init(jax.random.key(0), jnp.zeros((1, 14, 14)))
        >>> sum(p.size for p in jax.tree.leaves(variables) if p.ndim > 1)
        21456
    """
    return _Network(*_sizes(channels, hidden, classes))


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
        >>> import jax
        >>> variables = lenet().init(jax.random.key(0), jnp.zeros((1, 28, 28)))
        >>> [p.shape for p in jax.tree.leaves(variables) if p.ndim > 1]
        [(25, 16), (400, 32), (512, 128), (128, 10)]
    """
    return _Saturating(*_sizes(channels, hidden, classes), nn.tanh)


def _sizes(
    channels: tuple[int, ...], hidden: int, classes: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if not channels or min(*channels, hidden, classes) < 1:
        raise ValueError(
            "channels, hidden and classes must be positive, with at least one "
            f"convolution; got channels={channels}, hidden={hidden}, classes={classes}"
        )
    return tuple(channels), (hidden, classes)
