"""What is kept of a population when its curves are not.

A reduction sees the values of a chunk and keeps a small state; states of chunks
merge. So 10,000 chips at 1,000 points never stand in memory together. States
are merged in the order of the chips, whoever computed them: the bits do not
depend on who did.

Exact: `Moments` (up to the rounding of float64), `Histogram`, `Fraction`, `Best`,
and `Quantiles` without bounds, which keeps the values of one point at a time.
`Quantiles(low=, high=)` counts into fine bins: right to within one bin.
"""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Any

from chipsweep.reductions.base import Found as Found
from chipsweep.reductions.base import Lanes as Lanes
from chipsweep.reductions.base import Reduction as Reduction
from chipsweep.reductions.base import Reductions as Reductions
from chipsweep.reductions.base import State as State
from chipsweep.reductions.histogram import Histogram as Histogram
from chipsweep.reductions.moments import Moments as Moments
from chipsweep.reductions.quantiles import Quantiles as Quantiles
from chipsweep.reductions.ranking import Best as Best
from chipsweep.reductions.ranking import Fraction as Fraction

BY_NAME: Mapping[str, Any] = {
    c.__name__: c for c in (Best, Fraction, Histogram, Moments, Quantiles)
}
"""The kinds that come with this package."""


def fields(reduction: Reduction) -> dict[str, Any]:
    """The fields of a reduction, as JSON; a reduction is a frozen dataclass.

    Raises:
        ValueError: if it is none.
    """
    if not dataclasses.is_dataclass(reduction) or isinstance(reduction, type):
        raise ValueError(f"reduce: a reduction is a dataclass, got {reduction!r}")
    return json.loads(json.dumps(dataclasses.asdict(reduction)))


def numbered(reduce: Reductions) -> Iterator[tuple[str, int, Reduction]]:
    """All reductions: output, number among those of the output, and the reduction."""
    for name, several in reduce.items():
        for number, reduction in enumerate(several):
            yield name, number, reduction
