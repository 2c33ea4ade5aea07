"""What an experiment is: one simulation, the sweeps of its figure, what they show."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Protocol, TypeVar

import xarray as xr
from matplotlib.figure import Figure

import chipsweep
from experiments.claims import Claim
from experiments.validate import Checked, Seed

__all__ = ["Experiment", "Seeded", "Sweep", "base_of", "listed", "of_one_seed"]


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """One sweep that a figure needs: the arguments of `chipsweep.sweep`.

    Attributes:
        simulate: the physics, `simulate(point, chip, keys)`; there called `function`.
        base: fields of the point that stay; a frozen dataclass.
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
        decides = {k: v for k, v in vars(self).items() if k != "chunk"}
        return chipsweep.specify(decides.pop("simulate"), **decides)


def listed(base: Any, changes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The arguments `axes` and `design` of a `Sweep` over single points.

    Args:
        base: fields of a point that is not changed.
        changes: field -> value, of one point after another.
    """
    fields = list(dict.fromkeys(name for one in changes for name in one))
    points = [{f: one.get(f, getattr(base, f)) for f in fields} for one in changes]
    axes = {f: list(dict.fromkeys(p[f] for p in points)) for f in fields}
    return {"axes": axes, "design": chipsweep.Listed(tuple(points))}


class Seeded(Checked):
    """What every config has.

    Attributes:
        seed: root of all random draws.
    """

    seed: Seed = 0

    def sweep(self, simulate: Callable, base: Any, **other: Any) -> Sweep:
        """A sweep whose draws follow from the seed.

        Args:
            simulate: see `Experiment`.
            base: fields of the point that stay.
            **other: arguments of `Sweep`.
        """
        return Sweep(simulate=simulate, base=base, key=self.seed, **other)


T = TypeVar("T")


def base_of(kind: type[T], config: Any, **other: Any) -> T:
    """The fields of one run: those that its config has, too, and others.

    Args:
        kind: a dataclass.
        config: or another base.
        **other: go before those of the config.
    """
    names = {f.name for f in fields(kind) if hasattr(config, f.name)}  # pyright: ignore[reportArgumentType]
    return kind(**({name: getattr(config, name) for name in names} | other))


def of_one_seed(found: xr.Dataset, *outputs: str, chip: str) -> xr.Dataset:
    """Some outputs of a sweep with a single seed, in memory.

    Args:
        found: by the sweep.
        *outputs: their names.
        chip: what the dimension of the chips is called from here on.
    """
    one = found[[*outputs]].isel(seed=0, drop=True).drop_vars("chip")
    return one.rename(chip=chip).load()


class Experiment(Protocol):
    """A module with these names is an experiment; `experiments.EXPERIMENTS` lists it.

    Attributes:
        REPRODUCES: paper and figure, in words.
        Config: a frozen dataclass of everything that can be chosen.
        PRESETS: name -> Config, beside `Config()`, which is called "default".
        DIMS: output of `simulate` -> names of its dimensions.

    `UNITS`, output -> unit, may be there as well, where an output has one.
    """

    REPRODUCES: str
    Config: type
    PRESETS: Mapping[str, Any]
    DIMS: Mapping[str, Sequence[str]]

    def simulate(self, point: Any, chip: Any, keys: Any) -> Mapping[str, Any]:
        """The only physics: one chip with one seed at one point.

        Args:
            point: has the fields of `defaults()`; those that are swept may be traced.
            chip: its index; `keys.chip` is what tells chips apart.
            keys: `keys.seed` for what all chips of a seed share, `keys.chip` for the
                hardware and the random draws of one.

        With an optional `trace=True`, which a replay gives, it also returns all that
        the chip went through.
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
