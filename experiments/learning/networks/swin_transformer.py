"""Swin transformer (Liu et al. 2021): attention within windows that shift.

As in the EaPU authors' code (STATED), every second block of a stage is shifted, also
where one window covers all that is left of the image.
"""

from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from experiments.learning.networks.attention import Feedforward, SelfAttention
from experiments.learning.networks.layers import blocks_of, layer_norm
from experiments.learning.networks.perceptrons import UNIFORM
from experiments.learning.networks.sizes import (
    alike,
    at_least,
    divides,
    pictures,
    rate,
)
from experiments.learning.networks.vision_transformer import tiles

SMALL = nn.initializers.truncated_normal(0.02)


def windows(
    x: Float[Array, "batch h w c"], size: int, shift: int = 0
) -> Float[Array, "batch windows places c"]:
    """The image, rolled back by `shift`, in squares of `size` x `size` places."""
    rolled = jnp.roll(x, (-shift, -shift), (1, 2))
    cut = tiles(rolled, size)
    return cut.reshape(x.shape[0], -1, size * size, x.shape[-1])


def whole(
    cut: Float[Array, "batch windows places c"], h: int, w: int, shift: int = 0
) -> Float[Array, "batch h w c"]:
    """The image that these windows are of.

    Example:
        >>> x = jnp.arange(16.0).reshape(1, 4, 4, 1)
        >>> bool((whole(windows(x, 2, 1), 4, 4, 1) == x).all())
        True
    """
    n, _, places, c = cut.shape
    size = round(places**0.5)
    laid = cut.reshape(n, h // size, w // size, size, size, c).swapaxes(2, 3)
    return jnp.roll(laid.reshape(n, h, w, c), (shift, shift), (1, 2))


def strangers(h: int, w: int, size: int, shift: int) -> np.ndarray:
    """Minus infinity where a place of a window must not look, else 0.

    A roll brings together what was at opposite edges: places see each other only
    where they lie in the same square of the grid that begins at `shift`.

    Returns:
        `(1, windows, 1, places, places)`.
    """
    row, column = ((np.arange(side) - shift) // size for side in (h, w))
    square = np.stack(np.meshgrid(row, column, indexing="ij"), -1)[None]
    rolled = np.roll(square, (-shift, -shift), (1, 2))
    cut = rolled.reshape(1, h // size, size, w // size, size, 2).swapaxes(2, 3)
    cut = cut.reshape(1, -1, 1, size * size, 2)
    same = (cut[:, :, :, :, None] == cut[:, :, :, None, :]).all(-1)
    return np.where(same, 0.0, -np.inf).astype(np.float32)


def offsets(size: int) -> np.ndarray:
    """Row of the table of biases for each pair of places of a window: how far apart."""
    at = np.stack(np.meshgrid(*[np.arange(size)] * 2, indexing="ij"), -1).reshape(-1, 2)
    apart = at[:, None] - at[None] + size - 1
    return apart[..., 0] * (2 * size - 1) + apart[..., 1]


class SwinBlock(nn.Module):
    """Attention within windows, dense layers; each behind a norm, each added.

    Attributes:
        heads: of the attention.
        window: side of a window, in places.
        shift: of the windows, in places.
        drop_path: probability that a branch of an example is left out when training.
        dtype: of the products.
    """

    heads: int
    window: int
    shift: int = 0
    drop_path: float = 0.0
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        """Of `(batch, h, w, c)`."""
        how = {"dtype": self.dtype, "kernel_init": SMALL}
        drop = partial(nn.Dropout, self.drop_path, (1, 2, 3), deterministic=not train)
        h, w = x.shape[1:3]
        cut = windows(layer_norm(x), self.window, self.shift)
        y = SelfAttention(self.heads, **how, name="attention")(cut, self._added(h, w))
        x = x + drop()(whole(y, h, w, self.shift))
        return x + drop()(Feedforward(**how, name="feedforward")(layer_norm(x)))

    def _added(self, h: int, w: int) -> jax.Array:
        """The bias of how far apart two places are, and the mask."""
        rows = (2 * self.window - 1) ** 2
        table = self.param("relative_position_bias", SMALL, (rows, self.heads))
        bias = jnp.moveaxis(table[offsets(self.window)], -1, 0)[None, None]
        if not self.shift:
            return bias
        mask = strangers(h, w, self.window, self.shift)
        shape = (1, mask.shape[1], *bias.shape[2:])
        return jnp.broadcast_to(bias, shape) + jnp.broadcast_to(mask, shape)


class _Swin(nn.Module):
    classes: int
    patch: int
    window: int
    width: int
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    drop_path: float
    remat: bool
    dtype: Any

    @nn.compact
    def __call__(self, x, train: bool = False):
        unit = self.patch * self.window * 2 ** (len(self.depths) - 1)
        x = pictures(x, "patch * window * 2**(stages - 1)", unit)
        dense = partial(nn.Dense, dtype=self.dtype)
        patches = dense(self.width, kernel_init=UNIFORM, name="patches")
        x = layer_norm(patches(tiles(x, self.patch)), "norm_patches")
        kind = blocks_of(SwinBlock, self.remat)
        paths = iter(np.linspace(0, self.drop_path, sum(self.depths)).tolist())
        for stage, (depth, heads) in enumerate(
            zip(self.depths, self.heads, strict=True)
        ):
            if stage:
                merge = {
                    "use_bias": False,
                    "kernel_init": SMALL,
                    "name": f"merge_{stage}",
                }
                four = layer_norm(_merged(x), f"norm_{stage}")
                x = dense(2 * x.shape[-1], **merge)(four)
            for n in range(depth):
                block = (heads, self.window, n % 2 * (self.window // 2), next(paths))
                name = f"stage_{stage}_block_{n}"
                x = kind(*block, self.dtype, name=name)(x, train)
        x = jnp.mean(layer_norm(x, "norm"), axis=(1, 2))
        head = dense(self.classes, kernel_init=SMALL, name="head")
        return head(x).astype(jnp.float32)


def _merged(x: Float[Array, "batch h w c"]) -> Float[Array, "batch h/2 w/2 4c"]:
    """Four neighbours as one place, columns of two rows in turn."""
    quarters = [x[:, i::2, j::2] for j in (0, 1) for i in (0, 1)]
    return jnp.concatenate(quarters, axis=-1)


def swin(
    classes: int = 100,
    *,
    patch: int = 4,
    window: int = 7,
    width: int = 96,
    depths: tuple[int, ...] = (2, 2, 6, 2),
    heads: tuple[int, ...] = (3, 6, 12, 24),
    drop_path: float = 0.1,
    remat: bool = False,
    dtype: Any = jnp.float32,
) -> nn.Module:
    """Stages of blocks; each next has half the sides and twice the width.

    The defaults are Swin-T for 224x224 images, as in the EaPU authors' code (STATED).
    Their count of 27,531,546 array weights holds the tables of relative position bias,
    which have two axes but are looked up: `eapu_jax.place` keeps those 23,322 numbers
    digital and puts 27,508,224 on arrays.

    Args:
        classes: number of logits.
        patch: side of a tile of the image.
        window: side of a window, in tiles.
        width: of the first stage.
        depths: blocks of each stage.
        heads: of each stage; must divide its width.
        drop_path: probability that the last block is left out when training; earlier
            ones less, in proportion.
        remat: as of `basic_resnet`.
        dtype: as of `basic_resnet`.

    Returns:
        The network, for images `(batch, h, w)` or `(batch, h, w, c)` whose sides are
        multiples of `patch * window * 2**(stages - 1)`.

    Raises:
        ValueError: naming a size that cannot be.

    Example:
        >>> net = swin(3, patch=2, window=2, width=4, depths=(1, 1), heads=(1, 2))
        >>> x = jnp.zeros((1, 8, 8))
        >>> variables = jax.eval_shape(net.init, jax.random.key(0), x)
        >>> variables["params"]["merge_1"]["kernel"].shape
        (16, 8)
    """
    at_least(1, classes=classes, patch=patch, width=width, depths=depths, heads=heads)
    at_least(2, window=window)
    alike(depths=depths, heads=heads)
    for stage, several in enumerate(heads):
        name = f"width of stage {stage + 1}"
        divides("its heads", several, **{name: width * 2**stage})
    rate(drop_path=drop_path)
    shape = classes, patch, window, width, tuple(depths), tuple(heads)
    return _Swin(*shape, drop_path, remat, dtype)
