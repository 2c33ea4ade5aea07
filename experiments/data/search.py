"""Where a file of data is: places tried in one order, whatever the file holds.

A place that lacks the file is skipped with a message (logger
`experiments.data.search`):

1. the folder given, or the one in the environment variable `EAPU_JAX_DATA`;
2. the user's cache, `$XDG_CACHE_HOME/eapu_jax` or `~/.cache/eapu_jax`;
3. a folder of Debian's, where a package of theirs has the data;
4. a folder `shared/data` beside the checkout;
5. data shipped within a Python package;
6. a download, only if `EAPU_JAX_URL_<NAME>` says from where, as
   `https://.../mnist.npz#sha256=<64 hex digits>`; kept in the cache;
7. a stand-in, named as such in the provenance. Which, and where to put the file that
   it stands for, is a warning.
"""

import hashlib
import http.client
import importlib.metadata
import importlib.util
import logging
import os
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

from experiments.data.archives import DataError
from experiments.results.store import user_cache, write_atomically

__all__ = ["Sought", "chosen_folder", "in_package", "nearest"]

_log = logging.getLogger(__name__)
_MODULES = {"scikit-learn": "sklearn", "scikit-image": "skimage"}

T = TypeVar("T")


class Sought(NamedTuple):
    """What to look for.

    Attributes:
        name: of the data set, for messages and for the variable of a download.
        files: names it may have in a folder, the first also in the cache; none for
            what no folder holds.
        debian: folder of Debian's package.
    """

    name: str
    files: tuple[str, ...] = ()
    debian: str | None = None


def nearest(
    sought: Sought,
    folder: Path | None,
    read: Callable[[Path], tuple[str, T]],
    bundled: Callable[[], tuple[str, T] | None],
    stand_in: Callable[[], tuple[str, T]],
) -> tuple[str, T]:
    """What the first place that has it holds, behind its title.

    Args:
        sought: names of the file.
        folder: where to look first, of `chosen_folder`.
        read: from a path that exists to the content.
        bundled: content from an installed package, None without.
        stand_in: other content, of an installed package or of none.

    Raises:
        DataError: of `read`; or if a download fails or has another digest.
    """
    for path in _places(sought, folder):
        if path.exists():
            return read(path)
        _log.info("%s: not at %s", sought.name, path)
    if (found := bundled()) is not None:
        return found
    if (path := _downloaded(sought)) is not None:
        return read(path)
    title, other = stand_in()
    if sought.files:
        words = (
            "%s: not found anywhere; what serves is %s, until %s lies in the folder "
        )
        words += "that EAPU_JAX_DATA names"
        _log.warning(words, sought.name, title, " or ".join(sought.files))
    return title, other


def chosen_folder(folder: str | Path | None) -> Path | None:
    """The folder to look in first: the one given, or that of `EAPU_JAX_DATA`.

    Raises:
        ValueError: if it is no folder.
    """
    if not isinstance(folder, str | Path | None):
        raise ValueError(f"folder = {folder!r} is not a folder")
    chosen = folder or os.environ.get("EAPU_JAX_DATA")
    if chosen and not Path(chosen).is_dir():
        where = "folder" if folder else "EAPU_JAX_DATA"
        raise ValueError(f"{where} = {str(chosen)!r} is not a folder")
    return Path(chosen) if chosen else None


def in_package(package: str, file: str) -> tuple[Path, str] | None:
    """A file inside an installed package and the version, without importing it.

    Example:
        >>> path, _ = in_package("scikit-learn", "datasets/images/china.jpg")
        >>> path.name
        'china.jpg'
    """
    spec = importlib.util.find_spec(_MODULES.get(package, package))
    if spec is None or not spec.submodule_search_locations:
        _log.info("the package %s is not installed", package)
        return None
    path = Path(spec.submodule_search_locations[0]) / file
    return path, importlib.metadata.version(package)


def _places(sought: Sought, folder: Path | None) -> Iterator[Path]:
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    own = [folder] if folder else []
    yield from (place / f for place in [*own, user_cache()] for f in sought.files)
    if sought.debian:
        yield Path(sought.debian)
    yield from (beside / f for f in sought.files)


def _downloaded(sought: Sought) -> Path | None:
    """Fetch from the address in the environment, into the cache, if there is one."""
    variable = f"EAPU_JAX_URL_{sought.name.upper()}"
    address, _, digest = os.environ.get(variable, "").partition("#sha256=")
    if not address or not sought.files:
        _log.info("%s: no download, %s is not set", sought.name, variable)
        return None
    if len(digest) != 64:
        raise ValueError(f"{variable} = {address!r} must end in #sha256=<64 digits>")
    _log.info("%s: downloading", sought.name)
    try:
        with urllib.request.urlopen(address, timeout=60) as response:
            content = response.read()
    except (OSError, ValueError, http.client.HTTPException) as e:
        raise DataError(f"{variable} = {address!r}: no download: {e}") from e
    got = hashlib.sha256(content).hexdigest()
    if got != digest.lower():
        raise DataError(f"{variable}: sha256 is {got}, expected {digest}; not kept")
    path = user_cache() / sought.files[0]
    write_atomically(path, content)
    return path
