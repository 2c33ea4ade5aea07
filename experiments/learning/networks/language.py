"""A decoder-only transformer: the next character from those before it."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from experiments.learning.networks.attention import LECUN, Block, causal
from experiments.learning.networks.layers import blocks_of, layer_norm
from experiments.learning.networks.sizes import at_least, divides, rate


class _Language(nn.Module):
    vocabulary: int
    blocks: int
    width: int
    heads: int
    context: int
    dropout: float
    remat: bool
    dtype: Any

    @nn.compact
    def __call__(self, x, train: bool = False):
        n = _length(x, self.context)
        small = nn.initializers.normal(0.02)
        table = {"embedding_init": small, "dtype": self.dtype, "name": "characters"}
        tokens = nn.Embed(self.vocabulary, self.width, **table)(x)
        shape = (1, self.context, self.width)
        where = self.param("position_embedding", small, shape)[:, :n]
        x = tokens + jnp.broadcast_to(where, tokens.shape).astype(tokens.dtype)
        x = nn.Dropout(self.dropout, deterministic=not train)(x)
        kind, added = blocks_of(Block, self.remat), causal(n)
        for at in range(self.blocks):
            block = kind(self.heads, self.dropout, self.dtype, name=f"block_{at}")
            x = block(x, train, added)
        x = layer_norm(x, "norm")
        how = {"use_bias": False, "dtype": self.dtype, "kernel_init": LECUN}
        head = nn.Dense(self.vocabulary, name="head", **how)
        return head(x).astype(jnp.float32)


def _length(x: jax.Array, context: int) -> int:
    if x.ndim != 2 or not jnp.issubdtype(x.dtype, jnp.integer):
        raise ValueError(
            f"text must be whole numbers (batch, n), got {x.dtype} of shape {x.shape}"
        )
    if not 1 <= x.shape[1] <= context:
        raise ValueError(f"text must have 1 to {context} characters, got {x.shape[1]}")
    return x.shape[1]


def language_model(
    vocabulary: int,
    *,
    blocks: int = 4,
    width: int = 128,
    heads: int = 4,
    context: int = 128,
    dropout: float = 0.0,
    remat: bool = False,
    dtype: Any = jnp.float32,
) -> nn.Module:
    """Pre-norm blocks, learned positions, an output matrix of its own.

    The output is not tied to the table of characters, so it lives on an array; both
    tables are looked up and stay digital. With the default sizes each block puts
    `12 width^2` weights on arrays.

    Args:
        vocabulary: different characters.
        blocks: how many.
        width: of the blocks.
        heads: of the attention; must divide `width`.
        context: most characters that are seen at once.
        dropout: share that is dropped when training.
        remat: as of `basic_resnet`.
        dtype: as of `basic_resnet`.

    Returns:
        The network: of characters `(batch, n)`, whole numbers below `vocabulary`, the
        logits `(batch, n, vocabulary)` of the character after each.

    Raises:
        ValueError: naming a size that cannot be.

    Example:
        >>> net = language_model(5, blocks=1, width=8, heads=2, context=6)
        >>> text = jnp.array([[0, 3, 1]])
        >>> y, _ = jax.eval_shape(net.init_with_output, jax.random.key(0), text)
        >>> y.shape
        (1, 3, 5)
    """
    at_least(1, vocabulary=vocabulary, blocks=blocks, width=width, heads=heads)
    at_least(1, context=context)
    divides("heads", heads, width=width)
    rate(dropout=dropout)
    return _Language(vocabulary, blocks, width, heads, context, dropout, remat, dtype)
