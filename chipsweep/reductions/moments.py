"""Mean, spread and extremes of a population."""

from dataclasses import dataclass

import numpy as np

from chipsweep.reductions.base import Found, State


@dataclass(frozen=True)
class Moments:
    """Number, mean, standard deviation (n - 1), least and greatest.

    Example:
        >>> from chipsweep.reductions.base import Lanes
        >>> moments = Moments()
        >>> who = np.arange(3)
        >>> state = moments.init((), np.dtype("float32"))
        >>> state = moments.update(state, Lanes(np.array([1.0, 2.0, 6.0]), who, who))
        >>> float(moments.finish(state, computed=3)["mean"].values)
        3.0
    """

    def init(self, shape, dtype) -> State:
        """The state of nobody."""
        del dtype
        zero, most = np.zeros(shape), np.full(shape, np.inf)
        n = np.zeros((), np.int64)
        return {"n": n, "mean": zero, "m2": zero, "min": most, "max": -most}

    def update(self, state, lanes) -> State:
        """Moments of the new chips, merged."""
        if not len(lanes.values):
            return state
        x = lanes.values.astype(np.float64)
        mean = x.mean(0)
        new = {
            "n": np.array(len(x), np.int64),
            "mean": mean,
            "m2": ((x - mean[None]) ** 2).sum(0),
            "min": x.min(0),
            "max": x.max(0),
        }
        return self.merge(state, new)

    def merge(self, a, b) -> State:
        """Chan's formula for two populations."""
        n = a["n"] + b["n"]
        apart, share = b["mean"] - a["mean"], b["n"] / max(n, 1)
        return {
            "n": n,
            "mean": a["mean"] + apart * share,
            "m2": a["m2"] + b["m2"] + apart**2 * a["n"] * share,
            "min": np.minimum(a["min"], b["min"]),
            "max": np.maximum(a["max"], b["max"]),
        }

    def finish(self, state, computed) -> dict[str, Found]:
        """`mean`, `std`, `min`, `max`."""
        del computed
        n, gap = int(state["n"]), np.full(state["mean"].shape, np.nan)
        known = {**state, "std": np.sqrt(state["m2"] / (n - 1)) if n > 1 else gap}
        names = ("mean", "std", "min", "max")
        return {name: Found(known[name] if n else gap) for name in names}
