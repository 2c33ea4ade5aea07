"""Some chips choose the numbers of a rule, all others judge it."""

from typing import Any

import xarray as xr

from experiments.memristor.contest.entrants import SGD
from experiments.memristor.setting import Setting
from experiments.validate import Count, Distinct, Plural, Positive


class Tuned(Setting):
    """Give every rule as many trials, and judge the best of them on other chips.

    Attributes:
        n_seeds: one; what a seed fixes is not judged.
        n_chips: those that tune and those that judge.
        adam_rates: learning rates tried with Adam.
        sgd_rates: with SGD, by rules of `contest.entrants.SGD`; as many.
        tuners: chips that choose the trial; all others judge it.
    """

    n_seeds: Count = 1
    n_chips: Plural = 18
    adam_rates: Distinct[Positive] = (1e-3, 3e-3, 1e-2)
    sgd_rates: Distinct[Positive] = (1e-2, 3e-2, 1e-1)
    tuners: Count = 2

    def __post_init__(self):
        """Check every field; every rule gets as many trials, some chips judge."""
        super().__post_init__()
        alike = len(self.adam_rates) == len(self.sgd_rates)
        self.require(alike, "sgd_rates", f"as many as adam_rates, {self.adam_rates}")
        self.require(self.tuners < self.n_chips, "tuners", "fewer than n_chips")

    def families(
        self, rules: tuple[str, ...]
    ) -> dict[str, tuple[tuple[str, ...], tuple[float, ...]]]:
        """Optimizer -> those of the rules behind it, and the rates that they try."""
        adam = tuple(rule for rule in rules if rule not in SGD)
        sgd = tuple(rule for rule in rules if rule in SGD)
        return {"adam": (adam, self.adam_rates), "sgd": (sgd, self.sgd_rates)}

    def judged(self, swept: xr.Dataset, *kept: str) -> xr.Dataset:
        """What the judging chips found in the trial of best mean accuracy.

        Args:
            swept: over chips, one seed, and what is tuned: `learning_rate`, and
                `strength` where it is.
            *kept: outputs; `final` is called `accuracy`.
        """
        tuned: Any = [d for d in ("learning_rate", "strength") if d in swept.dims]
        one = swept[["final", *kept]].isel(seed=0, drop=True).load()
        score = one.final.isel(chip=slice(self.tuners)).fillna(0.0).mean("chip")
        chosen = one.isel(score.argmax(tuned)).isel(chip=slice(self.tuners, None))
        return chosen.rename(final="accuracy").reset_coords(tuned)
