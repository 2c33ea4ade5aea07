"""What an experiment is: one simulation, the sweeps of its figure, what they show."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import xarray as xr
from matplotlib.figure import Figure

import chipsweep
from experiments.claims import Claim

__all__ = ["Experiment", "Sweep"]


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """One sweep that a figure needs: the arguments of `chipsweep.sweep`.

    Attributes:
        simulate: the physics, `simulate(point, chip, keys)`.
        base: fields of the point that stay; a frozen dataclass.
        axes: name -> values.
        chips: how many, or which.
        seeds: how many, or which.
        key: root of all random draws.
        design: which points of the axes; all when None.
        dims: output -> names of its dimensions.
        reduce: output -> reductions over chips and seeds.
        keep: outputs kept run by run although they are reduced.
        may_be_nan: outputs in which NaN is a value.
        outputs: what a plain-Python function returns; None where it is traced.
        chunk: runs per device and call; measured when None.
    """

    simulate: Callable
    base: Any
    axes: Mapping[str, Any] = field(default_factory=dict)
    chips: int | Sequence[int] = 1
    seeds: int | Sequence[int] = 1
    key: int = 0
    design: Any = None
    dims: Mapping[str, Sequence[str]] = field(default_factory=dict)
    reduce: Mapping[str, Any] = field(default_factory=dict)
    keep: Sequence[str] | None = None
    may_be_nan: Sequence[str] = ()
    outputs: Mapping[str, Any] | None = None
    chunk: int | None = None

    @property
    def spec(self) -> chipsweep.Spec:
        """What decides the numbers, checked."""
        return chipsweep.specify(
            self.simulate,
            self.axes,
            chips=self.chips,
            seeds=self.seeds,
            design=self.design,
            base=self.base,
            key=self.key,
            dims=self.dims,
            reduce=self.reduce,
            keep=self.keep,
            may_be_nan=self.may_be_nan,
            outputs=self.outputs,
        )


class Experiment(Protocol):
    """A module with these names is an experiment; `experiments.EXPERIMENTS` lists it.

    Attributes:
        REPRODUCES: paper and figure, in words.
        MINUTES: that the default preset takes on two quiet cores.
        Config: a frozen dataclass of everything that can be chosen.
        PRESETS: name -> Config, beside `Config()`, which is called "default".
        DIMS: output of `simulate` -> names of its dimensions.
    """

    REPRODUCES: str
    MINUTES: float
    Config: type
    PRESETS: Mapping[str, Any]
    DIMS: Mapping[str, Sequence[str]]

    def simulate(self, point: Any, chip: Any, keys: Any) -> Mapping[str, Any]:
        """The only physics: one chip with one seed at one point.

        `point` has the fields of `defaults()` and the axes that are swept.
        """
        ...

    def defaults(self, config: Any) -> Any:
        """The fields of one run; each of them can be an axis of `sweep NAME`."""
        ...

    def sweeps(self, config: Any) -> Mapping[str, Sweep]:
        """What the figure needs, by name."""
        ...

    def derive(self, config: Any, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
        """What is judged and drawn, from the sweeps."""
        ...

    def claims(self, dataset: xr.Dataset) -> list[Claim]:
        """What the paper says, held against what was derived."""
        ...

    def plot(self, dataset: xr.Dataset) -> Figure:
        """The figure, from what was derived."""
        ...
