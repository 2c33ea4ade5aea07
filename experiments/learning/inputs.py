"""From images to the numbers that enter the first array."""

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from experiments.data import Images

INPUTS = ("standardised", "bipolar", "unit")


class Data(NamedTuple):
    """Images as the network sees them, channels last, and integer labels."""

    x_train: Any
    y_train: Any
    x_test: Any
    y_test: Any


@cache
def prepare(images: Images, pool: int = 1, inputs: str = "standardised") -> Data:
    """The images as training takes them: shrunk, then put on the input lines.

    The choice matters to noisy backpropagation. Every write error of a row is
    multiplied by that row's input, so dark pixels are silent rows near 0 but
    loud ones at -1.

    Args:
        images: pixels in [0, 1].
        pool: means over `pool` x `pool` pixels are taken first.
        inputs: "standardised": every channel has mean 0 and standard deviation 1
            over the training images, as in the authors' code (STATED);
            "bipolar": black is -1 and white +1, the full swing of a signed line;
            "unit": black is 0 and white 1.

    Raises:
        ValueError: if `pool` does not divide the sides of the images, or `inputs`
            is unknown.

    Example:
        >>> from experiments.data import load_images
        >>> prepare(load_images("digits", 100, 50), pool=2).x_test.shape
        (50, 4, 4, 1)
    """
    if inputs not in INPUTS:
        raise ValueError(f"inputs must be one of {INPUTS}, got {inputs!r}")
    x_train, x_test = _shrunk(images.x_train, pool), _shrunk(images.x_test, pool)
    if inputs == "bipolar":
        x_train, x_test = 2 * x_train - 1, 2 * x_test - 1
    elif inputs == "standardised":
        mean, sd = x_train.mean((0, 1, 2)), x_train.std((0, 1, 2)) + 1e-6
        x_train, x_test = (x_train - mean) / sd, (x_test - mean) / sd
    return Data(x_train, images.y_train, x_test, images.y_test)


def _shrunk(x: np.ndarray, pool: int) -> np.ndarray:
    n, h, w, c = x.shape
    if pool < 1 or h % pool or w % pool:
        raise ValueError(f"pool must divide the image sides {h} x {w}, got {pool}")
    return x.reshape(n, h // pool, pool, w // pool, pool, c).mean((2, 4))
