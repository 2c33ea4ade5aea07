"""Datasets and files: what is written is whole, what is read is sound.

A file appears under its name only when all of it is on the disk (written beside
it, flushed, renamed), so an interruption leaves either the old file or the new.
Each result carries a digest of its content; reading compares it.
"""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

__all__ = [
    "StoreError",
    "load",
    "read_file",
    "require_file",
    "require_writable",
    "save",
    "user_cache",
    "write_atomically",
]

_FORMAT = "eapu-jax result 2"


class StoreError(ValueError):
    """A result file or folder is not what it should be."""


def write_atomically(path: str | Path, content: bytes) -> None:
    """Put `content` at `path`, whole or not at all.

    Raises:
        StoreError: if the folder cannot be written or the disk is full.
    """
    with _replacing(Path(path)) as temporary:
        temporary.write_bytes(content)


def require_writable(folder: str | Path) -> Path:
    """Create `folder` if need be and prove that it takes files: before computing.

    Raises:
        StoreError: naming the folder and the reason, if it does not.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as e:
        raise StoreError(
            f"cannot write results into {folder} ({e.strerror or e}): "
            "choose another folder with --results"
        ) from e


def read_file(path: str | Path) -> bytes:
    """What a file holds.

    Raises:
        OSError: if it cannot be read, or is a pipe, a device or a folder, which
            might never come to an end.
    """
    return require_file(Path(path)).read_bytes()


def require_file(path: Path) -> Path:
    """Refuse what is there and is no ordinary file, before it is opened.

    Raises:
        OSError: naming the path.
    """
    if path.exists() and not path.is_file():
        raise OSError(f"{path} is no ordinary file")
    return path


def user_cache() -> Path:
    """`$XDG_CACHE_HOME/eapu_jax`, by default `~/.cache/eapu_jax`; may not exist."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "eapu_jax"


def save(dataset: xr.Dataset, path: str | Path) -> Path:
    """Write a dataset as netCDF, atomically.

    Attributes must be strings, numbers or arrays. Use
    `experiments.results.provenance.stamped` first to say where the numbers come from.

    Returns:
        The path, for chaining.

    Raises:
        StoreError: if the file cannot be written; a file already there stays.
    """
    path = Path(path)
    marked = dataset.drop_encoding()
    marked.attrs = {**dataset.attrs, "format": _FORMAT, "digest": _digest(dataset)}
    # Without a fill value every bit comes back, that of a negative NaN too.
    plain = {name: {"_FillValue": None} for name in marked.variables}
    with _replacing(path) as temporary:
        marked.to_netcdf(temporary, engine="h5netcdf", encoding=plain)
    return path


def load(path: str | Path) -> xr.Dataset:
    """Read a dataset that `save` wrote, all of it into memory.

    Raises:
        FileNotFoundError: if there is none.
        StoreError: if the file is corrupt, cut short or not one of ours.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"no result at {path}: run the experiment first")
    try:
        dataset = xr.load_dataset(require_file(path), engine="h5netcdf").drop_encoding()
    except Exception as e:  # h5py, h5netcdf and xarray raise many kinds
        raise StoreError(_advice(path, f"cannot be read ({e})")) from e
    if dataset.attrs.pop("format", None) != _FORMAT:
        raise StoreError(_advice(path, f"was not written as {_FORMAT!r}"))
    if dataset.attrs.pop("digest", None) != _digest(dataset):
        raise StoreError(_advice(path, "is damaged: its digest does not match"))
    return dataset


def _advice(path: Path, problem: str) -> str:
    return f"{path} {problem}. It is left as it is: move it away and run again"


def _digest(dataset: xr.Dataset) -> str:
    """Digest of names, dimensions, values and attributes; strings by their text."""
    digest = hashlib.sha256(_of_attributes(dataset.attrs))
    for name in sorted(map(str, dataset.variables)):
        variable = dataset.variables[name]
        head = f"{name} {name in dataset.coords} {variable.dims} {variable.shape}"
        digest.update(head.encode() + _of_values(variable.values))
        digest.update(_of_attributes(variable.attrs))
    return digest.hexdigest()


def _of_attributes(attrs: Mapping[Hashable, Any]) -> bytes:
    """Names and values; in a file a list, a tuple and a row are the same."""
    digest = hashlib.sha256()
    for name in sorted(map(str, attrs)):
        digest.update(f"{name!r}".encode() + _of_values(np.ravel(attrs[name])))
    return digest.digest()


def _of_values(values: Any) -> bytes:
    values = np.asarray(values)
    if values.dtype.kind not in "biufc":
        texts = json.dumps([str(v) for v in values.flat])
        values = np.frombuffer(texts.encode(), np.uint8)
    content = hashlib.sha256(np.ascontiguousarray(values).tobytes())
    return values.dtype.str.encode() + content.digest()


@contextlib.contextmanager
def _replacing(path: Path):
    """A temporary name in the same folder that becomes `path` if all goes well."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as e:
        raise StoreError(f"cannot write {path}: {e.strerror or e}") from e
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _flush(temporary)
        temporary.chmod(0o666 & ~_umask())
        os.replace(temporary, path)
        _flush(path.parent)
    except OSError as e:
        raise StoreError(f"cannot write {path}: {e.strerror or e}") from e
    finally:
        temporary.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Wait until the disk has it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
