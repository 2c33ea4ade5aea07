"""Writes of a deep network by part of its training, and by layer from the input on."""

import re
from collections.abc import Iterable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

SPANS = 40
"""Parts of a training: single steps write few cells."""


def spanned(by_step: Float[Array, "steps ..."]) -> Float[Array, "spans ..."]:
    """Means over at most `SPANS` parts of a training, as even as can be.

    Example:
        >>> spanned(jnp.arange(80.0))[:3]
        Array([0.5, 2.5, 4.5], dtype=float32)
    """
    steps = len(by_step)
    parts = np.array_split(np.arange(steps), min(SPANS, steps))
    means = [jnp.mean(by_step[part[0] : part[-1] + 1], axis=0) for part in parts]
    return jnp.stack(means)


def in_order(paths: Iterable[str]) -> np.ndarray:
    """Indices that put the matrices of a residual network as the signal meets them.

    A shortcut stands behind the convolutions that it passes by.

    Example:
        >>> paths = ["block_10/conv_0", "block_2/shortcut", "head", "stem"]
        >>> in_order(paths).tolist()
        [3, 1, 0, 2]
    """
    places = [_place(path) for path in paths]
    return np.array(sorted(range(len(places)), key=places.__getitem__), dtype=int)


def _place(path: str) -> tuple[float, ...]:
    if path.startswith("stem"):
        return (-1,)
    if path.startswith("head"):
        return (float("inf"),)
    block, *within = (int(n) for n in re.findall(r"_(\d+)", path))
    return (block, *(within or [float("inf")]))
