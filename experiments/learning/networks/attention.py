"""What every transformer is made of: attention, two dense layers, a pre-norm block.

The matrices that make queries, keys and values are one `kernel`, one crossbar. Products
of queries with keys, and of weights with values, have no weights: they are digital.
"""

from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from experiments.learning.networks.layers import layer_norm

LECUN = nn.initializers.lecun_normal()


def attend(
    q: Float[Array, "*batch n heads d"],
    k: Float[Array, "*batch n heads d"],
    v: Float[Array, "*batch n heads d"],
    added: jax.Array | None = None,
) -> Float[Array, "*batch n heads d"]:
    r"""$\mathrm{softmax}(q k^\top / \sqrt d + \text{added})\, v$ for each head.

    Args:
        q: queries.
        k: keys.
        v: values.
        added: `(heads, query, key)` last, of as many axes as fit; minus infinity
            where a query must not look. The softmax is made in float32.

    Example:
        >>> one = jnp.ones((1, 2, 1, 1))
        >>> v = jnp.array([1.0, 3.0]).reshape(1, 2, 1, 1)
        >>> attend(one, one, v, causal(2)).ravel()
        Array([1., 2.], dtype=float32)
    """
    scores = jnp.einsum("...qhd,...khd->...hqk", q, k) * q.shape[-1] ** -0.5
    scores = scores.astype(jnp.float32)
    if added is not None:
        scores = scores + jnp.broadcast_to(added, scores.shape)
    weights = nn.softmax(scores).astype(v.dtype)
    return jnp.einsum("...hqk,...khd->...qhd", weights, v)


def causal(n: int) -> Float[Array, "1 n n"]:
    """What is added so that nobody looks ahead."""
    seen = jnp.tril(jnp.ones((1, n, n), bool))
    return jnp.where(seen, 0.0, -jnp.inf)


class SelfAttention(nn.Module):
    """Attention of `heads` heads among the last axis but one.

    Attributes:
        heads: must divide the width of what comes in.
        dtype: of the products.
        kernel_init: of both matrices.
    """

    heads: int
    dtype: Any = jnp.float32
    kernel_init: nn.initializers.Initializer = LECUN

    @nn.compact
    def __call__(self, x: jax.Array, added: jax.Array | None = None) -> jax.Array:
        """Every place is a mixture of all; `added` as of `attend`."""
        dense = partial(nn.Dense, dtype=self.dtype, kernel_init=self.kernel_init)
        *batch, width = x.shape
        three = dense(3 * width, name="qkv")(x)
        three = three.reshape(*batch, 3, self.heads, width // self.heads)
        q, k, v = jnp.moveaxis(three, -3, 0)
        mixed = attend(q, k, v, added).reshape(x.shape)
        return dense(width, name="out")(mixed)


class Feedforward(nn.Module):
    """Dense, GELU, dense; `ratio` times as wide in between."""

    dtype: Any = jnp.float32
    kernel_init: nn.initializers.Initializer = LECUN
    ratio: int = 4

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Every place by itself."""
        dense = partial(nn.Dense, dtype=self.dtype, kernel_init=self.kernel_init)
        hidden = dense(self.ratio * x.shape[-1], name="in")(x)
        return dense(x.shape[-1], name="out")(nn.gelu(hidden, approximate=False))


class Block(nn.Module):
    r"""$y = x + a(\mathrm{norm}\, x)$, then $y + f(\mathrm{norm}\, y)$.

    $a$ is attention, $f$ two dense layers.

    Attributes:
        heads: of the attention.
        dropout: share of the outputs of $a$ and of $f$ that is dropped when training.
        dtype: of the products.
    """

    heads: int
    dropout: float = 0.0
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, x: jax.Array, train: bool = False, added: jax.Array | None = None
    ) -> jax.Array:
        """Of `(batch, n, width)`; `added` as of `attend`."""
        drop = partial(nn.Dropout, self.dropout, deterministic=not train)
        y = SelfAttention(self.heads, self.dtype, name="attention")(
            layer_norm(x), added
        )
        x = x + drop()(y)
        y = Feedforward(self.dtype, name="feedforward")(layer_norm(x))
        return x + drop()(y)
