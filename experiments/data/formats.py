"""Files that hold labelled images, read into one plain record.

Nothing here knows where a file comes from: `experiments.data.sources` looks for it.
Every reader raises `DataError`, naming the file and what is wrong with it.
"""

import gzip
import hashlib
import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from experiments.results.store import read_file

_IDX = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
_ARCHIVE_KEYS = (("X", "y", "Xt", "yt"), ("x_train", "y_train", "x_test", "y_test"))
N_CLASSES = 10
"""Of every data set that is known here."""


class DataError(ValueError):
    """A data file is there but cannot be what it should be."""


@dataclass(frozen=True, kw_only=True)
class Raw:
    """Every image of a data set, training and test together.

    Attributes:
        labels: class of each image, `(n,)` int32.
        is_test: which images are held out, `(n,)` bool.
        pixels: indices `(k,)` -> images `(k, height, width, channels)` uint8.
        sha256: of the file (of all its files, in order).
        top: pixel value that means white.
    """

    labels: np.ndarray
    is_test: np.ndarray
    pixels: Callable[[np.ndarray], np.ndarray]
    sha256: str
    top: int = 255


def read(path: Path) -> Raw:
    """Read a folder of IDX files, an array archive or a JPEG archive.

    Raises:
        DataError: if the content is corrupt, cut short or of another kind.
    """
    try:
        return _read_idx(path) if path.is_dir() else _read_archive(path)
    except DataError:
        raise
    except (OSError, EOFError, KeyError, ValueError, zlib.error, struct.error) as e:
        raise DataError(_advice(path, f"{type(e).__name__}: {e}")) from e
    except Exception as e:  # zipfile.BadZipFile and the like of other versions
        raise DataError(_advice(path, f"{type(e).__name__}: {e}")) from e


def read_table(path: Path, *, side: int, top: int, held_out: int) -> Raw:
    """Read rows of `side * side` pixels up to `top` and a label (`.csv.gz`).

    The last 1 in `held_out` images of every class are the test set.
    """
    try:
        digest = _sha256(read_file(path))
        table = np.loadtxt(path, delimiter=",", dtype=np.uint8)
        images = table[:, :-1].reshape(-1, side, side)
    except (OSError, EOFError, ValueError, zlib.error) as e:
        raise DataError(_advice(path, str(e))) from e
    labels = _classes(path, table[:, -1])
    sizes = np.bincount(labels)
    is_test = rank_in_class(labels) >= (sizes - sizes // held_out)[labels]
    raw = _raw(path, images, labels, is_test, digest)
    return replace(raw, top=top)


def require_images(path: Path, raw: Raw, n_train: int | None, n_test: int | None):
    """Refuse a file with fewer images than are asked for, or with none to learn from.

    Raises:
        DataError: naming the set that is too small.
    """
    there = {"training": np.sum(~raw.is_test), "test": np.sum(raw.is_test)}
    for kind, wanted in zip(there, (n_train, n_test), strict=True):
        if there[kind] < (wanted or 1):
            few = f"holds {there[kind]} {kind} images, {wanted or 1} are needed"
            raise DataError(_advice(path, few))


def rank_in_class(labels: np.ndarray) -> np.ndarray:
    """How many earlier items share each item's label.

    Example:
        >>> rank_in_class(np.array([7, 7, 3, 7, 3]))
        array([0, 1, 0, 2, 1])
    """
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], labels[order])
    ranks = np.empty(len(labels), np.int64)
    ranks[order] = np.arange(len(labels)) - starts
    return ranks


def _read_idx(folder: Path) -> Raw:
    paths = [folder / name for name in _IDX]
    missing = [p.name for p in paths if not p.exists()]
    if missing:
        raise DataError(_advice(folder, f"misses {', '.join(missing)}"))
    contents = [read_file(path) for path in paths]
    x, y, xt, yt = (_idx_array(gzip.decompress(content)) for content in contents)
    return _join(folder, x, y, xt, yt, _sha256(*contents))


def _idx_array(content: bytes) -> np.ndarray:
    """One array of unsigned bytes in the IDX format."""
    zeros, kind, ndim = struct.unpack(">HBB", content[:4])
    if (zeros, kind) != (0, 8):
        raise ValueError(f"not an IDX file of bytes: magic {content[:4].hex()}")
    shape = struct.unpack(f">{ndim}I", content[4 : 4 + 4 * ndim])
    return np.frombuffer(content, np.uint8, offset=4 + 4 * ndim).reshape(shape)


def _read_archive(path: Path) -> Raw:
    content = read_file(path)
    digest = _sha256(content)
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        if "offsets" in archive:
            return _read_jpeg(path, archive, digest)
        for keys in _ARCHIVE_KEYS:
            if all(key in archive for key in keys):
                x, y, xt, yt = (archive[key] for key in keys)
                return _join(path, x, y, xt, yt, digest)
        found = ", ".join(sorted(archive)) or "nothing"
    raise DataError(_advice(path, f"holds {found}, expected X, y, Xt, yt"))


def _read_jpeg(path: Path, archive, digest: str) -> Raw:
    content = archive["bytes"]
    offsets = _whole(path, "offsets", archive["offsets"], at_most=len(content))
    is_test = _whole(path, "test", archive["test"], at_most=1).astype(bool)
    labels = _classes(path, archive["labels"])
    if not len(offsets) - 1 == len(labels) == len(is_test):
        raise DataError(_advice(path, "offsets, labels and test differ in length"))
    if np.any(np.diff(offsets) <= 0):
        raise DataError(_advice(path, "the offsets do not increase"))

    def pixels(indices):
        return np.stack([_decode(path, content, offsets, i) for i in indices])

    return Raw(labels=labels, is_test=is_test, pixels=pixels, sha256=digest)


def _decode(path: Path, content, offsets, index) -> np.ndarray:
    from PIL import Image, UnidentifiedImageError

    image = content[offsets[index] : offsets[index + 1]].tobytes()
    try:
        return np.asarray(Image.open(io.BytesIO(image)).convert("RGB"))
    except (OSError, UnidentifiedImageError) as e:
        raise DataError(_advice(path, f"image {index}: {e}")) from e


def _join(path, x, y, xt, yt, digest) -> Raw:
    if len(x) != len(y) or len(xt) != len(yt) or x.shape[1:] != xt.shape[1:]:
        shapes = ", ".join(str(a.shape) for a in (x, y, xt, yt))
        raise DataError(_advice(path, f"images and labels do not match: {shapes}"))
    is_test = np.arange(len(x) + len(xt)) >= len(x)
    labels = _classes(path, np.concatenate([y, yt]))
    return _raw(path, np.concatenate([x, xt]), labels, is_test, digest)


def _raw(path, images, labels, is_test, digest) -> Raw:
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or labels.ndim != 1:
        got = f"images {images.dtype} {images.shape}, labels {labels.shape}"
        raise DataError(_advice(path, f"expected bytes (n, height, width): {got}"))
    if 0 in images.shape[1:]:
        raise DataError(_advice(path, f"the images have no pixels: {images.shape}"))
    if images.ndim == 3:
        images = images[..., None]
    return Raw(labels=labels, is_test=is_test, pixels=images.__getitem__, sha256=digest)


def _classes(path: Path, labels: np.ndarray) -> np.ndarray:
    return _whole(path, "labels", labels, at_most=N_CLASSES - 1).astype(np.int32)


def _whole(path: Path, name: str, values: np.ndarray, *, at_most: int) -> np.ndarray:
    """Whole numbers from 0 to `at_most`, whatever type they were written as."""
    if values.dtype.kind not in "biuf" or values.ndim != 1:
        got = f"{values.dtype} {values.shape}"
        raise DataError(_advice(path, f"{name} must be a row of numbers, got {got}"))
    wrong = ~((values >= 0) & (values <= at_most) & (values == np.floor(values)))
    if wrong.any():
        bound = f"whole numbers from 0 to {at_most}"
        first = values[wrong][0]
        raise DataError(_advice(path, f"{name} must be {bound}, got {first}"))
    return values.astype(np.int64)


def _sha256(*contents: bytes) -> str:
    """Hex digest of the contents, one after another."""
    digest = hashlib.sha256()
    for content in contents:
        digest.update(content)
    return digest.hexdigest()


def _advice(path: Path, problem: str) -> str:
    return f"{path}: {problem}. Remove or replace this file; other sources then serve"
