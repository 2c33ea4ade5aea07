"""Calls saved between their stages, beside the chunks of a store."""

import hashlib
import logging
from collections.abc import Iterable
from typing import NamedTuple

from chipsweep.files import Files

_log = logging.getLogger(__name__)
_N = hashlib.sha256().digest_size


class Saves(NamedTuple):
    """`stages/CHUNK.GROUP`: a seal, then the bytes of the state.

    Attributes:
        files: of the store.
        sweep: digest of all that decides the numbers.
        seconds: between two saves, at least.
    """

    files: Files
    sweep: str
    seconds: float

    def save(self, chunk: int, group: int, state: bytes) -> None:
        """Save a part of a chunk; if that fails, the computation goes on."""
        name = f"stages/{chunk}.{group}"
        try:
            self.files.put(name, self._seal(name, state) + state)
        except OSError as e:
            _log.warning("%s/%s could not be saved: %s", self.files, name, e)

    def load(self, chunk: int, group: int) -> bytes:
        """The state; nothing if it is not there, damaged, or of another program."""
        name = f"stages/{chunk}.{group}"
        found = self.files.get(name) or b""
        state = found[_N:]
        return state if found[:_N] == self._seal(name, state) else b""

    def _seal(self, name: str, state: bytes) -> bytes:
        return hashlib.sha256(f"{self.sweep} {name} ".encode() + state).digest()


def forget(files: Files, chunks: Iterable[int]) -> None:
    """Remove what is saved of chunks that are there."""
    done = {str(chunk) for chunk in chunks}
    for name in files.names("stages"):
        if name.partition(".")[0] in done:
            files.delete(f"stages/{name}")
