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
        self._bins()

    def init(self, shape, dtype) -> State:
        """No values, or empty bins."""
        counted = self._bins()
        if counted is not None:
            return counted.init(shape, dtype)
        return {"values": np.zeros((0, *shape), dtype)}

    def update(self, state, lanes) -> State:
        """Keep or count the values."""
        counted = self._bins()
        if counted is not None:
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
        if "values" in state:
            values, how = state["values"], "exact"
            found = _quantiles(values, self.q)
        else:
            found = self._from_counts(state["counts"])
            how = f"histogram, right to {(self._high - self._low) / self.bins:g}"
        return {"quantile": Found(found, ("q",), {"q": list(self.q)}, {"method": how})}

    @property
    def _low(self) -> float:
        return 0.0 if self.low is None else self.low

    @property
    def _high(self) -> float:
        return 1.0 if self.high is None else self.high

    def _bins(self) -> Histogram | None:
        if self.low is None:
            return None
        return Histogram(low=self._low, high=self._high, bins=self.bins)

    def _from_counts(self, counts: np.ndarray) -> np.ndarray:
        """Middle of the bin in which the cumulated count passes q of all."""
        edges = np.clip(np.arange(self.bins + 2) - 1, 0, self.bins - 1)
        inside = np.zeros((self.bins, *counts.shape[1:]), np.int64)
        np.add.at(inside, edges, counts)
        cumulated = inside.cumsum(0)
        total = cumulated[-1]
        width = (self._high - self._low) / self.bins
        rows = []
        for q in self.q:
            rank = q * (total - 1)
            index = (cumulated <= rank[None]).sum(0).clip(0, self.bins - 1)
            rows.append(np.where(total > 0, self._low + width * (index + 0.5), np.nan))
        return np.stack(rows)


def _quantiles(values: np.ndarray, q: tuple[float, ...]) -> np.ndarray:
    if not len(values):
        return np.full((len(q), *values.shape[1:]), np.nan)
    return np.quantile(values.astype(np.float64), q, axis=0)
