"""Multilayer perceptrons.

A kernel is one crossbar; biases are digital and start at zero. Kernels before a ReLU
are drawn Kaiming-normal, those of the older networks uniform within 1 / sqrt(inputs),
as PyTorch does (RECALLED).
"""

from collections.abc import Callable

import flax.linen as nn
from jaxtyping import Array

KAIMING = nn.initializers.he_normal()
UNIFORM = nn.initializers.variance_scaling(1 / 3, "fan_in", "uniform")
Activation = Callable[[Array], Array]


def dense_layers(x: Array, widths: tuple[int, ...], activation: Activation, init):
    """Flatten, then dense layers with the activation between, called in a module."""
    x = x.reshape((x.shape[0], -1))
    for width in widths[:-1]:
        x = activation(nn.Dense(width, kernel_init=init)(x))
    return nn.Dense(widths[-1], kernel_init=init)(x)


class _Perceptron(nn.Module):
    widths: tuple[int, ...]
    activation: Activation
    kernel_init: nn.initializers.Initializer

    @nn.compact
    def __call__(self, x, train: bool = False):
        del train  # it behaves alike in both
        return dense_layers(x, self.widths, self.activation, self.kernel_init)


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
        >>> import jax, jax.numpy as jnp
        >>> variables = mlp().init(jax.random.key(0), jnp.zeros((1, 28, 28)))
        >>> sum(p.size for p in jax.tree.leaves(variables) if p.ndim > 1)
        109184
    """
    return _Perceptron(_widths(widths), nn.relu, KAIMING)


def sigmoid_mlp(widths: tuple[int, ...] = (256, 128, 10)) -> nn.Module:
    """As `mlp`, with sigmoids: the 784-256-128-10 of Wu et al. 2024 and 2025 (STATED).

    Args:
        widths: outputs of each layer, the number of classes last.

    Raises:
        ValueError: if `widths` is empty or holds a width below 1.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> variables = sigmoid_mlp().init(jax.random.key(0), jnp.zeros((1, 28, 28)))
        >>> sum(p.size for p in jax.tree.leaves(variables) if p.ndim > 1)
        234752
    """
    return _Perceptron(_widths(widths), nn.sigmoid, UNIFORM)


def _widths(widths: tuple[int, ...]) -> tuple[int, ...]:
    if not widths or min(widths) < 1:
        raise ValueError(f"widths must be one or more positive ints, got {widths}")
    return tuple(widths)
