"""Files of data, opened with care: ordinary, not too large, no pickles.

Every refusal is a `DataError` that names the file.
"""

import contextlib
import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from experiments.results.store import read_file

MOST_BYTES = 2**29
"""Of a file, and of what an archive unpacks to; more is refused unread."""


class DataError(ValueError):
    """A data file is there but cannot be what it should be."""


def require_size(path: Path) -> Path:
    """Refuse a file that is too large, before it is read.

    Raises:
        DataError: naming the file, its size and the bound.
    """
    if path.is_file() and (size := path.stat().st_size) > MOST_BYTES:
        few = f"must be at most {MOST_BYTES} bytes, got {size}"
        raise DataError(advice(path, few))
    return path


@contextlib.contextmanager
def opened(path: Path) -> Iterator[tuple[Any, str]]:
    """An array archive, no pickles, and the sha256 of its file.

    Raises:
        DataError: if it is too large as it is or unpacked.
        OSError: if it is no ordinary file.
        ValueError: if it is no archive.
    """
    content = read_file(require_size(path))
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        size = sum(item.file_size for item in packed.infolist())
    if size > MOST_BYTES:
        few = f"must unpack to at most {MOST_BYTES} bytes, got {size}"
        raise DataError(advice(path, few))
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        yield archive, sha256(content)


def sha256(*contents: bytes) -> str:
    """Hex digest of the contents, one after another."""
    digest = hashlib.sha256()
    for content in contents:
        digest.update(content)
    return digest.hexdigest()


def advice(path: Path, problem: str) -> str:
    """What is wrong with a file, and what to do about it."""
    return f"{path}: {problem}. Remove or replace this file; other sources then serve"
