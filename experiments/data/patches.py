"""Squares cut out of photographs: on a grid, or at random places."""

from collections.abc import Sequence

import numpy as np


def on_a_grid(images: Sequence[np.ndarray], side: int, stride: int) -> np.ndarray:
    """Every square whose corner lies on the grid and that lies within its image.

    Args:
        images: `(height, width, channels)` each, of one type and as many channels.
        side: of a square, pixels.
        stride: from one corner to the next, pixels.

    Returns:
        `(n, side, side, channels)`, image by image, row by row.

    Raises:
        ValueError: if an image is smaller than a square, or the channels differ.

    Example:
        >>> image = np.arange(20).reshape(4, 5, 1)
        >>> on_a_grid([image], side=2, stride=2)[:, 0, 0, 0].tolist()
        [0, 2, 10, 12]
    """
    _check(images, side)
    if stride < 1:
        raise ValueError(f"stride = {stride!r}: must be 1 or more")
    cut = []
    for image in images:
        every = np.lib.stride_tricks.sliding_window_view(image, (side, side), (0, 1))
        some = every[::stride, ::stride]
        cut.append(np.moveaxis(some, 2, -1).reshape(-1, side, side, image.shape[2]))
    return np.concatenate(cut)


def at_random(images: Sequence[np.ndarray], side: int, n: int, seed: int) -> np.ndarray:
    """Squares at places that are all equally likely, whichever image they are in.

    Args:
        images: `(height, width, channels)` each, of one type and as many channels.
        side: of a square, pixels.
        n: how many.
        seed: of the places.

    Returns:
        `(n, side, side, channels)`.

    Raises:
        ValueError: if an image is smaller than a square, or the channels differ.

    Example:
        >>> image = np.arange(20).reshape(4, 5, 1)
        >>> at_random([image], side=4, n=3, seed=0).shape
        (3, 4, 4, 1)
    """
    _check(images, side)
    if n < 1:
        raise ValueError(f"n = {n!r}: must be 1 or more")
    rng = np.random.default_rng(seed)
    places = np.array([[d - side + 1 for d in image.shape[:2]] for image in images])
    many = places.prod(1)
    which = rng.choice(len(images), n, p=many / many.sum())
    corners = rng.integers(0, places[which])
    return np.stack(
        [
            images[k][row : row + side, column : column + side]
            for k, (row, column) in zip(which, corners, strict=True)
        ]
    )


def _check(images: Sequence[np.ndarray], side: int) -> None:
    if not images:
        raise ValueError("images: there are none")
    kinds = {(image.shape[2], image.dtype) for image in images}
    if len(kinds) > 1:
        told = ", ".join(sorted(f"{c} x {kind}" for c, kind in kinds))
        raise ValueError(f"images: must have as many channels of one type, got {told}")
    smallest = min(min(image.shape[:2]) for image in images)
    if not 1 <= side <= smallest:
        raise ValueError(f"side = {side!r}: must be 1 to {smallest}, the smallest side")
