"""Pictures with edges at all scales, made by a program: discs that hide one another.

Radii r have the density r^-3 between two bounds, which gives images that keep their
statistics when they are shrunk, as photographs do (A. B. Lee, D. Mumford and J. Huang,
International Journal of Computer Vision 41, 35 (2001)).
"""

import numpy as np

RADII = (4.0, 60.0)
"""Of the discs, pixels."""


def dead_leaves(side: int, seed: int, discs: int = 1_500) -> np.ndarray:
    """One picture in gray.

    Args:
        side: pixels.
        seed: of the places, radii and grays.
        discs: that fall, each on those before it.

    Returns:
        `(side, side)` uint8.

    Example:
        >>> dead_leaves(64, seed=0).shape
        (64, 64)
    """
    rng = np.random.default_rng(seed)
    low, high = RADII
    # the inverse of the distribution of a density r^-3 between the bounds
    u = rng.random(discs)
    radii = (low**-2 - u * (low**-2 - high**-2)) ** -0.5
    centres = rng.uniform(-high, side + high, (discs, 2))
    grays = rng.integers(0, 256, discs, dtype=np.uint8)
    image = np.full((side, side), 128, np.uint8)
    at = np.arange(side)
    for (row, column), r, gray in zip(centres, radii, grays, strict=True):
        inside = (at[:, None] - row) ** 2 + (at - column) ** 2 <= r**2
        image[inside] = gray
    return image
