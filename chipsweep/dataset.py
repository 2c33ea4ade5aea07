"""A store as a dataset: labelled, lazy, its reductions finished."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from chipsweep.files import Files
from chipsweep.manifest import outputs_in, reductions_in
from chipsweep.outputs import MISSING, Output
from chipsweep.reductions import Reduction
from chipsweep.states import Packing
from chipsweep.store import STATES, read_manifest

__all__ = ["failures", "opened"]


def opened(where: Any, reductions: Mapping[str, Any] | None = None) -> xr.Dataset:
    """What a store holds now, also while it is being filled; outputs are lazy.

    Args:
        where: path, address or zarr store.
        reductions: of the sweep, where they are not of the kinds that come with this
            package.

    Raises:
        StoreError: if there is no sweep.
    """
    files = where if isinstance(where, Files) else Files.at(where, read_only=True)
    manifest = read_manifest(files)
    dataset = xr.open_zarr(files.store, chunks=None, consolidated=True)  # type: ignore
    dataset = dataset.drop_attrs(deep=False)
    dims, listed = manifest["dims"], manifest["dims"] == ["point"]
    if listed:
        dataset = dataset.isel(point=np.argsort(dataset.point.values))
        dataset = dataset.drop_vars("point").set_coords(list(manifest["axes"]))
    dataset = dataset.transpose(*dims, "chip", "seed", ...)
    computed = (dataset.reason != MISSING).sum(("chip", "seed"))
    dataset["computed"] = computed.assign_attrs(long_name="runs computed")
    held = reductions_in(manifest) if reductions is None else dict(reductions)
    outputs, chunk = outputs_in(manifest), manifest["chunk"]
    packing = Packing(held, outputs, chunk[-1] * chunk[-2])
    packed = np.asarray(files.array(STATES)[...]) if held else np.zeros(0, np.uint8)
    for name, several in held.items():
        for number, reduction in enumerate(several):
            what = packed, packing, name, number, reduction, outputs[name]
            dataset = dataset.assign(_finished(files, dataset, *what))
    first = [name for name in outputs if name in dataset]
    dataset = dataset[[*first, *(n for n in dataset.data_vars if n not in first)]]
    told = _failures(files, manifest, dataset)
    attrs = {"sweep": json.dumps({k: manifest[k] for k in _TOLD})}
    return dataset.assign_attrs(
        attrs | ({"failures": json.dumps(told)} if told else {})
    )


_TOLD = (
    "function",
    "axes",
    "dims",
    "chips",
    "seeds",
    "key",
    "common",
    "reduce",
    "jax",
    "chunk",
)


def failures(dataset: xr.Dataset) -> list[dict[str, Any]]:
    """What went wrong in a sweep: point, chip, seed, error, and how to see it again."""
    return json.loads(dataset.attrs.get("failures", "[]"))


def _finished(
    files: Files,
    dataset: xr.Dataset,
    packed: np.ndarray,
    packing: Packing,
    name: str,
    number: int,
    reduction: Reduction,
    output: Output,
) -> dict[str, xr.DataArray]:
    """The variables of one reduction, over the points."""
    order = _order(files)
    lead, parts = packed.shape[:-3], packed.shape[-3:-1]
    blank = reduction.init(output.shape, np.dtype(output.dtype))
    computed = dataset.computed.transpose(*order).values
    rows: list[dict[str, Any]] = []
    for point in np.ndindex(*lead):
        state = blank
        for part in np.ndindex(*parts):
            row = packed[(*point, *part)]
            if row[0]:  # else it has not been computed
                state = reduction.merge(state, packing.unpack(row, name, number))
        rows.append(reduction.finish(state, int(computed[point])))
    return {
        f"{name}_{suffix}": _variable(name, suffix, rows, order, lead, dataset, output)
        for suffix in rows[0]
    }


def _order(files: Files) -> tuple[str, ...]:
    """Dimensions of the points in the order of the store."""
    return tuple(files.array("reason").metadata.dimension_names[:-2])


def _variable(name, suffix, rows, order, lead, dataset, output: Output) -> xr.DataArray:
    found = [row[suffix] for row in rows]
    size = tuple(np.max([np.shape(f.values) for f in found], axis=0))
    kind = np.result_type(*(np.asarray(f.values).dtype for f in found))
    gap = np.nan if kind.kind in "fc" else -1
    full = np.full((len(found), *size), gap, kind)
    for i, one in enumerate(found):
        values = np.asarray(one.values)
        full[(i, *map(slice, values.shape))] = values
    dims = tuple(f"{name}_{d}" for d in found[0].dims)
    own = output.dims[: len(size) - len(dims)]
    coords = {f"{name}_{k}": v for k, v in found[0].coords.items()}
    coords = {k: (k, v) for k, v in coords.items()}
    made = xr.DataArray(
        full.reshape(*lead, *size), dims=(*order, *dims, *own), coords=coords,
        attrs=dict(found[0].attrs),
    )  # fmt: skip
    return made.transpose(*(d for d in dataset.reason.dims if d in order), ...)


def _failures(files: Files, manifest, dataset: xr.Dataset) -> list[dict[str, Any]]:
    names = files.names("failures")
    if not names:
        return []
    reason = files.array("reason")
    shape, chunk = reason.shape, tuple(manifest["chunk"])
    dims = reason.metadata.dimension_names
    grid = tuple(-(-n // c) for n, c in zip(shape, chunk, strict=True))
    labels = {d: dataset[d].values for d in dims if d in dataset.coords}
    listed = manifest["dims"] == ["point"]
    found = []
    for name in names:
        number = int(name.partition(".")[0])
        place = np.unravel_index(number, grid)
        starts = [int(i) * c for i, c in zip(place, chunk, strict=True)]
        size = [min(c, n - s) for c, n, s in zip(chunk, shape, starts, strict=True)]
        for position, text in json.loads(files.get(f"failures/{name}") or b"[]"):
            inner = np.unravel_index(position, size)
            where = [s + int(i) for s, i in zip(starts, inner, strict=True)]
            at = dict(zip(dims, where, strict=True))
            if listed:
                held = {a: files.array(a)[at["point"]] for a in manifest["axes"]}
                point = {a: _item(v) for a, v in held.items()}
            else:
                point = {a: _item(labels[a][at[a]]) for a in manifest["axes"]}
            who = {k: int(labels[k][at[k]]) for k in ("chip", "seed")}
            found.append({"point": point, **who, "error": text})
    return _once_per_point(found)


def _once_per_point(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first of all runs of a point that failed alike, and how to replay it."""
    seen: dict[str, dict[str, Any]] = {}
    for one in sorted(found, key=lambda f: (str(f["point"]), f["chip"], f["seed"])):
        seen.setdefault(json.dumps([one["point"], one["error"]]), one)
    for one in seen.values():
        one["replay"] = (
            f"chipsweep.replay(spec, {one['point']}, chip={one['chip']}, "
            f"seed={one['seed']})"
        )
    return list(seen.values())


def _item(value: Any) -> Any:
    value = np.asarray(value)[()]
    return value.item() if hasattr(value, "item") else str(value)
