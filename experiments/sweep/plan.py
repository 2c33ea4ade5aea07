"""What a sweep is going to do, before it does it."""

from dataclasses import dataclass, replace
from typing import Any

from experiments.sweep.labels import shown
from experiments.sweep.study import Study

__all__ = ["Plan", "PlannedGroup", "planned"]


@dataclass(frozen=True, kw_only=True)
class PlannedGroup:
    """One compiled program.

    Attributes:
        structural: axis -> value.
        points: that share the program.
        lanes: points x chips x seeds.
        chunk: lanes per device and call; None until it is compiled.
        bytes: that a call takes on each device; None until it is compiled.
        done: chunks that the store already holds.
    """

    structural: dict[str, Any]
    points: int
    lanes: int
    chunk: int | None = None
    bytes: int | None = None
    done: int = 0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What goes where.

    Attributes:
        mapped: axes that one program serves at once, with their sizes.
        structural: axes that are compiled value by value, with their sizes.
        points: in all.
        chips: per point.
        seeds: per chip.
        groups: one per compilation.
        devices: of this process.
        processes: that share the work.
        seconds: estimated from the first chunk; None before it.
    """

    mapped: dict[str, int]
    structural: dict[str, int]
    points: int
    chips: int
    seeds: int
    groups: tuple[PlannedGroup, ...]
    devices: int
    processes: int = 1
    seconds: float | None = None

    @property
    def compiles(self) -> int:
        """Programs to compile."""
        return len(self.groups)

    @property
    def lanes(self) -> int:
        """Trainings, or whatever the function does, in all."""
        return sum(g.lanes for g in self.groups)

    def timed(self, seconds: float) -> "Plan":
        """The plan with an estimate."""
        return replace(self, seconds=seconds)

    def __str__(self) -> str:
        """A few lines for a person."""
        lines = [
            f"{self.points} points x {self.chips} chips x {self.seeds} seeds "
            f"= {self.lanes} lanes on {self.devices} devices"
            + (f" of each of {self.processes} processes" if self.processes > 1 else ""),
            f"mapped: {_sizes(self.mapped)}",
            f"structural: {_sizes(self.structural)}; {self.compiles} to compile",
        ]
        for group in self.groups:
            lines.append(_line(group))
        if self.seconds is not None:
            lines.append(f"about {_time(self.seconds)}")
        return "\n".join(lines)


def planned(study: Study, n_devices: int, n_processes: int = 1) -> Plan:
    """The plan as far as it is known without compiling."""
    sizes = {a.name: len(a.values) or len(study.layout.points) for a in study.axes}
    kind = {a.name: a.structural for a in study.axes}
    return Plan(
        mapped={n: s for n, s in sizes.items() if not kind[n]},
        structural={n: s for n, s in sizes.items() if kind[n]},
        points=len(study.layout.points),
        chips=len(study.chips),
        seeds=len(study.seeds),
        groups=tuple(
            PlannedGroup(
                structural={k: shown(v) for k, v in g.structural.items()},
                points=len(g.points),
                lanes=study.lanes(g),
            )
            for g in study.groups
        ),
        devices=n_devices,
        processes=n_processes,
    )


def _line(group: PlannedGroup) -> str:
    name = ", ".join(f"{k} {v}" for k, v in group.structural.items()) or "one program"
    text = f"  {name}: {group.points} points, {group.lanes} lanes"
    if group.chunk is not None:
        chunks = -(-group.lanes // group.chunk)
        text += f" in {chunks} chunks of {group.chunk}"
        text += f" ({group.done} done)" if group.done else ""
    if group.bytes is not None:
        text += f", {group.bytes / 2**20:.1f} MiB per device"
    return text


def _sizes(sizes: dict[str, int]) -> str:
    return ", ".join(f"{name} ({n})" for name, n in sizes.items()) or "none"


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.1f} min"
