"""Norms with the numbers of PyTorch (RECALLED), and blocks that keep little."""

import flax.linen as nn
import jax
import jax.numpy as jnp


def batch_norm(x: jax.Array, train: bool, name: str | None = None) -> jax.Array:
    """By the batch when training, else by the running mean (a tenth of each batch).

    In float32 whatever the type of `x`, which is that of the result.
    """
    norm = nn.BatchNorm(
        use_running_average=not train, momentum=0.9, epsilon=1e-5, name=name
    )
    return norm(x.astype(jnp.float32)).astype(x.dtype)


def layer_norm(x: jax.Array, name: str | None = None) -> jax.Array:
    """Each place by itself; in float32, as `batch_norm`."""
    return nn.LayerNorm(epsilon=1e-5, name=name)(x.astype(jnp.float32)).astype(x.dtype)


def blocks_of(kind: type[nn.Module], remat: bool) -> type[nn.Module]:
    """The block `kind(x, train, ...)`; where `remat`, the backward pass makes it anew.

    Nothing inside the block is kept: less memory, about a third more time.
    """
    return nn.remat(kind, static_argnums=(2,)) if remat else kind
