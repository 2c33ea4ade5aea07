"""Multilayer perceptrons, and small convolutional networks made of matrix products.

A kernel is one crossbar, drawn Kaiming-normal; biases are digital and start at zero.
Patches of an image are gathered first and multiplied by one matrix (im2col): the way a
crossbar computes a convolution, and ten times faster than a convolution inside a scan
on a CPU.
"""

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
    _, h, w, _ = x.shape
    half = size // 2
    padded = jnp.pad(x, ((0, 0), (half, half), (half, half), (0, 0)))
    shifted = [
        padded[:, i : i + h : stride, j : j + w : stride]
        for i in range(size)
        for j in range(size)
    ]
    return jnp.concatenate(shifted, axis=-1)


class _Network(nn.Module):
    channels: tuple[int, ...]
    widths: tuple[int, ...]

    @nn.compact
    def __call__(self, x):
        dense = partial(nn.Dense, kernel_init=nn.initializers.he_normal())
        x = x.reshape((*x.shape[:3], -1)) if self.channels else x
        for channels in self.channels:
            x = nn.relu(dense(channels)(patches(x, 3, 2)))
        x = x.reshape((x.shape[0], -1))
        for width in self.widths[:-1]:
            x = nn.relu(dense(width)(x))
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
    if not widths or min(widths) < 1:
        raise ValueError(f"widths must be one or more positive ints, got {widths}")
    return _Network((), tuple(widths))


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
    if not channels or min(*channels, hidden, classes) < 1:
        raise ValueError(
            "channels, hidden and classes must be positive, with at least one "
            f"convolution; got channels={channels}, hidden={hidden}, classes={classes}"
        )
    return _Network(tuple(channels), (hidden, classes))
