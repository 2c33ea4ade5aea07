"""Pre-activation residual networks (He et al. 2016), as in the EaPU authors' code.

A 3x3 stem, stages of which all but the first halve the image, the mean over what is
left, one dense layer. There is no norm behind the last block (STATED in that code).
Kernels are drawn as PyTorch draws them by default (RECALLED).
"""

from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from experiments.learning.networks.conv import Conv
from experiments.learning.networks.layers import batch_norm, blocks_of
from experiments.learning.networks.perceptrons import UNIFORM
from experiments.learning.networks.sizes import alike, at_least, pictures

Convolutions = tuple[tuple[int, int, int], ...]
"""(features, size, stride) of each convolution of a block."""


class PreActivation(nn.Module):
    r"""$y = s + f(x)$: norm and ReLU stand before each convolution of $f$.

    The shortcut $s$ is $x$, or where the shape changes a 1x1 convolution of the
    first norm and ReLU.

    Attributes:
        convolutions: of $f$.
        dtype: of the products.
    """

    convolutions: Convolutions
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        """Of `(batch, h, w, c)`."""
        conv = partial(Conv, use_bias=False, dtype=self.dtype, kernel_init=UNIFORM)
        last, stride = self.convolutions[-1][0], _stride(self.convolutions)
        y, shortcut = nn.relu(batch_norm(x, train, "norm_0")), x
        if stride != 1 or x.shape[-1] != last:
            shortcut = conv(last, 1, stride, name="shortcut")(y)
        for n, (features, size, step) in enumerate(self.convolutions):
            y = nn.relu(batch_norm(y, train, f"norm_{n}")) if n else y
            y = conv(features, size, step, name=f"conv_{n}")(y)
        return y + shortcut


def _stride(convolutions: Convolutions) -> int:
    return max(stride for _, _, stride in convolutions)


class _ResNet(nn.Module):
    stem: int
    blocks: tuple[Convolutions, ...]
    classes: int
    remat: bool
    dtype: Any

    @nn.compact
    def __call__(self, x, train: bool = False):
        x = pictures(x)
        stem = partial(Conv, use_bias=False, dtype=self.dtype, kernel_init=UNIFORM)
        x = stem(self.stem, name="stem")(x)
        kind = blocks_of(PreActivation, self.remat)
        for n, convolutions in enumerate(self.blocks):
            x = kind(convolutions, self.dtype, name=f"block_{n}")(x, train)
        x = jnp.mean(x, axis=(1, 2))
        head = nn.Dense(
            self.classes, dtype=self.dtype, kernel_init=UNIFORM, name="head"
        )
        return head(x).astype(jnp.float32)


def basic_resnet(
    depths: tuple[int, ...] = (2, 2, 2, 2),
    widths: tuple[int, ...] = (64, 128, 256, 512),
    classes: int = 10,
    *,
    remat: bool = False,
    dtype: Any = jnp.float32,
) -> nn.Module:
    """Blocks of two 3x3 convolutions.

    Args:
        depths: blocks of each stage.
        widths: channels of each stage; the stem has those of the first.
        classes: number of logits.
        remat: compute what is inside a block again in the backward pass instead of
            keeping it: less memory, a third more time.
        dtype: of products; parameters, running means and logits are float32.

    Returns:
        The network, for images `(batch, h, w)` or `(batch, h, w, c)`.

    Raises:
        ValueError: if a size is below 1 or the stages are not as many as the widths.

    Example:
        >>> net = basic_resnet((1, 1), (8, 16))
        >>> x = jnp.zeros((1, 8, 8))
        >>> variables = jax.eval_shape(net.init, jax.random.key(0), x)
        >>> sorted(variables["params"])
        ['block_0', 'block_1', 'head', 'stem']
    """
    return _resnet(_basic, depths, widths, classes, remat, dtype)


def bottleneck_resnet(
    depths: tuple[int, ...] = (3, 8, 36, 3),
    widths: tuple[int, ...] = (64, 128, 256, 512),
    classes: int = 100,
    *,
    remat: bool = False,
    dtype: Any = jnp.float32,
) -> nn.Module:
    """As `basic_resnet`, of blocks 1x1, 3x3, 1x1, the last four times as wide."""
    return _resnet(_bottleneck, depths, widths, classes, remat, dtype)


def small_resnet(layers: int = 8, width: int = 16, classes: int = 10, **how: Any):
    """The form of He et al. for 32x32 images: `6 n + 2` layers in three stages.

    Args:
        layers: 8, 14, 20, ...
        width: channels of the first stage; each next has twice as many.
        classes: number of logits.
        **how: `remat`, `dtype`, see `basic_resnet`.

    Raises:
        ValueError: if `layers` is not of that form, or a size is below 1.

    Example:
        >>> net, x = small_resnet(8), jnp.zeros((1, 8, 8, 3))
        >>> variables = jax.eval_shape(net.init, jax.random.key(0), x)
        >>> sum(p.size for p in jax.tree.leaves(variables["params"]) if p.ndim == 2)
        77360
    """
    at_least(8, layers=layers)
    if layers % 6 != 2:
        raise ValueError(f"layers must be 6 n + 2, got {layers}")
    at_least(1, width=width)
    depths, widths = (layers // 6,) * 3, (width, 2 * width, 4 * width)
    return basic_resnet(depths, widths, classes, **how)


def resnet18(classes: int = 10, **how: Any) -> nn.Module:
    """Four stages of two basic blocks, 64 to 512 channels."""
    return basic_resnet((2, 2, 2, 2), classes=classes, **how)


def resnet34(classes: int = 10, **how: Any) -> nn.Module:
    """The ResNet-34 of the EaPU paper: 21,265,088 array weights (STATED)."""
    return basic_resnet((3, 4, 6, 3), classes=classes, **how)


def resnet152(classes: int = 100, **how: Any) -> nn.Module:
    """The ResNet-152 of the EaPU paper: 58,189,504 array weights (STATED)."""
    return bottleneck_resnet((3, 8, 36, 3), classes=classes, **how)


def _basic(width: int, stride: int) -> Convolutions:
    return ((width, 3, stride), (width, 3, 1))


def _bottleneck(width: int, stride: int) -> Convolutions:
    return ((width, 1, 1), (width, 3, stride), (4 * width, 1, 1))


def _resnet(block, depths, widths, classes, remat, dtype) -> nn.Module:
    at_least(1, depths=depths, widths=widths, classes=classes)
    alike(depths=depths, widths=widths)
    blocks = tuple(
        block(width, 2 if stage and not n else 1)
        for stage, (depth, width) in enumerate(zip(depths, widths, strict=True))
        for n in range(depth)
    )
    return _ResNet(widths[0], blocks, classes, remat, dtype)
