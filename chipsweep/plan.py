"""What a sweep is going to do, before it does it."""

import time
from dataclasses import dataclass
from typing import Any

import jax

from chipsweep import memory
from chipsweep.axes import label
from chipsweep.files import Files
from chipsweep.preparing import Resources, prepared
from chipsweep.spec import Spec
from chipsweep.store import read_manifest

__all__ = ["Plan", "Program", "plan"]


@dataclass(frozen=True, kw_only=True)
class Program:
    """One compiled program.

    Attributes:
        structural: axis -> value.
        points: that share the program.
        runs: points x chips x seeds.
        bytes: that a call takes on each device; None until it is compiled.
    """

    structural: dict[str, Any]
    points: int
    runs: int
    bytes: int | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What goes where.

    Attributes:
        mapped: axes that one program serves at once, with their sizes.
        structural: axes that are compiled value by value, with their sizes.
        points: in all.
        chips: per point.
        seeds: per chip.
        programs: one per compilation.
        width: runs per device and call.
        devices: of this process.
        done: runs that the store already holds.
        seconds: for what is missing, compilation included; None unless measured.
    """

    mapped: dict[str, int]
    structural: dict[str, int]
    points: int
    chips: int
    seeds: int
    programs: tuple[Program, ...]
    width: int
    devices: int
    done: int = 0
    seconds: float | None = None

    @property
    def runs(self) -> int:
        """Trainings, or whatever the function does, in all."""
        return sum(p.runs for p in self.programs)

    def __str__(self) -> str:
        """A few lines for a person."""
        n = len(self.programs)
        lines = [
            f"{self.points} points x {self.chips} chips x {self.seeds} seeds "
            f"= {self.runs} runs, {self.width} per call, {self.devices} devices",
            f"mapped: {_sizes(self.mapped)}",
            f"structural: {_sizes(self.structural)}; {n} to compile",
        ]
        lines += [f"  {_line(p)}" for p in self.programs if p.structural or p.bytes]
        if self.done:
            lines.append(f"{self.done} runs are there already")
        if self.seconds is not None:
            lines.append(f"about {_time(self.seconds)}")
        return "\n".join(lines)


def plan(
    spec: Spec,
    *,
    store: Any = None,
    resources: Resources | None = None,
    measure: bool = False,
) -> Plan:
    """What `run` with the same arguments is going to do. Nothing is written.

    Args:
        spec: of the sweep; `specify` takes the same arguments as `sweep`.
        store: looked into for what is there.
        resources: as in `run`.
        measure: compile every program and time one call of each; else the first
            program is compiled, for its memory.

    Example:
        >>> from chipsweep import specify
        >>> def nothing(point, chip, key):
        ...     return {"x": point.noise}
        >>> plan(specify(nothing, {"noise": [0.0, 0.1]}, chips=3)).runs
        6
    """
    there = store is not None and Files.at(store).get("zarr.json") is not None
    files = Files.at(store, read_only=True) if there else Files.at(None)
    if there:
        read_manifest(files)
    made = prepared(spec, files, resources or Resources(), may_create=not there)
    computer, frame = made.computer, made.store.frame
    missing = made.store.missing()
    seconds, sizes = 0.0, {}
    for group in spec.groups if measure else spec.groups[:1]:
        if spec.outputs is not None or group.number in computer.errors:
            continue
        clock = time.perf_counter()
        program = computer.program(group)
        sizes[group.number] = memory.needed(program)
        seconds += time.perf_counter() - clock
        if measure:
            seconds += (
                _one_call(made, group)
                * len(missing)
                / computer.n_devices
                * (len(group.points) / spec.layout.size)
            )
    sizes_of = {a.name: len(a.values) or spec.layout.size for a in spec.axes}
    kinds = {a.name: a.structural for a in spec.axes}
    return Plan(
        mapped={n: s for n, s in sizes_of.items() if not kinds[n]},
        structural={n: s for n, s in sizes_of.items() if kinds[n]},
        points=spec.layout.size,
        chips=len(spec.chips),
        seeds=len(spec.seeds),
        programs=tuple(
            Program(
                structural={k: label(v) for k, v in g.structural.items()},
                points=len(g.points),
                runs=len(g.points) * spec.population,
                bytes=sizes.get(g.number),
            )
            for g in spec.groups
        ),
        width=frame.width,
        devices=computer.n_devices,
        done=spec.runs - sum(frame.size(int(n)) for n in missing),
        seconds=seconds if measure else None,
    )


def _one_call(made: Any, group: Any) -> float:
    """Seconds that one call of a program takes."""
    frame = made.store.frame
    number = next(
        n
        for n in range(frame.count)
        if frame.spec.group_of[frame.runs(n).point[0]] == group.number
    )
    clock = time.perf_counter()
    jax.block_until_ready(made.computer.start([number])[1][0][1])
    return time.perf_counter() - clock


def _line(program: Program) -> str:
    named = (
        ", ".join(f"{k} {v}" for k, v in program.structural.items()) or "one program"
    )
    size = (
        "" if program.bytes is None else f", {program.bytes / 2**20:.3g} MiB per call"
    )
    return f"{named}: {program.points} points, {program.runs} runs{size}"


def _sizes(sizes: dict[str, int]) -> str:
    return ", ".join(f"{name} ({n})" for name, n in sizes.items()) or "nothing"


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
