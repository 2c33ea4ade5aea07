"""How many seeds and chips an experiment trains, and what it trains beside them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from experiments.contract import Seeded, Sweep
from experiments.validate import Count, CountOrZero


class Chips(Seeded):
    """Seeds and chips of an experiment.

    A seed fixes starting weights and the order of the examples; a chip fixes its
    hardware, the draws of the rule and the errors of its writes.

    Attributes:
        n_seeds: trainings with different starting weights and orders.
        n_chips: simulated chips per seed.
        chunk: runs per device and call; measured when 0.
    """

    n_seeds: Count = 2
    n_chips: Count = 8
    chunk: CountOrZero = 0

    def __post_init__(self):
        """Check every field, and every training."""
        super().__post_init__()
        self.trainings()

    def trainings(self) -> Mapping[str, Any]:
        """What each kind of training depends on, by name."""
        raise NotImplementedError

    def sweep(self, simulate: Callable, base: Any, **other: Any) -> Sweep:
        """A sweep of all chips and seeds, unless others are asked for."""
        chunk = min(self.chunk, self.n_chips * self.n_seeds) or None
        who: Any = {"seeds": self.n_seeds, "chips": self.n_chips, "chunk": chunk}
        return super().sweep(simulate, base, **(who | other))

    def ideal(self, swept: Sweep) -> Sweep:
        """The same without write errors, where all chips are alike: one of them."""
        base = replace(swept.base, rule="ideal")
        chunk = min(self.chunk, self.n_seeds) or None
        return replace(swept, base=base, axes={}, chips=1, chunk=chunk)

    def beside_ideal(self, simulate: Callable, **other: Any) -> dict[str, Sweep]:
        """A sweep of every kind of training, and, as `NAME_ideal`, its ideal one."""
        found = {}
        for name, base in self.trainings().items():
            found[name] = self.sweep(simulate, base, **other)
            found[f"{name}_ideal"] = self.ideal(found[name])
        return found
