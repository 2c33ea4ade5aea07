"""One process at work on a sweep: group by group, chunk by chunk."""

import logging
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import jax

from experiments.sweep import processes
from experiments.sweep.checks import BAD_INPUT
from experiments.sweep.kept import kept_of
from experiments.sweep.lane import Facts
from experiments.sweep.plan import planned
from experiments.sweep.processes import Place
from experiments.sweep.program import Program, program_of
from experiments.sweep.resources import Resources
from experiments.sweep.shelf import Shelf
from experiments.sweep.study import Group, Study
from experiments.sweep.watch import News, Watch

__all__ = ["Worker"]

_log = logging.getLogger(__name__)


class Worker:
    """Computes its share of the chunks, then what others leave undone."""

    def __init__(
        self,
        study: Study,
        resources: Resources,
        shelf: Shelf,
        watch: Watch,
        traced: dict[int, Facts],
        dry: bool = False,
    ):
        """Nothing is computed yet; `dry`: nothing is written either."""
        self.study, self.resources, self.shelf = study, resources, shelf
        self.watch, self.traced, self.dry = watch, traced, dry
        self.place = resources.place if shelf.shared else Place()
        devices = 1 if study.host else resources.devices or len(jax.local_devices())
        self.plan = planned(study, devices, self.place.count)
        self.total = sum(map(study.lanes, study.groups))
        self.cause: Exception | None = None
        self._programs: dict[int, Program] = {}
        self._started: set[tuple[int, int]] = set()
        self._dice = random.Random(self.place.index)
        self._done = self._before = self._lanes_done()
        self._seconds, self._told, self._shown = 0.0, False, None

    def share(self) -> None:
        """Compute this process's share of every group."""
        for group in self.study.groups:
            if self.shelf.known_group(group.number) is None or self._undone(group):
                self._attempt(group, self._own)
            if self.place.count == 1:
                self._programs.clear()

    def rest(self) -> None:
        """Compute what the other processes have not done: they may be slow, or gone."""
        for group in self.study.groups:
            if self._missing(group):
                self._attempt(group, self._left)

    def look_at(self, group: Group, measure: bool) -> None:
        """Put what is known of a group's program into the plan."""
        program = self._program(group)
        self._show(group, program)
        if measure:
            lanes = self.study.chunk(group, program.chunk, 0)
            program.finish(program.start([lanes]))
            start = time.perf_counter()
            program.finish(program.start([lanes]))
            took = time.perf_counter() - start
            calls = -(-self.study.lanes(group) // (program.chunk * program.at_once))
            self.plan = self.plan.timed((self.plan.seconds or 0.0) + calls * took)

    def _missing(self, group: Group) -> list[int]:
        """Chunks that somebody must still do: none of a group that fails."""
        failure = self.shelf.failure(group.number)
        return [] if failure is not None else self._undone(group)

    def _undone(self, group: Group) -> list[int]:
        """Chunks that are not in the store, nor begun by this process."""
        facts = self.shelf.known_group(group.number)
        if facts is None:
            return []
        there = self.shelf.done(group.number)
        there |= {c for g, c in self._started if g == group.number}
        return [c for c in range(self._chunks(group, facts["chunk"])) if c not in there]

    def _chunks(self, group: Group, chunk: int) -> int:
        return -(-self.study.lanes(group) // chunk)

    def _own(self, group: Group, program: Program) -> Iterator[Sequence[int]]:
        """This process's share, in order, without what somebody has done by then."""
        index, count = self.place.index, self.place.count
        batch: list[int] = []
        for number in range(index, self._chunks(group, program.chunk), count):
            if not self.shelf.has(group.number, number):
                batch.append(number)
            if len(batch) == program.at_once:
                yield batch
                batch = []
        if batch:
            yield batch

    def _left(self, group: Group, program: Program) -> Iterator[Sequence[int]]:
        """What is left, in random order, so that processes seldom choose the same.

        As long as all of it may be in the hands of others, they are given time.
        """
        others = (self.place.count - 1) * program.at_once
        while left := self._missing(group):
            if self._all_missing() <= others and self._waited():
                continue
            yield self._dice.sample(left, min(len(left), program.at_once))

    def _waited(self) -> bool:
        """Whether something came from the others."""
        came = processes.changes(self._all_missing, self.resources.patience)
        if not came:
            waited = self.resources.patience
            _log.warning("nothing came for %g s: computing what is missing", waited)
        return came

    def _all_missing(self) -> int:
        return sum(len(self._missing(group)) for group in self.study.groups)

    def _attempt(self, group: Group, batches) -> None:
        """Compute chunks of a group; if that cannot be done, note why."""
        try:
            program = self._program(group)
            self.shelf.fail(group.number, None)
            self._compute(group, program, batches(group, program))
        except BAD_INPUT:
            raise
        except Exception as e:
            _log.info("a group failed", exc_info=True)
            self.cause = self.cause or e
            text = f"{type(e).__name__}: {e}"
            self.shelf.fail(group.number, text[:2000])

    def _program(self, group: Group) -> Program:
        if group.number not in self._programs:
            self._programs[group.number] = program_of(
                self.study,
                group,
                self.resources,
                self.shelf,
                traced=self.traced.get(group.number),
                place=self.place,
                show=lambda program: self._show(group, program),
                dry=self.dry,
            )
        return self._programs[group.number]

    def _compute(self, group: Group, program: Program, batches) -> None:
        """While a call is computed, the one before it is fetched and kept."""
        self._show(group, program)
        waiting, clock = None, time.perf_counter() - program.spent
        program.spent = 0.0
        for call in batches:
            lanes = [self.study.chunk(group, program.chunk, c) for c in call]
            self._started |= {(group.number, c) for c in call}
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
        now = time.perf_counter()
        self._seconds += now - clock
        alone = self.place.count == 1
        self._done = self._done + sum(map(len, lanes)) if alone else self._lanes_done()
        rate = (self._done - self._before) / self._seconds if self._seconds else 0.0
        for mine, (outputs, _) in zip(lanes, results, strict=True):
            told = News(self.study, group, mine, outputs, self._done, self.total, rate)
            self.watch.news(told)
        if not self._told:
            self._told = True
            left = (self.total - self._done) / rate if rate else float("nan")
            self.watch.plan(self.plan.timed(left))
        return now

    def _lanes_done(self) -> int:
        """Lanes in the store, of all processes."""
        found = 0
        for group in self.study.groups:
            facts = self.shelf.known_group(group.number)
            if facts is not None:
                for number in self.shelf.done(group.number):
                    found += len(self.study.chunk(group, facts["chunk"], number))
        return found

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
        if not self._told and self.plan != self._shown:
            self._shown = self.plan
            self.watch.plan(self.plan)
