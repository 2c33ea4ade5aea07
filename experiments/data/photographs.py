"""Photographs with their provenance, from the nearest source that has them.

The order of the sources is that of `experiments.data.search`: an archive in a folder
(`bsd400_gray180.npz`, `bsd68.npz`, `set12.npz`, `set5.npz`, `set14.npz`,
`kodak24_crop500.npz`: an image under each key) or a download; in its place the
photographs within scikit-image and scikit-learn, or a drawing by a program. "packaged"
(to learn from) and "packaged_test" are those within the two packages alone; no
photograph is in both.
"""

import hashlib
import io
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.data import search
from experiments.data.archives import (
    DataError,
    advice,
    opened,
    require_size,
    sha256,
)
from experiments.data.dead_leaves import dead_leaves
from experiments.results.store import read_file

__all__ = ["PHOTOGRAPHS", "Photographs", "load_photographs", "luma"]

SMALLEST, LARGEST = 32, 4096
"""Side of a photograph, pixels."""
_LUMA = np.array([0.299, 0.587, 0.114])
"""BT.601, of red, green and blue."""


class _About(NamedTuple):
    title: str
    licence: str
    images: int
    packaged: tuple[str, ...]  # in its place, where no folder has it
    files: tuple[str, ...] = ()


_SKIMAGE = ("scikit-image", "data/", "CC0 or no known restrictions")
_SKLEARN = ("scikit-learn", "datasets/images/", "CC BY 2.0")
_TRAIN = (
    "astronaut.png",
    "brick.png",
    "grass.png",
    "gravel.png",
    "moon.png",
    "rocket.jpg",
    "china.jpg",
    "flower.jpg",
)
_TEST = ("camera.png", "coins.png", "chelsea.png", "coffee.png")

PHOTOGRAPHS: dict[str, _About] = {
    "bsd400": _About(
        "Train400 of BSDS, gray 180x180",
        "non-commercial research",
        400,
        _TRAIN,
        ("bsd400_gray180.npz",),
    ),
    "bsd68": _About("BSD68", "non-commercial research", 68, _TEST, ("bsd68.npz",)),
    "set12": _About("Set12", "no licence stated", 12, _TEST, ("set12.npz",)),
    "set5": _About("Set5", "no licence stated", 5, _TEST, ("set5.npz",)),
    "set14": _About("Set14", "no licence stated", 14, _TEST, ("set14.npz",)),
    "kodak24": _About(
        "Kodak, cut to 500x500", "free use", 24, _TEST, ("kodak24_crop500.npz",)
    ),
    "packaged": _About("photographs", "", len(_TRAIN), _TRAIN),
    "packaged_test": _About("photographs", "", len(_TEST), _TEST),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Photographs:
    """Some images of one data set.

    Attributes:
        names: of the images.
        images: `(height, width, channels)` uint8 each; one channel or three.
        provenance: name, version, sha256 and licence, fit for a caption.
        sha256: full digest of the file, or of the files in the order of their names;
            "" if procedural.
    """

    names: tuple[str, ...]
    images: tuple[np.ndarray, ...]
    provenance: str
    sha256: str = ""

    @property
    def gray(self) -> tuple[np.ndarray, ...]:
        """One channel of each: `luma` of those in colour."""
        return tuple(luma(image) for image in self.images)


def luma(image: np.ndarray) -> np.ndarray:
    """The gray value 0.299 R + 0.587 G + 0.114 B, 0 to 255; a gray image as it is.

    This is BT.601 in its full range: "L" of Pillow, up to its rounding. The studio
    range, by which super-resolution is judged, is `studio_luma` of
    `experiments.learning.restoration`.

    Example:
        >>> luma(np.array([[[255, 0, 0]]], np.uint8)).tolist()
        [[[76]]]
    """
    if image.shape[-1] == 1:
        return image
    return np.round(image @ _LUMA)[..., None].astype(np.uint8)


def load_photographs(name: str, *, folder: str | Path | None = None) -> Photographs:
    """Load all photographs of a data set.

    Args:
        name: "bsd400", "bsd68", "set12" (gray), "set5", "set14", "kodak24" (colour),
            "packaged" or "packaged_test" (both kinds, as they are shipped).
        folder: where to look first; by default `EAPU_JAX_DATA`.

    Raises:
        ValueError: if the name is unknown or `folder` does not exist.
        DataError: if a file is corrupt, too large, or holds what is no photograph.

    Example:
        >>> found = load_photographs("packaged_test")
        >>> len(found.names) == len(found.images), found.gray[0].shape[2]
        (True, 1)
    """
    if not isinstance(name, str) or name not in PHOTOGRAPHS:
        known = ", ".join(PHOTOGRAPHS)
        raise ValueError(f"name: unknown photographs {name!r}: one of {known}")
    about = PHOTOGRAPHS[name]
    _, found = search.nearest(
        search.Sought(name, about.files),
        search.chosen_folder(folder),
        lambda path: _in_file(about, path),
        lambda: None if about.files else _packaged(about),
        lambda: _packaged(about) or _dead_leaves(about),
    )
    return found


def _in_file(about: _About, path: Path) -> tuple[str, Photographs]:
    try:
        with opened(path) as (archive, digest):
            names = tuple(sorted(archive))
            images = tuple(_image(path, n, archive[n]) for n in names)
    except DataError:
        raise
    except Exception as e:  # what a damaged archive raises is of many kinds
        raise DataError(advice(path, f"{type(e).__name__}: {e}")) from e
    if len(images) != about.images:
        wanted = f"expected the {about.images} of {about.title}"
        raise DataError(advice(path, f"holds {len(images)} images, {wanted}"))
    return _found(
        f"{about.title} ({path.name}, {about.licence})", names, images, digest
    )


def _image(path: Path, name: str, image: np.ndarray) -> np.ndarray:
    """One image, its channels last.

    Raises:
        DataError: naming it and what it is.
    """
    colour = image.ndim == 3 and image.shape[2] == 3
    if image.dtype != np.uint8 or not (image.ndim == 2 or colour):
        raise DataError(
            advice(
                path,
                f"{name!r} must be bytes (height, width) or (height, width, 3), got "
                f"{image.dtype} {image.shape}",
            )
        )
    if not all(SMALLEST <= side <= LARGEST for side in image.shape[:2]):
        sides = f"{image.shape[0]} x {image.shape[1]}"
        bound = f"sides of {SMALLEST} to {LARGEST} pixels, got {sides}"
        raise DataError(advice(path, f"{name!r} must have {bound}"))
    return image if colour else image[..., None]


def _found(title: str, names, images, digest: str) -> tuple[str, Photographs]:
    mark = f", sha256 {digest[:12]}" if digest else ""
    return title, Photographs(
        names=names,
        images=images,
        provenance=f"{title}, {len(images)} images{mark}",
        sha256=digest,
    )


def _packaged(about: _About) -> tuple[str, Photographs] | None:
    """Those of the packages that are installed; None without scikit-image."""
    names, images, versions, contents = [], [], {}, []
    for file in about.packaged:
        package, folder, licence = (
            _SKLEARN if file in ("china.jpg", "flower.jpg") else _SKIMAGE
        )
        there = search.in_package(package, folder + file)
        if there is None or not there[0].exists():
            return None
        names.append(Path(file).stem)
        contents.append(read_file(require_size(there[0])))
        images.append(_image(there[0], names[-1], _decoded(there[0], contents[-1])))
        versions[f"{package} {there[1]}"] = licence
    title = " and ".join(f"{who} ({licence})" for who, licence in versions.items())
    title = f"photographs of {title}"
    if about.files:
        title = f"{title} in place of {about.title}"
    return _found(title, tuple(names), tuple(images), sha256(*contents))


def _decoded(path: Path, content: bytes) -> np.ndarray:
    from PIL import Image

    try:
        image = Image.open(io.BytesIO(content))
        return np.asarray(image.convert("L" if image.mode == "L" else "RGB"))
    except (OSError, SyntaxError, ValueError, zlib.error) as e:
        raise DataError(advice(path, f"{type(e).__name__}: {e}")) from e


def _dead_leaves(about: _About) -> tuple[str, Photographs]:
    """Discs that cover one another, as leaves on the ground do: edges at all scales."""
    n = min(about.images, 12)
    seed = int(hashlib.sha256(about.title.encode()).hexdigest()[:8], 16)
    images = tuple(dead_leaves(180, seed + i)[..., None] for i in range(n))
    title = f"STAND-IN for {about.title}: procedural dead leaves (Apache-2.0)"
    return _found(title, tuple(f"leaves {i}" for i in range(n)), images, "")
