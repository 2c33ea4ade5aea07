"""Who passes, and who is best."""

from dataclasses import dataclass

import numpy as np

from chipsweep.reductions.base import Found, State


@dataclass(frozen=True, kw_only=True)
class Fraction:
    """Fraction of the population at or above each of some values: the yield.

    A chip that diverged counts as one that is not.
    """

    at_least: tuple[float, ...]

    def __post_init__(self):
        object.__setattr__(self, "at_least", tuple(self.at_least))
        if not self.at_least:
            raise ValueError("at_least = (): at least one value")

    def init(self, shape, dtype) -> State:
        """Nobody passed."""
        del dtype
        return {"passed": np.zeros((len(self.at_least), *shape), np.int64)}

    def update(self, state, lanes) -> State:
        """Count those that pass."""
        values = lanes.values.astype(np.float64)
        passed = np.stack([(values >= level).sum(0) for level in self.at_least])
        return {"passed": state["passed"] + passed}

    def merge(self, a, b) -> State:
        """Add the counts."""
        return {"passed": a["passed"] + b["passed"]}

    def finish(self, state, computed) -> dict[str, Found]:
        """`fraction` over `at_least`, of all that were computed."""
        levels = {"at_least": list(self.at_least)}
        fraction = state["passed"] / computed if computed else state["passed"] * np.nan
        return {"fraction": Found(fraction, ("at_least",), levels)}


@dataclass(frozen=True, kw_only=True)
class Best:
    """The best `n` of the population and who they are. Of a single number.

    Attributes:
        n: how many.
        largest: whether large is good.
    """

    n: int = 1
    largest: bool = True

    def __post_init__(self):
        if self.n < 1:
            raise ValueError(f"n = {self.n}: at least 1")

    def init(self, shape, dtype) -> State:
        """Nobody yet."""
        if shape:
            raise ValueError(f"Best needs one number per chip, not shape {shape}")
        none = np.zeros(0, np.int64)
        return {"best": np.zeros(0, dtype), "best_chip": none, "best_seed": none}

    def update(self, state, lanes) -> State:
        """The best of old and new."""
        return self.merge(state, dict(zip(state, lanes, strict=True)))

    def merge(self, a, b) -> State:
        """Of equals the lower chip, then the lower seed, is better."""
        both = {k: np.concatenate([a[k], b[k].astype(a[k].dtype)]) for k in a}
        score = both["best"].astype(np.float64) * (-1 if self.largest else 1)
        order = np.lexsort((both["best_seed"], both["best_chip"], score))[: self.n]
        return {k: v[order] for k, v in both.items()}

    def finish(self, state, computed) -> dict[str, Found]:
        """`best`, `best_chip`, `best_seed` over `rank`; NaN, -1 where none."""
        del computed
        found = {}
        for name, known in state.items():
            filled = np.full(self.n, np.nan if name == "best" else -1)
            filled[: len(known)] = known
            found[name] = Found(filled, ("rank",), {"rank": np.arange(self.n)})
        return found
