"""What the figures of networks that name images claim alike, in points of accuracy."""

from functools import partial
from typing import Any

import xarray as xr

from experiments.claims import STAKE, Claim, above, at_stake, below, judged, spread

GAINED, LOST = 60.0, 4.0
"""Points by which EaPU beats noisy backpropagation (abstract), and which it may lose
against the ideal training (ours: 3 or 4 are published)."""


def gained(
    dataset: xr.Dataset, claim: str, source: str, points: xr.DataArray, published: float
) -> Claim:
    """EaPU beats noisy backpropagation by over `GAINED` points."""
    more: Any = {"unit": "points", "published": published}
    return judged(dataset, claim, source, points, partial(above, GAINED), **more)


def lost(
    dataset: xr.Dataset,
    claim: str,
    source: str,
    accuracy: tuple[xr.DataArray, xr.DataArray],
    published: float,
) -> Claim:
    """EaPU loses less than `LOST` points against the ideal training.

    That counts where there is enough to lose, see `at_stake`.

    Args:
        dataset: has the attribute `chance`.
        claim: the statement; what counts is said behind it.
        source: where it was published.
        accuracy: of the ideal training and of EaPU, %.
        published: points lost.
    """
    ideal, eapu = accuracy
    learnt = spread(ideal - 100 * dataset.attrs["chance"])[::2]
    return judged(
        dataset,
        f"{claim} (ours: below {LOST:g} counts, where ideal beats chance by over "
        f"{STAKE * LOST:g})",
        source,
        ideal - eapu,
        partial(below, LOST),
        also=[at_stake(LOST, *learnt)],
        unit="points",
        published=published,
    )
