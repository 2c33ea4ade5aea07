"""Quantiles of a population: of its values, or of counts in fine bins."""

from dataclasses import dataclass

import numpy as np

from chipsweep.reductions.base import Found, State
from chipsweep.reductions.histogram import Histogram


@dataclass(frozen=True, kw_only=True)
class Quantiles:
    """Quantiles over the population.

    Attributes:
        q: probabilities.
        low: if given with `high`, values are counted into bins between them.
        high: see `low`. Values outside count as lying on the edge.
        bins: the resolution is `(high - low) / bins`.
    """

    q: tuple[float, ...] = (0.05, 0.25, 0.5, 0.75, 0.95)
    low: float | None = None
    high: float | None = None
    bins: int = 4096

    def __post_init__(self):
        object.__setattr__(self, "q", tuple(self.q))
        if not self.q or not all(0 <= q <= 1 for q in self.q):
            raise ValueError(f"q = {self.q}: probabilities from 0 to 1")
        if (self.low is None) != (self.high is None):
            raise ValueError("low and high of Quantiles: both or none")
        self._counted()

    def init(self, shape, dtype) -> State:
        """No values, or empty bins."""
        if (counted := self._counted()) is not None:
            return counted.init(shape, dtype)
        return {"values": np.zeros((0, *shape), dtype)}

    def update(self, state, lanes) -> State:
        """Keep or count the values."""
        if (counted := self._counted()) is not None:
            return counted.update(state, lanes)
        return self.merge(state, {"values": lanes.values})

    def merge(self, a, b) -> State:
        """All values, or the sum of the counts."""
        return {
            k: np.concatenate([a[k], b[k]]) if k == "values" else a[k] + b[k] for k in a
        }

    def finish(self, state, computed) -> dict[str, Found]:
        """`quantile` over `q`."""
        del computed
        counted, how = self._counted(), "exact"
        if counted is not None:
            found = _of_counts(counted, state["counts"], self.q)
            how = f"histogram, right to {counted.width:g}"
        elif len(state["values"]):
            found = np.quantile(state["values"].astype(np.float64), self.q, axis=0)
        else:
            found = np.full((len(self.q), *state["values"].shape[1:]), np.nan)
        return {"quantile": Found(found, ("q",), {"q": list(self.q)}, {"method": how})}

    def _counted(self) -> Histogram | None:
        if self.low is None or self.high is None:
            return None
        return Histogram(low=self.low, high=self.high, bins=self.bins)


def _of_counts(bins: Histogram, counts: np.ndarray, q: tuple[float, ...]) -> np.ndarray:
    """Middle of the bin in which the cumulated count passes q of all."""
    inside = counts[1:-1].copy()
    inside[0] += counts[0]
    inside[-1] += counts[-1]
    cumulated = inside.cumsum(0)
    total = cumulated[-1]
    index = [(cumulated <= p * (total - 1)).sum(0) for p in q]
    return np.where(total > 0, bins.middles[np.clip(index, 0, bins.bins - 1)], np.nan)
