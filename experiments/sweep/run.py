"""Do what is missing: group by group, chunk by chunk, and lay it all out."""

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import jax
import numpy as np
import xarray as xr

from experiments.catalogue import suggest
from experiments.store import StoreError
from experiments.sweep import processes
from experiments.sweep.assemble import assembled, failures
from experiments.sweep.kept import kept_of
from experiments.sweep.labels import differences
from experiments.sweep.lane import BadFunction, Facts, facts_of
from experiments.sweep.plan import Plan, planned
from experiments.sweep.point import NoSuchField
from experiments.sweep.program import Host, Mapped, Program
from experiments.sweep.shelf import Memory, Shelf, open_folder, read_folder
from experiments.sweep.study import Group, Study
from experiments.sweep.watch import News, Silent, Watch

__all__ = ["Resources", "plan_of", "program_of", "run"]

_log = logging.getLogger(__name__)
_BAD_INPUT = (NoSuchField, BadFunction, StoreError)


@dataclass(frozen=True, kw_only=True)
class Resources:
    """How a sweep is spread over memory, devices and processes.

    Nothing here changes a draw; `chunk` may change roundings.

    Attributes:
        chunk: lanes per device and call; measured when None.
        devices: local devices; all when None.
        budget: bytes per device; half of the free memory when None.
        patience: seconds without news from other processes after which their
            share is taken over.
    """

    chunk: int | None = None
    devices: int | None = None
    budget: int | None = None
    patience: float = 60.0

    def __post_init__(self):
        for name in ("chunk", "devices", "budget"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} = {value}: at least 1")


def run(
    study: Study,
    resources: Resources,
    store: str | Path | None = None,
    watch: Watch | None = None,
) -> xr.Dataset:
    """Compute what the store lacks and return everything. See `sweep`."""
    traced = {} if study.host else _checked(study)
    shelf = Memory() if store is None else open_folder(store, study.manifest)
    _require_chunk(study, shelf, resources.chunk)
    runner = _Runner(study, resources, shelf, watch or Silent(), traced)
    runner.share()
    runner.rest()
    dataset = assembled(study, shelf, study.manifest)
    _report(study, shelf, dataset, runner.cause)
    return dataset


def plan_of(
    study: Study, resources: Resources, store: str | Path | None, measure: bool
) -> Plan:
    """The plan: with the first program compiled, or with all of them timed."""
    traced = {} if study.host else _checked(study)
    shelf: Shelf = Memory()
    if store is not None and (Path(store) / "sweep.json").exists():
        shelf = read_folder(store)[0]
    runner = _Runner(study, resources, shelf, Silent(), traced, dry=True)
    for group in study.groups[: None if measure else 1]:
        runner.look_at(group, measure)
    return runner.plan


def program_of(
    study: Study,
    group: Group,
    resources: Resources,
    shelf: Shelf,
    *,
    traced: Facts | None = None,
    n_processes: int = 1,
    dry: bool = False,
) -> Program:
    """What computes the chunks of a group: as decided before, if it was.

    Raises:
        StoreError: if the store's chunks come from another program.
    """
    known = shelf.known_group(group.number)

    def decide(proposed):
        facts = dict(proposed) if dry else shelf.group(group.number, proposed)
        names = ("outputs", "program")
        wrong = differences(
            {k: facts[k] for k in names}, {k: proposed[k] for k in names}
        )
        if wrong:
            raise StoreError(
                "the stored chunks were computed by another program:\n  "
                + "\n  ".join(wrong)
            )
        return facts

    if study.host:
        return Host(study, group, resources.chunk, decide, known)
    return Mapped.prepare(
        study,
        group,
        chunk=resources.chunk,
        n_devices=resources.devices,
        n_processes=n_processes,
        budget=resources.budget,
        decide=decide,
        known=known,
        traced=traced,
    )


class _Runner:
    """One process at work on a sweep."""

    def __init__(
        self,
        study: Study,
        resources: Resources,
        shelf: Shelf,
        watch: Watch,
        traced: dict[int, Facts],
        dry: bool = False,
    ):
        self.study, self.resources, self.shelf = study, resources, shelf
        self.watch, self.traced, self.dry = watch, traced, dry
        self.index, self.count = processes.me()
        devices = 1 if study.host else resources.devices or len(jax.local_devices())
        self.plan = planned(study, devices, self.count)
        self.total = sum(map(study.lanes, study.groups))
        self.done = 0
        self.computed, self.seconds = 0, 0.0
        self.told = False
        self.cause: Exception | None = None

    def share(self) -> None:
        """Compute this process's share of every group."""
        for group in self.study.groups:
            missing = self.missing(group)
            if missing is not None and not missing:
                self.done += self.study.lanes(group)
                continue
            self._attempt(group, self.index, self.count)

    def rest(self) -> None:
        """Wait for the other processes; compute what they do not."""
        if self.count == 1:
            return
        patience = self.resources.patience
        if not processes.wait(
            lambda: sum(map(self._lacks, self.study.groups)), patience
        ):
            for group in self.study.groups:
                if self._lacks(group):
                    _log.warning("no news for %g s: computing the rest", patience)
                    self._attempt(group, 0, 1)

    def missing(self, group: Group) -> list[int] | None:
        """Chunks that are not there; None if their size is not yet decided."""
        facts = self.shelf.known_group(group.number)
        if facts is None:
            return None
        n = -(-self.study.lanes(group) // facts["chunk"])
        return sorted(set(range(n)) - self.shelf.done(group.number))

    def look_at(self, group: Group, measure: bool) -> None:
        """Put what is known of a group's program into the plan."""
        program = self._prepared(group)
        self._show(group, program)
        if measure:
            lanes = _lanes(self.study, group, program.chunk, 0)
            program.finish(program.start([lanes]))
            start = time.perf_counter()
            program.finish(program.start([lanes]))
            took = time.perf_counter() - start
            calls = -(-self.study.lanes(group) // (program.chunk * program.at_once))
            self.plan = self.plan.timed((self.plan.seconds or 0.0) + calls * took)

    def _lacks(self, group: Group) -> int:
        if self.shelf.failure(group.number) is not None:
            return 0
        return len(self.missing(group) or [])

    def _attempt(self, group: Group, index: int, count: int) -> None:
        """Compute a share of a group; if that cannot be done, note why."""
        try:
            program = self._prepared(group)
            self.shelf.fail(group.number, None)
            self._compute(group, program, index, count)
        except _BAD_INPUT:
            raise
        except Exception as e:
            _log.info("a group failed", exc_info=True)
            self.cause = self.cause or e
            text = f"{type(e).__name__}: {e}"
            self.shelf.fail(group.number, text[:2000])

    def _prepared(self, group: Group) -> Program:
        return program_of(
            self.study,
            group,
            self.resources,
            self.shelf,
            traced=self.traced.get(group.number),
            n_processes=self.count,
            dry=self.dry,
        )

    def _compute(self, group: Group, program: Program, index: int, count: int) -> None:
        """While a call is computed, the one before it is fetched and kept."""
        self._show(group, program)
        n = -(-self.study.lanes(group) // program.chunk)
        there = self.shelf.done(group.number)
        mine = [c for c in range(n) if c % count == index and c not in there]
        size = len(_lanes(self.study, group, program.chunk, n - 1))
        self.done += len(there) * program.chunk - (program.chunk - size) * (
            n - 1 in there
        )
        waiting, clock = None, time.perf_counter()
        for call in _batches(mine, program.at_once):
            lanes = [_lanes(self.study, group, program.chunk, c) for c in call]
            started = program.start(lanes)
            if waiting is not None:
                clock = self._keep(group, program, *waiting, clock)
            waiting = (call, lanes, started)
        if waiting is not None:
            self._keep(group, program, *waiting, clock)

    def _keep(self, group, program, call, lanes, started, clock: float) -> float:
        """Fetch, reduce, store, tell."""
        results = program.finish(started)
        for number, mine, (outputs, errors) in zip(call, lanes, results, strict=True):
            record = kept_of(self.study, group, mine, outputs, errors)
            self.shelf.put(group.number, number, record)
            self.done += len(mine)
            self.computed += len(mine)
        now = time.perf_counter()
        self.seconds += now - clock
        rate = self.computed / self.seconds if self.seconds else 0.0
        for mine, (outputs, _) in zip(lanes, results, strict=True):
            told = News(self.study, group, mine, outputs, self.done, self.total, rate)
            self.watch.news(told)
        if not self.told:
            self.told = True
            left = (self.total - self.done) / rate if rate else float("nan")
            self.watch.plan(self.plan.timed(left))
        return now

    def _show(self, group: Group, program: Program) -> None:
        """Complete the plan by what compiling has told; show it the first time."""
        known = replace(
            self.plan.groups[group.number],
            chunk=program.chunk,
            bytes=getattr(program, "bytes", None),
            done=len(self.shelf.done(group.number)),
        )
        groups = list(self.plan.groups)
        groups[group.number] = known
        self.plan = replace(self.plan, groups=tuple(groups))
        if not self.told:
            self.watch.plan(self.plan)


def _checked(study: Study) -> dict[int, Facts]:
    """Trace until every axis has been seen to matter; what was learned on the way.

    Raises:
        ValueError: on an axis or output that does not exist.
    """
    traced, wanted = {}, {a.name for a in study.axes}
    failed = 0
    for group in study.groups:
        try:
            traced[group.number] = facts_of(study, group)
        except _BAD_INPUT:
            raise
        except Exception:
            failed += 1  # the run itself says why
            continue
        if wanted <= study.read:
            break
    if traced and not failed:
        _require_read(study, wanted)
    for facts in traced.values():
        _require_outputs(study, facts.outputs)
    return traced


def _require_read(study: Study, wanted: Iterable[str]) -> None:
    for name in sorted(set(wanted) - study.read):
        hint = suggest(name, sorted(study.read - {"seed"}))
        raise ValueError(f"the function never reads the axis {name!r}{hint}")


def _require_outputs(study: Study, outputs) -> None:
    for kind in ("reduce", "keep", "dims", "may_be_nan"):
        for name in getattr(study, kind) or ():
            if name not in outputs:
                hint = suggest(name, sorted(outputs))
                raise ValueError(f"{kind}: no output {name!r}{hint}")
    for name, (dtype, shape) in outputs.items():
        if name in study.dims and len(study.dims[name]) != len(shape):
            raise ValueError(
                f"dims: {name!r} has {len(shape)} dimensions, got {study.dims[name]}"
            )
        for reduction in study.reduce.get(name, ()):
            reduction.init(tuple(shape), np.dtype(dtype))


def _require_chunk(study: Study, shelf: Shelf, chunk: int | None) -> None:
    for group in study.groups:
        stored = (shelf.known_group(group.number) or {}).get("chunk", chunk)
        if chunk not in (None, stored):
            raise StoreError(
                f"chunk: stored {stored}, asked for {chunk}; "
                "leave it out to continue with the stored one"
            )


def _report(
    study: Study, shelf: Shelf, dataset: xr.Dataset, cause: Exception | None
) -> None:
    """Say what failed and how to replay it; raise if that is everything."""
    errors = {g.number: shelf.failure(g.number) for g in study.groups}
    if all(error is not None for error in errors.values()):
        raise RuntimeError(f"no point can be computed: {errors[0]}") from cause
    for failure in failures(dataset):
        _log.warning(
            "failed at %s: %s\n  again: %s",
            failure["point"],
            failure["error"],
            failure["replay"],
        )


def _lanes(study: Study, group: Group, chunk: int, number: int) -> np.ndarray:
    start = number * chunk
    return np.arange(start, min(start + chunk, study.lanes(group)))


def _batches(items: Sequence[int], size: int) -> Iterable[Sequence[int]]:
    return (items[i : i + size] for i in range(0, len(items), size))
