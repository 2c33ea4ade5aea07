"""What a sweep is going to do, before it does it."""

import datetime
import time
from dataclasses import dataclass
from typing import Any

from chipsweep import memory
from chipsweep.axes import label
from chipsweep.files import Files
from chipsweep.preparing import Resources, prepared
from chipsweep.spec import Spec


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

    def __str__(self) -> str:
        named = ", ".join(f"{k} {v}" for k, v in self.structural.items())
        line = f"{named or 'one program'}: {self.points} points, {self.runs} runs"
        if self.bytes is None:
            return line
        return f"{line}, {self.bytes / 2**20:.3g} MiB per call"


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
        """Points x chips x seeds."""
        return sum(p.runs for p in self.programs)

    def __str__(self) -> str:
        lines = [
            f"{self.points} points x {self.chips} chips x {self.seeds} seeds "
            f"= {self.runs} runs, {self.width} per call, {self.devices} devices",
            f"mapped: {_sizes(self.mapped)}",
            f"structural: {_sizes(self.structural)}; {len(self.programs)} to compile",
        ]
        lines += [f"  {p}" for p in self.programs if p.structural or p.bytes]
        if self.done:
            lines.append(f"{self.done} runs are there already")
        if self.seconds is not None:
            left = datetime.timedelta(seconds=round(self.seconds))
            lines.append(f"about {left} left")
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
        >>> spec = specify(lambda p, c, k: {"x": p.noise}, {"noise": [0.0, 0.1]})
        >>> plan(spec).runs
        2
    """
    files = Files.at(store, read_only=True)
    if files.get("zarr.json") is None:
        files = Files.at(None)
    kept, computer = prepared(spec, files, resources or Resources())
    missing, frame = kept.missing(), computer.frame
    seconds, sizes = 0.0, {}
    for group in spec.groups if measure else spec.groups[:1]:
        if spec.outputs is not None or group.number in computer.errors:
            continue
        clock = time.perf_counter()
        sizes[group.number] = memory.needed(computer.program(group))
        seconds += time.perf_counter() - clock
        if measure:
            calls = len(missing) / computer.n_devices
            calls *= len(group.points) / spec.layout.size
            number, _ = frame.locate(int(group.points[0]), 0, 0)
            seconds += calls * computer.tried([number])
    axes = {a.name: len(a.values) or spec.layout.size for a in spec.axes}
    mapped = {a.name: axes.pop(a.name) for a in spec.traced}
    return Plan(
        mapped=mapped,
        structural=axes,
        points=spec.layout.size,
        chips=len(spec.chips),
        seeds=len(spec.seeds),
        programs=tuple(
            Program(
                structural={k: label(v) for k, v in g.structural.items()},
                points=len(g.points),
                runs=len(g.points) * len(spec.chips) * len(spec.seeds),
                bytes=sizes.get(g.number),
            )
            for g in spec.groups
        ),
        width=frame.width,
        devices=computer.n_devices,
        done=spec.runs - frame.size(missing),
        seconds=seconds if measure else None,
    )


def _sizes(sizes: dict[str, int]) -> str:
    return ", ".join(f"{name} ({n})" for name, n in sizes.items()) or "nothing"
