"""Convolution on an array: every patch of the input is one vector."""

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Key

from eapu_jax.array import ArrayState
from eapu_jax.crossbar import Crossbar
from eapu_jax.matvec import Gradient, Noise, matvec


def convolve(
    key: Key[Array, ""],
    crossbar: Crossbar,
    state: ArrayState,
    w: jax.Array,
    x: jax.Array,
    strides: Sequence[int],
    padding: Any,
    *,
    dilation: Sequence[int] | None = None,
    gradient: Gradient = "array",
    noise: Noise = "fresh",
) -> jax.Array:
    """The convolution of images with a kernel on the array, channels last.

    Args:
        key: of the read noise.
        crossbar: what the array is made of.
        state: the array.
        w: kernel, `(*window, channels, features)`: its rows are the places of the
            window and its channels.
        x: images, `(batch, *space, channels)`.
        strides: per axis of space.
        padding: "SAME", "VALID" or pairs, as of `jax.lax`.
        dilation: of the kernel, per axis of space.
        gradient: see `matvec`.
        noise: see `matvec`; "fresh" reads the array once per patch.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from eapu_jax import Crossbar
        >>> from eapu_jax.array import deploy_one
        >>> w = jnp.ones((3, 1, 2))
        >>> state = deploy_one(jax.random.key(0), Crossbar(), w)
        >>> x = jnp.ones((1, 5, 1))
        >>> y = convolve(jax.random.key(1), Crossbar(), state, w, x, (1,), "SAME")
        >>> [round(float(one), 5) for one in y[0, :, 0]]
        [2.0, 3.0, 3.0, 3.0, 2.0]
    """
    patches = lax.conv_general_dilated_patches(
        x,
        w.shape[:-2],
        strides,
        padding,
        rhs_dilation=dilation,
        dimension_numbers=channels_last(x.ndim),
        precision=lax.Precision.HIGHEST,
    )
    window, channels = w.shape[:-2], w.shape[-2]
    laid = patches.reshape(*patches.shape[:-1], channels, math.prod(window))
    vectors = jnp.swapaxes(laid, -1, -2).reshape(*patches.shape[:-1], *w.shape[:-1])
    return matvec(
        key, crossbar, state, w, vectors, gradient=gradient, noise=noise,
        inputs=w.ndim - 1,
    )  # fmt: skip


def channels_last(ndim: int) -> lax.ConvDimensionNumbers:
    """Batch first, channels last; kernels end in channels and features."""
    space = tuple(range(1, ndim - 1))
    images = (0, ndim - 1, *space)
    kernel = (ndim - 1, ndim - 2, *range(ndim - 2))
    return lax.ConvDimensionNumbers(images, kernel, images)
