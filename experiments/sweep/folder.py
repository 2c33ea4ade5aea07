"""A shelf that survives everything: a folder with a file per chunk."""

import errno
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.store import (
    StoreError,
    read_file,
    require_writable,
    write_atomically,
)
from experiments.sweep.labels import differences
from experiments.sweep.record import RecordError, decode, encode

__all__ = ["FORMAT", "Folder", "open_folder", "read_folder", "read_manifest"]

_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)
"""What a file system says that has no hard links."""
FORMAT = "eapu-jax sweep 2"
_GROUP: dict[str, type] = {"chunk": int, "outputs": dict, "program": str}
_STALE = 600.0  # s; a temporary file as old as this has no writer any more


class Folder:
    """Keeps every chunk as a file: whole or not there, with a digest.

    Several processes may write into one folder: a chunk is the same whoever
    computes it, and the first decision about a group is everybody's.
    """

    shared = True

    def __init__(self, path: Path):
        """Use `open_folder` or `read_folder`."""
        self.path = path

    def group(self, group, proposed):
        """The proposal, unless another was here first."""
        path = self._group_path(group)
        _write_first(path, _text(proposed))
        return _read_group(path)

    def known_group(self, group):
        """What was decided."""
        path = self._group_path(group)
        return _read_group(path) if path.exists() else None

    def fail(self, group, error):
        """Note or forget a failure."""
        path = self.path / f"group-{group:04}.failed.json"
        if error is None:
            path.unlink(missing_ok=True)
        else:
            write_atomically(path, _text({"error": error}))

    def failure(self, group):
        """The error, or None."""
        path = self.path / f"group-{group:04}.failed.json"
        return _read_json(path)["error"] if path.exists() else None

    def done(self, group):
        """Numbers of the chunk files."""
        return {int(p.stem) for p in self._chunks(group).glob("[0-9]*.chunk")}

    def has(self, group, chunk):
        """Whether the file is there."""
        return self._chunk(group, chunk).exists()

    def put(self, group, chunk, record):
        """Write the file under another name, flush it to the disk, rename it."""
        write_atomically(self._chunk(group, chunk), encode(record))

    def get(self, group, chunk):
        """Read a chunk and hold it against its digest."""
        path = self._chunk(group, chunk)
        try:
            return decode(read_file(path))
        except (RecordError, OSError) as e:
            raise StoreError(
                f"{path} is damaged: {e}. Delete it and give the same command again: "
                "this chunk alone is computed anew"
            ) from e

    def _group_path(self, group: int) -> Path:
        return self.path / f"group-{group:04}.json"

    def _chunks(self, group: int) -> Path:
        return self.path / f"chunks-{group:04}"

    def _chunk(self, group: int, chunk: int) -> Path:
        return self._chunks(group) / f"{chunk:08}.chunk"


def open_folder(path: str | Path, manifest: Mapping[str, Any]) -> Folder:
    """A folder for a sweep: new, or that of the very same sweep.

    Raises:
        StoreError: if it cannot be written, holds something else, or another
            sweep; then the message shows the difference.
    """
    path = require_writable(path)
    mine = json.loads(json.dumps(manifest))
    foreign = [p.name for p in path.iterdir() if p.name != "sweep.json"]
    if foreign and not (path / "sweep.json").exists() and not _all_temporary(foreign):
        raise StoreError(
            f"{path} holds {sorted(foreign)[0]} and no sweep: choose an empty folder"
        )
    _write_first(path / "sweep.json", _text({**mine, "digest": _digest(mine)}))
    found = differences(read_manifest(path), mine)
    if found:
        lines = "\n  ".join(found)
        raise StoreError(
            f"{path} is the store of another sweep:\n  {lines}\n"
            "It is left as it is: choose another folder, or remove this one"
        )
    _sweep_up(path)
    return Folder(path)


def read_folder(path: str | Path) -> tuple[Folder, dict[str, Any]]:
    """The folder of a sweep, to read from, and its manifest.

    Raises:
        FileNotFoundError: if it is none.
        StoreError: if it is damaged, or of another version of the format.
    """
    path = Path(path)
    manifest = read_manifest(path)
    if manifest["format"] != FORMAT:
        raise StoreError(
            f"{path} is of format {manifest['format']!r}, this code reads {FORMAT!r}"
        )
    return Folder(path), manifest


def read_manifest(path: Path) -> dict[str, Any]:
    """What sweep a folder belongs to.

    Raises:
        FileNotFoundError: if it is none.
        StoreError: if the manifest is damaged, or was changed by hand.
    """
    if not (path / "sweep.json").exists():
        raise FileNotFoundError(f"no sweep in {path}: there is no sweep.json")
    manifest = _read_json(path / "sweep.json")
    if not str(manifest.get("format")).startswith("eapu-jax sweep"):
        raise StoreError(f"{path / 'sweep.json'} is not that of a sweep of ours")
    digest = manifest.pop("digest", None)
    if manifest["format"] == FORMAT and digest != _digest(manifest):
        raise StoreError(
            f"{path / 'sweep.json'} is damaged: its digest does not match. "
            "It is left as it is: choose another folder"
        )
    return manifest


def _read_group(path: Path) -> dict[str, Any]:
    """What was decided about a group."""
    facts = _read_json(path)
    kinds = {name: type(facts.get(name)) for name in _GROUP}
    if kinds != _GROUP or facts["chunk"] < 1:
        raise StoreError(f"{path} is damaged: it does not describe a group")
    return facts


def _digest(manifest: Mapping[str, Any]) -> str:
    """Of names and values in their order: the order of the axes is part of it."""
    return hashlib.sha256(json.dumps(manifest).encode()).hexdigest()


def _text(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, indent=1).encode()


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_file(path))
    except (ValueError, OSError) as e:
        raise StoreError(f"{path} is damaged ({e}): it is left as it is") from e
    if not isinstance(content, dict):
        raise StoreError(f"{path} is not part of a sweep")
    return content


def _write_first(path: Path, content: bytes) -> None:
    """Put `content` at `path`, whole, unless something is there already."""
    if path.exists():
        return
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.link(name, path)
        finally:
            Path(name).unlink(missing_ok=True)
    except FileExistsError:
        return
    except OSError as e:
        if e.errno in _NO_LINKS:
            return write_atomically(path, content)
        raise StoreError(f"cannot write {path}: {e.strerror or e}") from e


def _all_temporary(names: list[str]) -> bool:
    return all(name.startswith(".sweep.json.") for name in names)


def _sweep_up(path: Path) -> None:
    """Remove what killed writers left behind."""
    for left in path.glob("**/.*.chunk.*"):
        try:
            if time.time() - left.stat().st_mtime > _STALE:
                left.unlink()
        except OSError:  # its writer was alive after all
            continue
