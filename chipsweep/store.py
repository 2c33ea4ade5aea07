"""A sweep on disk or in an object store: a zarr group that anybody can open.

Arrays over (axes..., chip, seed, own dimensions), one zarr chunk per call. `reason`
is written last and is the commit mark: 3 is "not computed". A seal says of every
chunk which sweep and place it belongs to, and what its bytes are.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import zarr
from zarr.codecs import Crc32cCodec

from chipsweep.axes import label
from chipsweep.files import Files, skeleton
from chipsweep.frame import Frame
from chipsweep.manifest import ABOUT, FORMAT, differences, manifest_of
from chipsweep.outputs import MISSING, REASONS, Output
from chipsweep.states import packing_of

__all__ = ["Chunk", "Store", "StoreError"]


STATES, SEAL = "hidden/states", "hidden/seal"
"""In a group of their own, that a plain reader does not see."""


class StoreError(ValueError):
    """A store that cannot be used, and what to do."""


class Chunk(NamedTuple):
    """What one chunk brings, over its runs, row-major over its region.

    Attributes:
        outputs: name -> values of the outputs that are kept.
        states: packed states of reductions; None without any.
        reason: why a run is missing, or that it is not.
        errors: position of a run and what went wrong with it.
    """

    outputs: dict[str, np.ndarray]
    states: np.ndarray | None
    reason: np.ndarray
    errors: list[tuple[int, str]]


class Store:
    """The chunks of one sweep. Made by `Store.opened`.

    Attributes:
        files: keys and bytes.
        frame: where which run lies.
        outputs: of the sweep.
        manifest: as stored.
    """

    def __init__(
        self, files: Files, frame: Frame, outputs: dict[str, Output], manifest: Any
    ):
        """Use `Store.opened`."""
        self.files, self.frame = files, frame
        self.outputs, self.manifest = outputs, manifest
        decisive = {k: v for k, v in manifest.items() if k not in ABOUT}
        text = json.dumps(decisive, sort_keys=True)
        self.identity = hashlib.sha256(text.encode()).hexdigest()[:16]

    @classmethod
    def opened(
        cls, files: Files, frame: Frame, outputs: dict[str, Output],
        programs: list[str | None],
    ) -> "Store":  # fmt: skip
        """The store of a sweep, made if it is not there.

        The root is created first and exclusively, and decides for everyone.

        Raises:
            StoreError: if it is that of another sweep, or of something else.
        """
        manifest = manifest_of(frame, programs, outputs)
        require_ours(files)
        if files.store.read_only:
            return cls(files, frame, outputs, manifest)
        keys = skeleton(lambda group: _build(group, frame, outputs, manifest))
        root = keys.pop("zarr.json")
        if not files.create("zarr.json", root):  # somebody else was first
            wrong = differences(read_manifest(files), manifest)
            if wrong:
                raise StoreError(
                    f"{files} holds another sweep:\n  " + "\n  ".join(wrong)
                )
        for key, content in keys.items():
            files.create(key, content)
        files.sweep_up()
        return cls(files, frame, outputs, manifest)

    def missing(self) -> np.ndarray:
        """Numbers of the chunks that are to be computed.

        Raises:
            StoreError: if a chunk belongs to another sweep or place.
        """
        grid, frame = self.frame.grid, self.frame
        reason = self._read("reason")
        for axis, width in enumerate(frame.chunk):
            edges = np.arange(0, reason.shape[axis], width)
            reason = np.maximum.reduceat(reason, edges, axis=axis)
        done = (reason.reshape(grid) != MISSING) & self._there()
        seals = self._read(SEAL)
        for number in np.flatnonzero(done.ravel()).tolist():
            if seals[frame.place(number)][0] != self._place_seal(number):
                raise StoreError(
                    f"{self.files}: the chunk {self._key('reason', number)} "
                    "belongs to another sweep or place: delete it"
                )
        return np.flatnonzero(~done.ravel())

    def has(self, number: int) -> bool:
        """Whether a chunk is there."""
        return self.files.get(self._key("reason", number)) is not None

    def write(self, number: int, chunk: Chunk) -> None:
        """Keep a chunk: everything is safe before its mark says so."""
        region = self.frame.region(number)
        shape = tuple(s.stop - s.start for s in region)
        place, written = self.frame.place(number), []
        for name, values in chunk.outputs.items():
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
        seal = [self._place_seal(number), self._content_seal(written)]
        self.files.array(SEAL)[place] = np.array(seal, np.uint64)
        self.files.flush([self._key(SEAL, number)])
        self.files.array("reason")[region] = chunk.reason.reshape(shape)
        self.files.flush([self._key("reason", number)])

    def damaged(self) -> list[str]:
        """Keys that are not what was written; the marks of their chunks are removed.

        Reads everything. The next `sweep` computes those chunks again, and only them.
        """
        found = []
        seals = self._read(SEAL)
        for number in range(self.frame.count):
            if not self.has(number):
                continue
            keys = [self._key(name, number) for name in self._data()]
            if seals[self.frame.place(number)][1] != self._content_seal(keys):
                found.append(keys)
                self.files.delete(self._key("reason", number))
        return [key for keys in found for key in keys]

    def failures(self) -> dict[int, list[tuple[int, str]]]:
        """Chunk -> position of a run, and what went wrong with it."""
        found = {}
        for name in self.files.names("failures"):
            text = self.files.get(f"failures/{name}") or b"[]"
            found[int(name.partition(".")[0])] = [(i, t) for i, t in json.loads(text)]
        return found

    def _there(self) -> np.ndarray:
        """Which chunks have all their files."""
        whole = np.ones(self.frame.grid, bool)
        for name in self._data():
            held = set(self.files.names(name))
            there = np.zeros(self.frame.count, bool)
            for number in range(self.frame.count):
                there[number] = self._key(name, number).rpartition("/")[2] in held
            whole &= there.reshape(self.frame.grid)
        return whole

    def _data(self) -> list[str]:
        spec = self.frame.spec
        return [*spec.kept(self.outputs), *([STATES] if spec.reduce else [])]

    def _read(self, name: str) -> np.ndarray:
        try:
            return np.asarray(self.files.array(name)[...])
        except (ValueError, RuntimeError) as e:
            raise StoreError(
                f"{self.files}/{name} is damaged: {e}; delete its chunk"
            ) from e

    def _key(self, name: str, number: int) -> str:
        place = self.frame.place(number)
        own = 0
        if name in (STATES, SEAL):
            own = self.files.array(name).ndim - len(place)
        elif name != "reason":
            own = len(self.outputs[name].shape)
        return f"{name}/c." + ".".join(map(str, (*place, *[0] * own)))

    def _place_seal(self, number: int) -> int:
        return _word(f"{self.identity} {number}".encode())

    def _content_seal(self, keys: list[str]) -> int:
        parts = [hashlib.sha256(self.files.get(key) or b"").digest() for key in keys]
        return _word(b"".join(parts))


def read_manifest(files: Files) -> dict[str, Any]:
    """What the root of a store says. Nothing is run.

    Raises:
        StoreError: if there is no sweep of ours.
    """
    content = files.get("zarr.json")
    if content is None:
        raise StoreError(f"{files} holds no sweep")
    try:
        manifest = json.loads(content)["attributes"]["sweep"]
    except (ValueError, KeyError, TypeError) as e:
        raise StoreError(
            f"{files}/zarr.json is not that of a sweep of ours: {e!r}"
        ) from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        told = manifest.get("format") if isinstance(manifest, dict) else manifest
        raise StoreError(f"{files} is of format {told!r}, this is {FORMAT!r}")
    return manifest


def require_ours(files: Files) -> None:
    """Refuse a place that holds something else.

    Raises:
        StoreError: naming what is there.
    """
    root = files.root
    if root is not None and root.is_symlink() and not root.exists():
        raise StoreError(f"{root} is a link to nothing")
    if root is not None and root.exists() and not root.is_dir():
        raise StoreError(f"{root} is no folder")
    if files.get("zarr.json") is None:
        others = [n for n in files.names() if not n.endswith(".partial")]
        if others:
            raise StoreError(f"{files} holds {others[0]} and no sweep")


def _build(group: zarr.Group, frame: Frame, outputs, manifest: Mapping[str, Any]):
    """All arrays, empty, with their coordinates."""
    spec = frame.spec
    group.attrs.update({"sweep": dict(manifest)})
    meaning = ", ".join(f"{i} {reason}" for i, reason in enumerate(REASONS))
    _array(group, "reason", frame, "int8", MISSING, {"meanings": meaning})
    for name in spec.kept(outputs):
        one = outputs[name]
        gap = "" if one.dtype == "str" else np.nan
        _array(group, name, frame, one.dtype, gap, {}, one.shape, one.dims)
    if spec.reduce:
        n = packing_of(spec, frame, outputs).nbytes
        parts = (*frame.shape[:-2], *frame.grid[-2:], n)
        _plain(group, STATES, parts, (*frame.chunk[:-2], 1, 1, n), np.dtype(np.uint8))
    ones = (1,) * len(frame.grid)
    _plain(group, SEAL, (*frame.grid, 2), (*ones, 2), np.dtype(np.uint64))
    for name, dims, values in _coordinates(frame):
        made = _plain(group, name, values.shape, values.shape, values.dtype, dims)
        if values.size:
            made[...] = values


def _array(group, name, frame: Frame, dtype, fill, attrs, own=(), dims=()):
    _plain(
        group, name, (*frame.shape, *own), (*frame.chunk, *own), dtype,
        (*frame.dims, *dims), fill, attrs,
    )  # fmt: skip


def _plain(group, name, shape, chunks, dtype, dims=None, fill=0, attrs=None):
    text = str(dtype) == "str" or getattr(dtype, "kind", "-") in "TU"
    return group.create_array(
        name,
        shape=tuple(shape),
        chunks=tuple(max(int(c), 1) for c in chunks),
        dtype="str" if text else dtype,
        fill_value="" if text else fill,
        compressors=[Crc32cCodec()],
        dimension_names=dims,
        attributes=attrs or {},
        chunk_key_encoding={"name": "default", "separator": "."},
    )


def _coordinates(frame: Frame):
    """Name, dimensions and values of the coordinates."""
    spec = frame.spec
    yield "chip", ("chip",), np.asarray(spec.chips, np.int64)
    yield "seed", ("seed",), np.asarray(spec.seeds, np.int64)
    listed = spec.layout.dims == ("point",)
    if listed:
        yield "point", ("point",), frame.points.astype(np.int64)
    for axis in spec.axes:
        if listed:
            column = spec.layout.column(axis.name, frame.points)
            yield axis.name, ("point",), _labels(column)
        else:
            yield axis.name, (axis.name,), _labels(list(spec.layout.values[axis.name]))


def _labels(values: list[Any]) -> np.ndarray:
    """Numbers, or all of them texts."""
    plain = [label(v) for v in values]
    if any(isinstance(v, str) for v in plain):
        return np.array([str(v) for v in plain], dtype=np.dtypes.StringDType())
    return np.asarray(plain)


def _word(content: bytes) -> int:
    return int.from_bytes(hashlib.sha256(content).digest()[:8], "big")
