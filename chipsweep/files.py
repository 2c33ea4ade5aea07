"""The few things of zarr's inside that a sweep's store needs, in one place.

Keys and bytes: create only if absent, list, delete; and `fsync`, which zarr's own
local store leaves out.
"""

import os
import warnings
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import zarr
from zarr.abc.store import Store
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync
from zarr.storage import FsspecStore, LocalStore, MemoryStore


class Files:
    """A store of zarr as keys and bytes."""

    def __init__(self, store: Store):
        self.store = store
        self._arrays: dict[str, Any] = {}

    @classmethod
    def at(cls, where: Any, *, read_only: bool = False) -> "Files":
        """Of a path, an address ("s3://..."), or a store of zarr; None: in memory."""
        if where is None:
            return cls(MemoryStore())
        if isinstance(where, Store):
            return cls(where)
        text = str(where)
        if "://" in text:
            try:
                return cls(FsspecStore.from_url(text, read_only=read_only))
            except ImportError as e:  # of s3fs, gcsfs
                raise ValueError(f"store {text!r} needs a package: {e}") from e
        return cls(_Folder(Path(text).absolute(), read_only=read_only))

    def __str__(self) -> str:
        return str(self.root or self.store)

    @property
    def root(self) -> Path | None:
        """The folder, if there is one."""
        return Path(self.store.root) if isinstance(self.store, LocalStore) else None

    @property
    def _absent(self) -> bool:
        """Whether there is no folder yet: zarr would make one by looking."""
        return self.root is not None and not self.root.exists()

    def get(self, key: str) -> bytes | None:
        """The bytes of a key; None if there is none."""
        if self._absent:
            return None
        found = sync(self.store.get(key, default_buffer_prototype()))
        return None if found is None else found.to_bytes()

    def put(self, key: str, content: bytes) -> None:
        """Write a key, whole or not at all, and wait until it is on the disk."""
        sync(self.store.set(key, _buffer(content)))
        self.flush([key])

    def create(self, key: str, content: bytes) -> bool:
        """Write a key unless it is there already; whether the bytes are now ours."""
        sync(self.store.set_if_not_exists(key, _buffer(content)))
        self.flush([key])
        return self.get(key) == content

    def delete(self, key: str) -> None:
        """Remove a key, if it is there."""
        sync(self.store.delete(key))

    def names(self, prefix: str = "") -> list[str]:
        """Keys and branches directly below a branch."""
        return [] if self._absent else sync(_listed(self.store.list_dir(prefix)))

    def flush(self, keys: list[str]) -> None:
        """Wait until these keys are on the disk, if that is where they are."""
        if self.root is None:
            return
        paths = [self.root / key for key in keys]
        for path in [*paths, *{path.parent for path in paths}]:
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    def sweep_up(self) -> None:
        """Remove what writers that were killed left half written."""
        if self.root is not None:
            for litter in self.root.rglob("*.partial"):
                litter.unlink(missing_ok=True)

    def array(self, name: str) -> Any:
        """The array of a name, opened once."""
        if name not in self._arrays:
            mode = "r" if self.store.read_only else "r+"
            array = zarr.open_array(self.store, path=name, mode=mode)
            # a chunk of nothing but zeros is a chunk: else a lost one looks like it
            self._arrays[name] = array.with_config({"write_empty_chunks": True})
        return self._arrays[name]


class _Folder(LocalStore):
    """A local store that reads a whole key at once, in no thread.

    A store holds a small file for every call: handing each to a thread takes ten
    times as long as reading it.
    """

    async def get(self, key, prototype=None, byte_range=None):
        if byte_range is not None:
            return await super().get(key, prototype, byte_range)
        try:
            content = (self.root / key).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        kind = prototype or default_buffer_prototype()
        return kind.buffer.from_bytes(content)


def skeleton(build: Callable[[zarr.Group], None]) -> dict[str, bytes]:
    """All keys of a group that `build` makes, with its metadata consolidated."""
    made = MemoryStore()
    build(zarr.create_group(made))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zarr 3 readers agree on it, its text not yet
        zarr.consolidate_metadata(made)
    return {key: Files(made).get(key) or b"" for key in sync(_listed(made.list()))}


def _buffer(content: bytes) -> Any:
    return default_buffer_prototype().buffer.from_bytes(content)


async def _listed(names: AsyncIterator[str]) -> list[str]:
    return sorted([name async for name in names])
