"""Counts in bins."""

from dataclasses import dataclass

import numpy as np

from chipsweep.reductions.base import Found, State


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Counts in equal bins from `low` to `high`, and below and above.

    Attributes:
        low: lower edge of the first bin.
        high: upper edge of the last, belonging to it.
        bins: their number.
    """

    low: float
    high: float
    bins: int = 50

    def __post_init__(self):
        low, high = self.low, self.high
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise ValueError(f"low = {low} must be below high = {high}, both finite")
        if self.bins < 1:
            raise ValueError(f"bins = {self.bins}: at least 1")

    @property
    def width(self) -> float:
        """Of a bin."""
        return (self.high - self.low) / self.bins

    @property
    def middles(self) -> np.ndarray:
        """Of all bins."""
        return self.low + self.width * (np.arange(self.bins) + 0.5)

    def init(self, shape, dtype) -> State:
        """Empty bins; the first and the last are outside."""
        del dtype
        return {"counts": np.zeros((self.bins + 2, *shape), np.int64)}

    def update(self, state, lanes) -> State:
        """Count every value that is a number."""
        x = lanes.values.astype(np.float64)
        scaled = (x - self.low) / (self.high - self.low) * self.bins
        known = ~np.isnan(x)
        index = np.clip(np.floor(np.where(known, scaled, 0)), -1, self.bins)
        index = np.where(x == self.high, self.bins, index.astype(np.int64) + 1)
        counts = state["counts"].copy()
        where = np.indices(index.shape)[1:]
        np.add.at(counts, (index, *where), known.astype(np.int64))
        return {"counts": counts}

    def merge(self, a, b) -> State:
        """Add the counts."""
        return {"counts": a["counts"] + b["counts"]}

    def finish(self, state, computed) -> dict[str, Found]:
        """`histogram` over `bin` (middles), `below`, `above`."""
        del computed
        counts = state["counts"]
        return {
            "histogram": Found(counts[1:-1], ("bin",), {"bin": self.middles}),
            "below": Found(counts[0]),
            "above": Found(counts[-1]),
        }
