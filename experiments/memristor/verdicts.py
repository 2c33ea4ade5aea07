"""A claim from a population: its median, its 5 to 95 % band, its verdict."""

from collections.abc import Callable

import numpy as np
import xarray as xr

from experiments.claims import Claim


def judged(
    values: xr.DataArray,
    judge: Callable[[float, float], str],
    *,
    claim: str,
    source: str,
    published: float | None,
    unit: str,
    scale: str,
) -> Claim:
    """The claim whose band is that of `values` over seeds and chips.

    Args:
        values: one number per seed and chip; NaN, a diverged chip, is left out.
        judge: `judge(low, high)`, a rule of `experiments.claims`.
        claim: the statement.
        source: where it was published.
        published: its number.
        unit: of the numbers.
        scale: of the computation.
    """
    low, ours, high = (float(q) for q in np.nanquantile(values, [0.05, 0.5, 0.95]))
    return Claim(
        claim=claim,
        source=source,
        published=published,
        ours=ours,
        low=low,
        high=high,
        unit=unit,
        scale=scale,
        verdict=judge(low, high),
    )
