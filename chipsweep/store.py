"""A sweep on disk or in an object store: a zarr group that anybody can open.

Arrays over (axes..., chip, seed, own dimensions), one zarr chunk per call. `reason`
is written last and is the commit mark: 3 is "not computed". A seal says of every
chunk which sweep and place it belongs to, and what its bytes are.
"""

import functools
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import zarr
from zarr.codecs import Crc32cCodec

from chipsweep.axes import label
from chipsweep.files import Files, skeleton
from chipsweep.frame import Frame, grid_of
from chipsweep.manifest import FORMAT, digest
from chipsweep.outputs import MISSING, REASONS, Chunk, Outputs
from chipsweep.saves import forget
from chipsweep.states import Packing

STATES, SEAL = "hidden/states", "hidden/seal"
"""In a group of their own, that a plain reader does not see."""


class StoreError(ValueError):
    """A store that cannot be used, and what to do."""


@dataclass(frozen=True)
class Store:
    """The chunks of one sweep; `create` makes it if it is not there."""

    files: Files
    frame: Frame
    outputs: Outputs
    manifest: Mapping[str, Any]

    def create(self, *, root: bool) -> bool:
        """Make what is not there; False if somebody else was first with the `root`.

        The root is created before all else and exclusively: it decides for everyone.
        """
        keys = skeleton(self._build)
        top = keys.pop("zarr.json")
        if root and not self.files.create("zarr.json", top):
            return False
        for key, content in keys.items():
            self.files.create(key, content)
        self.files.sweep_up()
        return True

    def missing(self) -> np.ndarray:
        """Numbers of the chunks that are to be computed.

        Raises:
            StoreError: if a chunk belongs to another sweep or place.
        """
        frame = self.frame
        reason = _read(self.files, "reason")
        for axis, width in enumerate(frame.chunk):
            edges = np.arange(0, reason.shape[axis], width)
            reason = np.maximum.reduceat(reason, edges, axis=axis)
        done = (reason.reshape(frame.grid) != MISSING) & self._there()
        seals = _read(self.files, SEAL)
        for number in np.flatnonzero(done).tolist():
            if seals[frame.place(number)][0] != self._place_seal(number):
                raise StoreError(
                    f"{self.files}: the chunk {self._key('reason', number)} "
                    "belongs to another sweep or place: delete it"
                )
        if not self.files.store.read_only:
            forget(self.files, np.flatnonzero(done).tolist())
        return np.flatnonzero(~done)

    def has(self, number: int) -> bool:
        """Whether a chunk is there."""
        return self.files.get(self._key("reason", number)) is not None

    def write(self, chunk: Chunk) -> None:
        """Keep a chunk: everything is safe before its mark says so."""
        number = chunk.number
        region = self.frame.region(number)
        shape = tuple(s.stop - s.start for s in region)
        place, written = self.frame.place(number), []
        for name in _kept(self.manifest):
            values = chunk.outputs[name]
            self.files.array(name)[region] = values.reshape(*shape, *values.shape[1:])
            written.append(self._key(name, number))
        if chunk.states is not None:
            where = (*region[:-2], *(slice(i, i + 1) for i in place[-2:]))
            self.files.array(STATES)[where] = chunk.states
            written.append(self._key(STATES, number))
        if chunk.errors:
            told = json.dumps([[int(i), text] for i, text in chunk.errors])
            self.files.put(f"failures/{number}.json", told.encode())
        self.files.flush(written)
        seal = [self._place_seal(number), _content_seal(self.files, written)]
        self.files.array(SEAL)[place] = np.array(seal, np.uint64)
        self.files.flush([self._key(SEAL, number)])
        self.files.array("reason")[region] = chunk.reason.reshape(shape)
        self.files.flush([self._key("reason", number)])
        forget(self.files, [number])

    def _there(self) -> np.ndarray:
        """Which chunks have all their files."""
        whole = np.ones(self.frame.count, bool)
        for name in _data(self.manifest):
            held = {f"{name}/{key}" for key in self.files.names(name)}
            whole &= [self._key(name, n) in held for n in range(self.frame.count)]
        return whole.reshape(self.frame.grid)

    def _key(self, name: str, number: int) -> str:
        return _key(self.files, name, self.frame.place(number))

    def _place_seal(self, number: int) -> int:
        return _word(f"{self._identity} {number}".encode())

    @functools.cached_property
    def _identity(self) -> str:
        return digest(self.manifest)[:16]

    def _build(self, group: zarr.Group) -> None:
        """All arrays, empty, with their coordinates."""
        frame, array = self.frame, functools.partial(_array, group)
        group.attrs.update({"sweep": dict(self.manifest)})
        meaning = ", ".join(f"{i} {reason}" for i, reason in enumerate(REASONS))
        array("reason", frame.shape, frame.chunk, "int8", MISSING, frame.dims,
              attributes={"meanings": meaning})  # fmt: skip
        for name in _kept(self.manifest):
            dtype, own, dims = self.outputs[name]
            shape, chunk = (*frame.shape, *own), (*frame.chunk, *own)
            array(name, shape, chunk, dtype, np.nan, (*frame.dims, *dims))
        if frame.spec.reduce:
            n = Packing(frame.spec.reduce, self.outputs, frame.chunk).nbytes
            parts = (*frame.shape[:-2], *frame.grid[-2:], n)
            array(STATES, parts, (*frame.chunk[:-2], 1, 1, n), "uint8")
        array(SEAL, (*frame.grid, 2), (*(1 for _ in frame.grid), 2), "uint64")
        for name, dim, values in _coordinates(frame):
            kind = "str" if values.dtype.kind == "T" else values.dtype
            made = array(name, values.shape, values.shape, kind, 0, (dim,))
            if values.size:
                made[...] = values


def damaged(where: Any, *, remove: bool = False) -> list[str]:
    """Files of those chunks of a store that are not what was written.

    Every byte is read, and held against the seal that each chunk has.

    Args:
        where: path, address or zarr store.
        remove: whether the commit marks of these chunks go, so that the same sweep
            computes them again, and only them.

    Raises:
        StoreError: if there is no sweep.
    """
    files = where if isinstance(where, Files) else Files.at(where, read_only=not remove)
    manifest = read_manifest(files)
    grid = grid_of(files.array("reason").shape, manifest["chunk"])
    seals, data = _read(files, SEAL), _data(manifest)
    found = []
    for place in np.ndindex(*grid):
        mark = _key(files, "reason", place)
        keys = [_key(files, name, place) for name in data]
        if files.get(mark) is None or seals[place][1] == _content_seal(files, keys):
            continue
        found += keys
        if remove:
            files.delete(mark)
    return found


def read_manifest(files: Files) -> dict[str, Any]:
    """What the root of a store says; refused if it is no sweep of ours."""
    content = files.get("zarr.json")
    if content is None:
        raise StoreError(f"{files} holds no sweep")
    try:
        manifest = json.loads(content)["attributes"]["sweep"]
    except (ValueError, KeyError, TypeError) as e:
        raise StoreError(f"{files}/zarr.json is not that of a sweep: {e!r}") from None
    told = manifest.get("format") if isinstance(manifest, dict) else manifest
    if told != FORMAT or not isinstance(manifest, dict):
        raise StoreError(f"{files} is of format {told!r}, this is {FORMAT!r}")
    return manifest


def require_ours(files: Files) -> None:
    """Refuse a place that holds something else, naming what is there."""
    root = files.root
    if root is not None and root.is_symlink() and not root.exists():
        raise StoreError(f"{root} is a link to nothing")
    if root is not None and root.exists() and not root.is_dir():
        raise StoreError(f"{root} is no folder")
    if files.get("zarr.json") is None:
        others = [n for n in files.names() if not n.endswith(".partial")]
        if others:
            raise StoreError(f"{files} holds {others[0]} and no sweep")


def _kept(manifest: Mapping[str, Any]) -> list[str]:
    """Outputs that are kept chip by chip."""
    outputs, keep = manifest["outputs"], manifest["keep"]
    if keep is None:
        return [name for name in outputs if name not in manifest["reduce"]]
    return [name for name in outputs if name in keep]


def _data(manifest: Mapping[str, Any]) -> list[str]:
    """Arrays that a seal answers for, in the order in which it has them."""
    return [*_kept(manifest), *([STATES] if manifest["reduce"] else [])]


def _read(files: Files, name: str) -> np.ndarray:
    try:
        return np.asarray(files.array(name)[...])
    except (ValueError, RuntimeError) as e:
        raise StoreError(f"{files}/{name} is damaged: {e}; delete its chunk") from e


def _key(files: Files, name: str, place: tuple[int, ...]) -> str:
    """The chunk of an array; along its own dimensions it has only one."""
    own = files.array(name).ndim - len(place)
    return f"{name}/c." + ".".join(map(str, (*place, *[0] * own)))


def _content_seal(files: Files, keys: list[str]) -> int:
    parts = [hashlib.sha256(files.get(key) or b"").digest() for key in keys]
    return _word(b"".join(parts))


def _word(content: bytes) -> int:
    return int.from_bytes(hashlib.sha256(content).digest()[:8], "big")


def _array(group, name, shape, chunk, dtype, fill: Any = 0, dims=None, **more) -> Any:
    return group.create_array(
        name,
        shape=tuple(shape),
        chunks=tuple(max(int(c), 1) for c in chunk),
        dtype=dtype,
        fill_value="" if dtype == "str" else fill,
        compressors=[Crc32cCodec()],
        dimension_names=dims,
        chunk_key_encoding={"name": "default", "separator": "."},
        **more,
    )


def _coordinates(frame: Frame) -> Iterator[tuple[str, str, np.ndarray]]:
    """Name, dimension and values of the coordinates: numbers, or all of them texts."""
    spec, layout = frame.spec, frame.spec.layout
    yield "chip", "chip", np.asarray(spec.chips, np.int64)
    yield "seed", "seed", np.asarray(spec.seeds, np.int64)
    if layout.listed:
        yield "point", "point", frame.points.astype(np.int64)
    for name, values in layout.values.items():
        if layout.listed:
            values = layout.column(name, frame.points)
        labels = [label(v) for v in values]
        kind = None
        if any(isinstance(v, str) for v in labels):
            labels, kind = [str(v) for v in labels], np.dtypes.StringDType()
        yield name, "point" if layout.listed else name, np.array(labels, kind)
