"""A small Vision Transformer (Dosovitskiy et al. 2021, reduced: sizes ASSUMED)."""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from experiments.learning.networks.attention import LECUN, Block
from experiments.learning.networks.layers import blocks_of, layer_norm
from experiments.learning.networks.sizes import at_least, divides, pictures, rate

POOLS = ("mean", "class")


def tiles(
    x: Float[Array, "batch h w c"], size: int
) -> Float[Array, "batch rows columns taps"]:
    """Squares of an image that do not overlap, each as a vector (row, column, channel).

    Example:
        >>> tiles(jnp.arange(16.0).reshape(1, 4, 4, 1), 2)[0, 0, 1]
        Array([2., 3., 6., 7.], dtype=float32)
    """
    n, h, w, c = x.shape
    cut = x.reshape(n, h // size, size, w // size, size, c).swapaxes(2, 3)
    return cut.reshape(n, h // size, w // size, size * size * c)


class _ViT(nn.Module):
    classes: int
    patch: int
    width: int
    blocks: int
    heads: int
    dropout: float
    pool: str
    remat: bool
    dtype: Any

    @nn.compact
    def __call__(self, x, train: bool = False):
        x = tiles(pictures(x, "patch", self.patch), self.patch)
        x = x.reshape(x.shape[0], -1, x.shape[-1])
        x = nn.Dense(self.width, dtype=self.dtype, kernel_init=LECUN, name="patches")(x)
        small = nn.initializers.normal(0.02)
        if self.pool == "class":
            first = self.param("class_embedding", small, (1, 1, self.width))
            first = jnp.broadcast_to(first, (x.shape[0], 1, self.width))
            x = jnp.concatenate([first.astype(x.dtype), x], axis=1)
        where = self.param("position_embedding", small, (1, *x.shape[1:]))
        x = x + jnp.broadcast_to(where, x.shape).astype(x.dtype)
        x = nn.Dropout(self.dropout, deterministic=not train)(x)
        kind = blocks_of(Block, self.remat)
        for n in range(self.blocks):
            x = kind(self.heads, self.dropout, self.dtype, name=f"block_{n}")(x, train)
        x = layer_norm(x, "norm")
        x = x[:, 0] if self.pool == "class" else jnp.mean(x, axis=1)
        head = nn.Dense(self.classes, dtype=self.dtype, kernel_init=LECUN, name="head")
        return head(x).astype(jnp.float32)


def vit(
    classes: int = 10,
    *,
    patch: int = 4,
    width: int = 64,
    blocks: int = 4,
    heads: int = 4,
    dropout: float = 0.0,
    pool: str = "mean",
    remat: bool = False,
    dtype: Any = jnp.float32,
) -> nn.Module:
    """Tiles of the image, transformer blocks, logits of their mean or of a class token.

    Args:
        classes: number of logits.
        patch: side of a tile; must divide the sides of the image.
        width: of the blocks.
        blocks: how many.
        heads: of the attention; must divide `width`.
        dropout: share that is dropped when training.
        pool: "mean" of all tiles, or a "class" token.
        remat: as of `basic_resnet`.
        dtype: as of `basic_resnet`.

    Returns:
        The network, for images `(batch, h, w)` or `(batch, h, w, c)`.

    Raises:
        ValueError: naming a size that cannot be.

    Example:
        >>> import jax
        >>> net = vit(width=16, blocks=1, heads=2)
        >>> x = jnp.zeros((1, 8, 8))
        >>> variables = jax.eval_shape(net.init, jax.random.key(0), x)
        >>> sum(p.size for p in jax.tree.leaves(variables) if p.ndim == 2)
        3488
    """
    at_least(1, classes=classes, patch=patch, width=width, blocks=blocks, heads=heads)
    divides("heads", heads, width=width)
    rate(dropout=dropout)
    if pool not in POOLS:
        raise ValueError(f"pool must be one of {POOLS}, got {pool!r}")
    return _ViT(classes, patch, width, blocks, heads, dropout, pool, remat, dtype)
