"""Networks that enlarge images: SRResNet, and a small one for reduced experiments."""

from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from experiments.learning.networks.conv import Conv
from experiments.learning.networks.layers import batch_norm, blocks_of
from experiments.learning.networks.sizes import at_least, odd, pictures


def pixel_shuffle(
    x: Float[Array, "batch h w channels"], scale: int = 2
) -> Float[Array, "batch h*scale w*scale c"]:
    """Channels become neighbours: channel `(c, i, j)` goes to row `i`, column `j`.

    Args:
        x: `c * scale**2` channels, ordered as PyTorch orders them.
        scale: how much larger the sides become.

    Raises:
        ValueError: if the channels are no multiple of `scale**2`.

    Example:
        >>> pixel_shuffle(jnp.arange(4.0).reshape(1, 1, 1, 4))[0, :, :, 0]
        Array([[0., 1.],
               [2., 3.]], dtype=float32)
    """
    n, h, w, channels = x.shape
    if channels % scale**2:
        raise ValueError(
            f"channels must be a multiple of scale**2 = {scale**2}, got {channels}"
        )
    laid = x.reshape(n, h, w, -1, scale, scale).transpose(0, 1, 4, 2, 5, 3)
    return laid.reshape(n, h * scale, w * scale, -1)


def enlarged(
    x: Float[Array, "batch h w c"], scale: int = 2
) -> Float[Array, "batch h*scale w*scale c"]:
    """Every pixel a square of its own: nearest neighbour."""
    return jnp.repeat(jnp.repeat(x, scale, 1), scale, 2)


def prelu() -> nn.Module:
    """One digital slope for the negative side; 0.25 at first, as PyTorch (RECALLED)."""
    return nn.PReLU(negative_slope_init=0.25)


class SRBlock(nn.Module):
    """3x3 convolution, norm, PReLU, 3x3 convolution, norm; added to what came in."""

    channels: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        """Of `(batch, h, w, c)`."""
        conv = partial(Conv, self.channels, use_bias=False, dtype=self.dtype)
        y = prelu()(batch_norm(conv()(x), train))
        return x + batch_norm(conv()(y), train)


class _SRResNet(nn.Module):
    channels: int
    blocks: int
    stages: int
    size: int
    remat: bool
    dtype: Any

    @nn.compact
    def __call__(self, x, train: bool = False):
        x = pictures(x)
        colours, conv = x.shape[-1], partial(Conv, dtype=self.dtype)
        stem = prelu()(conv(self.channels, self.size, name="stem")(x))
        kind = blocks_of(SRBlock, self.remat)
        x = stem
        for n in range(self.blocks):
            x = kind(self.channels, self.dtype, name=f"block_{n}")(x, train)
        x = conv(self.channels, use_bias=False, name="fusion")(x)
        x = stem + batch_norm(x, train)
        for n in range(self.stages):
            wide = conv(4 * self.channels, name=f"enlarge_{n}")(x)
            x = prelu()(pixel_shuffle(wide))
        x = conv(colours, self.size, name="output")(x)
        return nn.sigmoid(x.astype(jnp.float32))


def srresnet(
    channels: int = 64,
    blocks: int = 16,
    stages: int = 2,
    *,
    size: int = 9,
    remat: bool = False,
    dtype: Any = jnp.float32,
) -> nn.Module:
    """SRResNet (Ledig et al. 2017) as in the EaPU authors' code, sigmoid at the end.

    With the default sizes it enlarges four times and has 1,542,528 array weights on
    three colours (STATED).

    Args:
        channels: of all layers within.
        blocks: residual blocks.
        stages: doublings of the sides.
        size: odd width of the windows of the first and the last convolution.
        remat: as of `basic_resnet`.
        dtype: as of `basic_resnet`.

    Returns:
        The network: of images `(batch, h, w, c)` in [0, 1] those of `2**stages` times
        the sides, in [0, 1].

    Raises:
        ValueError: naming a size that cannot be.

    Example:
        >>> net = srresnet(4, 1, 1, size=3)
        >>> x = jnp.zeros((1, 3, 5, 1))
        >>> y, _ = jax.eval_shape(net.init_with_output, jax.random.key(0), x)
        >>> y.shape
        (1, 6, 10, 1)
    """
    at_least(1, channels=channels, blocks=blocks, stages=stages)
    odd(size=size)
    return _SRResNet(channels, blocks, stages, size, remat, dtype)


class _SRNet(nn.Module):
    widths: tuple[int, ...]
    scale: int
    size: int
    nearest: bool
    dtype: Any

    @nn.compact
    def __call__(self, x, train: bool = False):
        del train  # it behaves alike in both
        x = y = pictures(x)
        conv = partial(Conv, size=self.size, dtype=self.dtype)
        for width in self.widths:
            y = nn.relu(conv(width)(y))
        y = pixel_shuffle(conv(self.scale**2 * x.shape[-1])(y), self.scale)
        y = y.astype(jnp.float32)
        return y + enlarged(x, self.scale) if self.nearest else y


def srnet(
    widths: tuple[int, ...] = (48, 48),
    scale: int = 2,
    *,
    size: int = 3,
    nearest: bool = False,
    dtype: Any = jnp.float32,
) -> nn.Module:
    """A small network that enlarges: convolutions, ReLUs, one pixel shuffle.

    The shape of the paper's SRNet x2 is UNKNOWN; this one is ASSUMED.

    Args:
        widths: channels of each hidden convolution.
        scale: how much larger the sides become.
        size: odd width of the windows.
        nearest: add the image enlarged by repetition, so that only what it lacks is
            learned. It hides a network that has failed.
        dtype: as of `basic_resnet`.

    Returns:
        The network: of images `(batch, h, w, c)` those of `scale` times the sides.

    Raises:
        ValueError: naming a size that cannot be.

    Example:
        >>> x = jnp.zeros((1, 8, 8, 1))
        >>> variables = jax.eval_shape(srnet().init, jax.random.key(0), x)
        >>> sum(p.size for p in jax.tree.leaves(variables) if p.ndim == 2)
        22896
    """
    at_least(1, widths=widths)
    at_least(2, scale=scale)
    odd(size=size)
    return _SRNet(tuple(widths), scale, size, nearest, dtype)
