"""Multilayer perceptrons: dense layers with ReLU between them."""

import flax.linen as nn


class _MLP(nn.Module):
    widths: tuple[int, ...]

    @nn.compact
    def __call__(self, x):
        x = x.reshape((x.shape[0], -1))
        for i, width in enumerate(self.widths):
            x = nn.relu(x) if i else x
            x = nn.Dense(width, kernel_init=nn.initializers.he_normal())(x)
        return x


def mlp(widths: tuple[int, ...] = (128, 64, 10)) -> nn.Module:
    """Flatten the input, then one dense layer per width; the last gives logits.

    Kernels are drawn Kaiming-normal, biases start at zero. A kernel is one
    crossbar; biases are digital.

    Args:
        widths: outputs of each layer, the number of classes last.

    Returns:
        The network. With the default widths and 28x28 images it has 109,184
        weights on the array.

    Raises:
        ValueError: if `widths` is empty or holds a width below 1.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> variables = mlp().init(jax.random.key(0), jnp.zeros((1, 28, 28)))
        >>> sum(p.size for p in jax.tree.leaves(variables) if p.ndim > 1)
        109184
    """
    if not widths or min(widths) < 1:
        raise ValueError(f"widths must be one or more positive ints, got {widths}")
    return _MLP(tuple(widths))
