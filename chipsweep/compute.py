"""From the numbers of chunks to what is kept of them."""

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from chipsweep.devices import mapped
from chipsweep.frame import Frame, Runs
from chipsweep.outputs import DIVERGED, FAILED, OK, Output
from chipsweep.plain import plain_rows
from chipsweep.replicate import arguments, replicate
from chipsweep.spec import Group
from chipsweep.states import packing_of, states_of_chunk
from chipsweep.store import Chunk

__all__ = ["Computed", "Computer"]


class Computed(NamedTuple):
    """One chunk: what is kept, and all outputs for whoever looks on.

    Attributes:
        number: of the chunk.
        chunk: what is kept.
        outputs: all outputs of its runs.
    """

    number: int
    chunk: Chunk
    outputs: dict[str, np.ndarray]


class _Piece(NamedTuple):
    """The runs of one chunk that share a program."""

    number: int
    group: Group
    where: np.ndarray
    runs: Runs


class Computer:
    """Compiles the programs of a sweep and computes its chunks with them."""

    def __init__(
        self, frame: Frame, outputs: dict[str, Output], n_devices: int,
        errors: dict[int, str],
    ):  # fmt: skip
        """Prepare nothing: programs are compiled when they are first needed.

        Args:
            frame: where which run lies, and how wide a call is.
            outputs: of the sweep.
            n_devices: local devices; each computes a chunk of a call.
            errors: groups that cannot be computed, and why.
        """
        self.frame, self.outputs, self.n_devices = frame, outputs, n_devices
        self.errors, self._programs = errors, {}
        self.causes: dict[int, Exception] = {}
        self._packing = packing_of(frame.spec, frame, outputs)
        self._tried: tuple[list[int], Any] | None = None

    def compute(self, numbers: Sequence[int]) -> list[Computed]:
        """Some chunks, all devices at work."""
        return self.finish(self.start(numbers))

    def tried(self) -> float:
        """Seconds that the first call takes; `start` takes its results up."""
        numbers = list(range(min(self.n_devices, self.frame.count)))
        clock = time.perf_counter()
        self._tried = numbers, jax.block_until_ready(self.start(numbers))
        return time.perf_counter() - clock

    def start(self, numbers: Sequence[int]) -> Any:
        """Dispatch some chunks; the results are waited for in `finish`."""
        tried, self._tried = self._tried, None
        if tried is not None and tried[0] == list(numbers):
            return tried[1]
        pieces = [piece for n in numbers for piece in self._pieces(n)]
        by_group: dict[int, list[_Piece]] = {}
        for piece in pieces:
            by_group.setdefault(piece.group.number, []).append(piece)
        began = []
        for mine in by_group.values():
            for i in range(0, len(mine), self.n_devices):
                part = mine[i : i + self.n_devices]
                began.append((part, self._begin(part)))
        return numbers, began

    def finish(self, started: Any) -> list[Computed]:
        """Fetch the results and decide of every run what became of it."""
        numbers, began = started
        sizes = {n: len(self.frame.runs(n).point) for n in numbers}
        rows = {n: self._blank(size) for n, size in sizes.items()}
        reasons = {n: np.full(size, OK, np.int8) for n, size in sizes.items()}
        errors: dict[int, dict[int, str]] = {n: {} for n in numbers}
        for pieces, out in began:
            for piece, (values, wrong) in zip(
                pieces, self._fetched(pieces, out), strict=True
            ):
                for name, value in values.items():
                    inner = tuple(map(slice, value.shape[1:]))
                    rows[piece.number][name][(piece.where, *inner)] = value
                    odd = piece.where[self._diverged(name, value)]
                    reasons[piece.number][odd] = DIVERGED
                errors[piece.number] |= {int(piece.where[i]): e for i, e in wrong}
        return [self._judged(n, rows[n], reasons[n], errors[n]) for n in numbers]

    def _pieces(self, number: int) -> Iterator[_Piece]:
        spec, runs = self.frame.spec, self.frame.runs(number)
        member = spec.group_of[runs.point]
        for g in np.unique(member):
            where = np.flatnonzero(member == g)
            yield _Piece(number, spec.groups[g], where, runs.at(where))

    def _begin(self, pieces: list[_Piece]) -> Any:
        group, spec = pieces[0].group, self.frame.spec
        if group.number in self.errors:
            return self.errors[group.number]
        if spec.outputs is not None:
            return None  # computed when it is waited for: nothing runs beside it
        try:
            program = self.program(group)
        except Exception as e:
            self.causes[group.number] = e
            self.errors[group.number] = f"{type(e).__name__}: {e}"
            return self.errors[group.number]
        return program(*arguments(spec, self._filled([p.runs for p in pieces])))

    def program(self, group: Group) -> Any:
        """The compiled program of a group."""
        if group.number not in self._programs:
            first = self.frame.runs(0).at(np.zeros(self.frame.width, int))
            runs = Runs(np.full_like(first.point, group.points[0]), *first[1:])
            many = mapped(replicate(self.frame.spec, group), self.n_devices)
            example = arguments(self.frame.spec, self._filled([runs]))
            self._programs[group.number] = many.lower(*example).compile()
        return self._programs[group.number]

    def _filled(self, pieces: list[Runs]) -> Runs:
        """Copies of the last run fill up the call."""
        width, parts = self.frame.width, []
        for runs in [*pieces, *[pieces[-1]] * (self.n_devices - len(pieces))]:
            order = np.minimum(np.arange(width), len(runs.point) - 1)
            parts.append(runs.at(order))
        return Runs(*(np.concatenate(x) for x in zip(*parts, strict=True)))

    def _fetched(self, pieces, out) -> Iterator[tuple[dict[str, np.ndarray], Any]]:
        if isinstance(out, str):
            for piece in pieces:
                yield {}, [(i, out) for i in range(len(piece.where))]
            return
        if out is None:
            yield from (plain_rows(self.frame.spec, p.runs) for p in pieces)
            return
        values, width = jax.device_get(out), self.frame.width
        for i, piece in enumerate(pieces):
            n = len(piece.where)
            yield {k: v[i * width : i * width + n] for k, v in values.items()}, []

    def _blank(self, n: int) -> dict[str, np.ndarray]:
        return {
            name: np.full(
                (n, *one.shape),
                "" if one.dtype == "str" else np.nan,
                dtype=np.dtypes.StringDType() if one.dtype == "str" else one.dtype,
            )
            for name, one in self.outputs.items()
        }

    def _diverged(self, name: str, value: np.ndarray) -> np.ndarray:
        """Which runs are not finite everywhere, though they should be."""
        if value.dtype.kind not in "fc" or name in self.frame.spec.may_be_nan:
            return np.zeros(len(value), bool)
        return np.asarray(~np.isfinite(value).reshape(len(value), -1).all(1))

    def _judged(self, number, values, reason, errors: dict[int, str]) -> Computed:
        spec = self.frame.spec
        for position in errors:
            reason[position] = FAILED
        for value in values.values():
            if value.dtype.kind in "fc":
                value[reason != OK] = np.nan
        kept = {name: values[name] for name in spec.kept(self.outputs)}
        states = None
        if spec.reduce:
            states = states_of_chunk(
                self.frame, number, self._packing, values, reason == OK
            )
        told = sorted(errors.items())
        return Computed(number, Chunk(kept, states, reason, told), values)
