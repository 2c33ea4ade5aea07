"""The images that a generative machine learns, and how like them an image is."""

from collections.abc import Sequence
from functools import cache
from typing import Annotated

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from experiments.data import Images, load_images
from experiments.validate import Checked, Distinct, Width, bounds, one_of

SIDES = {"mnist5k": 28, "digits": 8}
"""Data sets, and how many pixels wide their images are."""

Digit = Annotated[int, bounds(0, 9)]
MOST = 5
"""As many others must be left to compare with."""


class Pictures(Checked):
    """One image each of a few digits.

    Attributes:
        data: data set, see `experiments.data`.
        digits: one image of each is learned, the first in the data set.
        side: pixels; larger images are averaged over squares (structural).
    """

    data: Annotated[str, one_of(*SIDES)] = "mnist5k"
    digits: Distinct[Digit] = (0, 3, 4)
    side: Width = 14

    def __post_init__(self):
        """Check every field; pixels are averaged over whole squares."""
        super().__post_init__()
        words = f"at most {MOST} digits, so that as many are not learned"
        self.require(len(self.digits) <= MOST, "digits", words)
        whole = SIDES[self.data] % self.side == 0
        self.require(whole, "side", f"must divide {SIDES[self.data]}, of {self.data}")


def others(digits: Sequence[int]) -> tuple[int, ...]:
    """As many digits that are not learned.

    Example:
        >>> others((0, 3, 4))
        (1, 2, 5)
    """
    left = [d for d in range(10) if d not in digits]
    return tuple(left[: len(digits)])


@cache
def images(data: str) -> Images:
    """A data set, read once."""
    return load_images(data)


def prototypes(data: str, digits: Sequence[int], side: int) -> np.ndarray:
    """The first image of each digit, 0 or 1 for dark or bright, `(digits, pixels)`.

    Example:
        >>> prototypes("digits", (3, 7), 4).shape
        (2, 16)
    """
    found = images(data)
    first = [found.x_train[found.y_train == d][0, ..., 0] for d in digits]
    block = SIDES[data] // side
    shape = len(first), side, block, side, block
    small = np.stack(first).reshape(shape).mean((2, 4))
    return (small.reshape(len(first), -1) > 0.5).astype(np.float32)


def likeness(
    made: Float[Array, "samples pixels"], known: Float[Array, "images pixels"]
) -> Float[Array, "samples images"]:
    """Pearson's correlation over pixels of every sample with every image."""
    return _standard(made) @ _standard(known).T


def _standard(x: jax.Array) -> jax.Array:
    x = x - x.mean(-1, keepdims=True)
    return x / jnp.linalg.norm(x, axis=-1, keepdims=True)
