"""Where finished chunks lie: what a shelf does, and one in memory."""

from collections.abc import Mapping
from typing import Any, Protocol

from experiments.sweep.record import Record

__all__ = ["Memory", "Shelf"]


class Shelf(Protocol):
    """Chunks by (group, number), and what was decided about each group.

    Attributes:
        shared: whether other processes may use it too.
    """

    shared: bool

    def group(self, group: int, proposed: Mapping[str, Any]) -> dict[str, Any]:
        """What was decided first about a group: the proposal, if it is new."""
        ...

    def known_group(self, group: int) -> dict[str, Any] | None:
        """What was decided about a group, if anything."""
        ...

    def fail(self, group: int, error: str | None) -> None:
        """Note that a group cannot be computed; or, with None, that it can."""
        ...

    def failure(self, group: int) -> str | None:
        """Why a group cannot be computed, if so."""
        ...

    def done(self, group: int) -> set[int]:
        """The chunks that are there."""
        ...

    def has(self, group: int, chunk: int) -> bool:
        """Whether a chunk is there."""
        ...

    def put(self, group: int, chunk: int, record: Record) -> None:
        """Keep a chunk: when this returns, it is there for good."""
        ...

    def get(self, group: int, chunk: int) -> Record:
        """A chunk that is there."""
        ...


class Memory:
    """Keeps chunks as long as the process lives."""

    shared = False

    def __init__(self):
        """Start empty."""
        self._groups: dict[int, dict[str, Any]] = {}
        self._failures: dict[int, str] = {}
        self._chunks: dict[int, dict[int, Record]] = {}

    def group(self, group, proposed):
        """The proposal, unless there is one already."""
        return self._groups.setdefault(group, dict(proposed))

    def known_group(self, group):
        """What was decided."""
        return self._groups.get(group)

    def fail(self, group, error):
        """Note or forget a failure."""
        self._failures.pop(group, None)
        if error is not None:
            self._failures[group] = error

    def failure(self, group):
        """The error, or None."""
        return self._failures.get(group)

    def done(self, group):
        """Numbers of the chunks."""
        return set(self._chunks.get(group, {}))

    def has(self, group, chunk):
        """Whether the chunk is there."""
        return chunk in self._chunks.get(group, {})

    def put(self, group, chunk, record):
        """Keep a chunk."""
        self._chunks.setdefault(group, {})[chunk] = record

    def get(self, group, chunk):
        """A chunk."""
        return self._chunks[group][chunk]
