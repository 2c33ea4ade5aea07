"""Files that hold labelled images, read into one plain record.

Nothing here knows where a file comes from: `experiments.data.sources` looks for it.
Every reader raises `DataError`, naming the file and what is wrong with it.
"""

import gzip
import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from experiments.data.archives import DataError as DataError
from experiments.data.archives import advice, opened, require_size, sha256
from experiments.results.store import read_file

_IDX = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
_ARCHIVE_KEYS = (("X", "y", "Xt", "yt"), ("x_train", "y_train", "x_test", "y_test"))
_CIFAR = ("train.bin", "test.bin")
_CIFAR_ROW = 2 + 3 * 32 * 32
"""Bytes: coarse label, fine label, then red, green and blue, each row by row."""


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


def read(path: Path, *, classes: int = 10) -> Raw:
    """Read a folder of IDX files or of CIFAR-100's, an array or a JPEG archive.

    Args:
        path: of the folder or the archive.
        classes: labels are 0 to `classes - 1`.

    Raises:
        DataError: if the content is corrupt, cut short or of another kind.
    """
    try:
        if not path.is_dir():
            return _read_archive(path, classes)
        if any((path / name).exists() for name in (*_CIFAR, "meta")):
            return _read_cifar(path, classes)
        return _read_idx(path, classes)
    except DataError:
        raise
    except (OSError, EOFError, KeyError, ValueError, zlib.error, struct.error) as e:
        raise DataError(advice(path, f"{type(e).__name__}: {e}")) from e
    except Exception as e:  # zipfile.BadZipFile and the like of other versions
        raise DataError(advice(path, f"{type(e).__name__}: {e}")) from e


def read_table(path: Path, *, side: int, top: int, held_out: int) -> Raw:
    """Read rows of `side * side` pixels up to `top` and a label (`.csv.gz`).

    The last 1 in `held_out` images of every class are the test set.
    """
    try:
        digest = sha256(read_file(path))
        table = np.loadtxt(path, delimiter=",", dtype=np.uint8)
        images = table[:, :-1].reshape(-1, side, side)
    except (OSError, EOFError, ValueError, zlib.error) as e:
        raise DataError(advice(path, str(e))) from e
    labels = _classes(path, table[:, -1], 10)
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
            raise DataError(advice(path, few))


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


def _read_idx(folder: Path, classes: int) -> Raw:
    paths = [folder / name for name in _IDX]
    missing = [p.name for p in paths if not p.exists()]
    if missing:
        raise DataError(advice(folder, f"misses {', '.join(missing)}"))
    contents = [read_file(path) for path in paths]
    x, y, xt, yt = (_idx_array(gzip.decompress(content)) for content in contents)
    return _join(folder, x, y, xt, yt, sha256(*contents), classes)


def _idx_array(content: bytes) -> np.ndarray:
    """One array of unsigned bytes in the IDX format."""
    zeros, kind, ndim = struct.unpack(">HBB", content[:4])
    if (zeros, kind) != (0, 8):
        raise ValueError(f"not an IDX file of bytes: magic {content[:4].hex()}")
    shape = struct.unpack(f">{ndim}I", content[4 : 4 + 4 * ndim])
    return np.frombuffer(content, np.uint8, offset=4 + 4 * ndim).reshape(shape)


def _read_cifar(folder: Path, classes: int) -> Raw:
    """CIFAR-100's binary version, fine labels."""
    missing = [name for name in _CIFAR if not (folder / name).exists()]
    if (folder / "meta").exists():
        raise DataError(
            f"{folder}: holds pickles, which can run any program and are not read: "
            "take CIFAR-100's binary version, a folder cifar-100-binary of "
            f"{' and '.join(_CIFAR)}, or an archive cifar100.npz of X, y, Xt, yt"
        )
    if missing:
        raise DataError(advice(folder, f"misses {', '.join(missing)}"))
    contents = [read_file(require_size(folder / name)) for name in _CIFAR]
    x, y, xt, yt = (
        a for n, c in zip(_CIFAR, contents, strict=True) for a in _cifar_rows(n, c)
    )
    return _join(folder, x, y, xt, yt, sha256(*contents), classes)


def _cifar_rows(name: str, content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Images `(n, 32, 32, 3)` and their fine labels."""
    if not content or len(content) % _CIFAR_ROW:
        raise ValueError(f"{name} has {len(content)} bytes, no rows of {_CIFAR_ROW}")
    rows = np.frombuffer(content, np.uint8).reshape(-1, _CIFAR_ROW)
    planes = rows[:, 2:].reshape(-1, 3, 32, 32)
    return planes.transpose(0, 2, 3, 1), rows[:, 1]


def _read_archive(path: Path, classes: int) -> Raw:
    with opened(path) as (archive, digest):
        if "offsets" in archive:
            return _read_jpeg(path, archive, digest, classes)
        for keys in _ARCHIVE_KEYS:
            if all(key in archive for key in keys):
                x, y, xt, yt = (archive[key] for key in keys)
                return _join(path, x, y, xt, yt, digest, classes)
        found = ", ".join(sorted(archive)) or "nothing"
    raise DataError(advice(path, f"holds {found}, expected X, y, Xt, yt"))


def _read_jpeg(path: Path, archive, digest: str, classes: int) -> Raw:
    content = archive["bytes"]
    offsets = _whole(path, "offsets", archive["offsets"], at_most=len(content))
    is_test = _whole(path, "test", archive["test"], at_most=1).astype(bool)
    labels = _classes(path, archive["labels"], classes)
    if not len(offsets) - 1 == len(labels) == len(is_test):
        raise DataError(advice(path, "offsets, labels and test differ in length"))
    if np.any(np.diff(offsets) <= 0):
        raise DataError(advice(path, "the offsets do not increase"))

    def pixels(indices):
        return np.stack([_decode(path, content, offsets, i) for i in indices])

    return Raw(labels=labels, is_test=is_test, pixels=pixels, sha256=digest)


def _decode(path: Path, content, offsets, index) -> np.ndarray:
    from PIL import Image, UnidentifiedImageError

    image = content[offsets[index] : offsets[index + 1]].tobytes()
    try:
        return np.asarray(Image.open(io.BytesIO(image)).convert("RGB"))
    except (OSError, UnidentifiedImageError) as e:
        raise DataError(advice(path, f"image {index}: {e}")) from e


def _join(path, x, y, xt, yt, digest, classes) -> Raw:
    if len(x) != len(y) or len(xt) != len(yt) or x.shape[1:] != xt.shape[1:]:
        shapes = ", ".join(str(a.shape) for a in (x, y, xt, yt))
        raise DataError(advice(path, f"images and labels do not match: {shapes}"))
    is_test = np.arange(len(x) + len(xt)) >= len(x)
    labels = _classes(path, np.concatenate([y, yt]), classes)
    return _raw(path, np.concatenate([x, xt]), labels, is_test, digest)


def _raw(path, images, labels, is_test, digest) -> Raw:
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or labels.ndim != 1:
        got = f"images {images.dtype} {images.shape}, labels {labels.shape}"
        raise DataError(advice(path, f"expected bytes (n, height, width): {got}"))
    if 0 in images.shape[1:]:
        raise DataError(advice(path, f"the images have no pixels: {images.shape}"))
    if images.ndim == 3:
        images = images[..., None]
    return Raw(labels=labels, is_test=is_test, pixels=images.__getitem__, sha256=digest)


def _classes(path: Path, labels: np.ndarray, classes: int) -> np.ndarray:
    return _whole(path, "labels", labels, at_most=classes - 1).astype(np.int32)


def _whole(path: Path, name: str, values: np.ndarray, *, at_most: int) -> np.ndarray:
    """Whole numbers from 0 to `at_most`, whatever type they were written as."""
    if values.dtype.kind not in "biuf" or values.ndim != 1:
        got = f"{values.dtype} {values.shape}"
        raise DataError(advice(path, f"{name} must be a row of numbers, got {got}"))
    wrong = ~((values >= 0) & (values <= at_most) & (values == np.floor(values)))
    if wrong.any():
        bound = f"whole numbers from 0 to {at_most}"
        first = values[wrong][0]
        raise DataError(advice(path, f"{name} must be {bound}, got {first}"))
    return values.astype(np.int64)
