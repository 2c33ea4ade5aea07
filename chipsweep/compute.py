"""From the numbers of chunks to what is kept of them."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from chipsweep.frame import Frame, Runs
from chipsweep.outputs import DIVERGED, FAILED, OK, Chunk, Errors, Outputs
from chipsweep.plain import plain_rows
from chipsweep.replicate import arguments, replicate
from chipsweep.saves import Saves
from chipsweep.spec import Group
from chipsweep.stages import Call, Staged, stages_of, windowed
from chipsweep.states import Packing, states_of_chunk


class _Piece(NamedTuple):
    """The runs of one chunk that share a program, and what was saved of them."""

    number: int
    group: Group
    where: np.ndarray
    runs: Runs
    saved: bytes


class Computer:
    """Compiles the programs of a sweep and computes its chunks with them.

    Attributes:
        frame: where which run lies, and how wide a call is.
        outputs: of the sweep.
        n_devices: local devices; each computes a chunk of a call.
        errors: groups that cannot be computed, and why.
        saves: where calls are saved between their stages; None: nowhere.
    """

    def __init__(self, frame: Frame, outputs: Outputs, n_devices: int, errors: Errors):
        self.frame, self.outputs, self.n_devices = frame, outputs, n_devices
        self.errors, self._programs = errors, {}
        self._packing = Packing(frame.spec.reduce, outputs, frame.chunk)
        self._tried: Any = None
        self.saves: Saves | None = None

    def compute(self, numbers: Sequence[int]) -> list[Chunk]:
        """Some chunks, all devices at work."""
        return self.finish(self.start(numbers))

    def tried(self, numbers: Sequence[int]) -> float:
        """Seconds that these chunks take; `start` takes up the results."""
        clock = time.perf_counter()
        self._tried = jax.block_until_ready(self._begun(numbers))
        took = time.perf_counter() - clock
        return took + sum(call.tried() for call in _calls(self._tried))

    def start(self, numbers: Sequence[int]) -> Any:
        """Dispatch some chunks; the results are waited for in `finish`."""
        started, self._tried = self._tried, None
        if started is None or started[0] != list(numbers):
            started = self._begun(numbers)
        for call in _calls(started):
            call.begin(self.saves and self.saves.seconds)
        return started

    def _begun(self, numbers: Sequence[int]) -> Any:
        alike: dict[tuple[int, bytes], list[_Piece]] = {}  # at one stage of a program
        for piece in (piece for n in numbers for piece in self._pieces(n)):
            alike.setdefault((piece.group.number, piece.saved[:4]), []).append(piece)
        began = []
        for mine in alike.values():
            for i in range(0, len(mine), self.n_devices):
                part = mine[i : i + self.n_devices]
                began.append((part, self._begin(part)))
        return list(numbers), began

    def finish(self, started: Any) -> list[Chunk]:
        """Fetch the results and decide of every run what became of it."""
        numbers, began = started
        chunks = {n: self._blank(n) for n in numbers}
        for piece, values, wrong in self._fetched(began):
            chunk, sound = chunks[piece.number], np.delete(piece.where, list(wrong))
            for name, value in values.items():
                inner = tuple(map(slice, value.shape[1:]))
                chunk.outputs[name][(sound, *inner)] = value
                chunk.reason[sound[self._diverged(name, value)]] = DIVERGED
            for i, error in wrong.items():
                chunk.reason[piece.where[i]] = FAILED
                chunk.errors.append((int(piece.where[i]), told(error)))
        return [self._judged(chunk) for chunk in chunks.values()]

    def _pieces(self, number: int) -> Iterator[_Piece]:
        spec, runs = self.frame.spec, self.frame.runs(number)
        member = spec.group_of[runs.point]
        for g in np.unique(member):
            where = np.flatnonzero(member == g)
            group, saved = spec.groups[g], b""
            if self.saves is not None and isinstance(self._ready(group), Staged):
                saved = self.saves.load(number, g)
            yield _Piece(number, group, where, runs.at(where), saved)

    def _ready(self, group: Group) -> Any:
        """The program; None where there is none, or it cannot be had."""
        if group.number in self.errors or self.frame.spec.outputs is not None:
            return None  # plain Python is called in `finish`: nothing runs beside it
        try:
            return self.program(group)
        except Exception as e:
            self.errors[group.number] = e

    def _begin(self, pieces: list[_Piece]) -> Any:
        program = self._ready(pieces[0].group)
        if program is None:
            return None
        pieces = [*pieces, *[pieces[-1]] * (self.n_devices - len(pieces))]
        given = self._given([p.runs for p in pieces])
        if not isinstance(program, Staged):
            return program(*given)
        return Call(program, given, [p.saved for p in pieces])

    def program(self, group: Group) -> Any:
        """The compiled program of a group."""
        if group.number not in self._programs:
            first = self.frame.runs(0).at(np.zeros(self.frame.width, int))
            runs = Runs(np.full_like(first.point, group.points[0]), *first[1:])
            example = self._given([runs] * self.n_devices)
            each = PartitionSpec("run")  # every device has runs of its own
            run, specs = replicate(self.frame.spec, group), [each] * len(example)
            if stages := stages_of(run, self._many, example):
                run = windowed(run, stages)
                specs = [PartitionSpec(), each, *specs]
                example = np.zeros(2, np.int32), stages.state, *example
            many = jax.shard_map(
                self._many(run), in_specs=tuple(specs), out_specs=each, check_vma=False,
                mesh=Mesh(np.array(jax.local_devices()[: self.n_devices]), ("run",)),
            )  # fmt: skip
            made = jax.jit(many, donate_argnums=1 if stages else ()).lower(*example)
            made = made.compile()
            self._programs[group.number] = Staged(made, stages) if stages else made
        return self._programs[group.number]

    def _many(self, run: Callable) -> Callable:
        """The runs of one device; what they share is computed once."""
        alike = self.frame.alike
        axes = jax.tree.map(lambda alike: None if alike else 0, alike)

        def many(*given):
            extra, given = given[: -len(alike)], given[-len(alike) :]
            given = jax.tree.map(lambda x, alike: x[0] if alike else x, given, alike)
            return jax.vmap(run, (*(None, 0)[: len(extra)], *axes))(*extra, *given)

        return many

    def _given(self, pieces: list[Runs]) -> Any:
        """The arguments of a call: one per device where its runs share them."""
        width, every = self.frame.width, self._filled(pieces)
        return jax.tree.map(
            lambda x, alike: x[::width] if alike else x,
            arguments(self.frame.spec, every),
            self.frame.alike,
        )

    def _filled(self, pieces: list[Runs]) -> Runs:
        """Copies of the last run fill up the call, a piece for each device."""
        width, parts = self.frame.width, []
        for runs in pieces:
            order = np.minimum(np.arange(width), len(runs.point) - 1)
            parts.append(runs.at(order))
        return Runs(*(np.concatenate(x) for x in zip(*parts, strict=True)))

    def _fetched(self, began: Any) -> Iterator[tuple[_Piece, dict[str, Any], Errors]]:
        """Every piece, outputs of its runs that came out, and why others did not."""
        width = self.frame.width
        for pieces, out in began:
            call = out if isinstance(out, Call) else None
            values = jax.device_get(self._finished(pieces, call) if call else out)
            if call:
                call.arrived()
            for i, piece in enumerate(pieces):
                n, error = len(piece.where), self.errors.get(piece.group.number)
                if error is not None:
                    yield piece, {}, dict.fromkeys(range(n), error)
                elif out is None:
                    yield piece, *plain_rows(self.frame.spec, piece.runs)
                else:
                    mine = slice(i * width, i * width + n)
                    yield piece, {k: v[mine] for k, v in values.items()}, {}

    def _finished(self, pieces: list[_Piece], call: Call) -> Any:
        """The outputs of a call, saved whenever it is time."""
        saves, clock = self.saves, time.monotonic()
        while call.left:
            call.advance(saves and saves.seconds - (time.monotonic() - clock))
            if saves and call.left and time.monotonic() - clock >= saves.seconds:
                for i, piece in enumerate(pieces):
                    saves.save(piece.number, piece.group.number, call.saved(i))
                clock = time.monotonic()
        return call.outputs

    def _diverged(self, name: str, value: np.ndarray) -> np.ndarray:
        """Which runs are not finite everywhere, though they should be."""
        if value.dtype.kind not in "fc" or name in self.frame.spec.may_be_nan:
            return np.zeros(len(value), bool)
        sound = np.isfinite(value).all(tuple(range(1, value.ndim)))
        return np.logical_not(np.asarray(sound))

    def _blank(self, number: int) -> Chunk:
        n = self.frame.size([number])
        outputs = {name: one.blank(n) for name, one in self.outputs.items()}
        return Chunk(number, outputs, None, np.full(n, OK, np.int8), [])

    def _judged(self, chunk: Chunk) -> Chunk:
        sound = chunk.reason == OK
        for value in chunk.outputs.values():
            if value.dtype.kind in "fc":
                value[~sound] = np.nan
        chunk.errors.sort()
        if not self.frame.spec.reduce:
            return chunk
        return chunk._replace(states=states_of_chunk(self.frame, self._packing, chunk))


def _calls(started: Any) -> Iterator[Call]:
    return (out for _, out in started[1] if isinstance(out, Call))


def told(error: Exception) -> str:
    """What went wrong, as a store keeps it."""
    return f"{type(error).__name__}: {error}"
