"""A store as a dataset: labelled, lazy, its reductions finished."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from chipsweep.files import Files
from chipsweep.frame import region_of
from chipsweep.manifest import outputs_in, reductions_in
from chipsweep.outputs import MISSING, Output
from chipsweep.reductions import Reduction, numbered
from chipsweep.states import Packing
from chipsweep.store import STATES, read_manifest


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
    held = xr.open_zarr(files.store, chunks=None, consolidated=True)  # type: ignore
    held = held.drop_attrs(deep=False)
    computed = (held.reason != MISSING).sum(("chip", "seed"))
    held["computed"] = computed.assign_attrs(long_name="runs computed")
    dims, outputs = manifest["dims"], outputs_in(manifest)
    dataset = held.transpose(*dims, "chip", "seed", ...)
    reduce = reductions_in(manifest) if reductions is None else reductions
    packing = Packing(reduce, outputs, manifest["chunk"])
    packed = np.asarray(files.array(STATES)[...]) if reduce else np.zeros(0, np.uint8)
    for name, number, reduction in numbered(reduce):
        one = packing, name, number, reduction, outputs[name]
        found = _finished(packed, held.computed, *one)
        dataset = dataset.assign({k: v.transpose(*dims, ...) for k, v in found.items()})
    if "point" in dims:
        dataset = dataset.isel(point=np.argsort(held.point.values))
        dataset = dataset.drop_vars("point").set_coords(list(manifest["axes"]))
    first = [name for name in outputs if name in dataset]
    dataset = dataset[[*first, *(n for n in dataset.data_vars if n not in first)]]
    told = _failures(files, manifest, held)
    attrs = {"failures": json.dumps(told)} if told else {}
    return dataset.assign_attrs(sweep=json.dumps(manifest), **attrs)


def failures(dataset: xr.Dataset) -> list[dict[str, Any]]:
    """What went wrong in a sweep: point, chip, seed, error, and how to see it again."""
    return json.loads(dataset.attrs.get("failures", "[]"))


def _finished(
    packed: np.ndarray, computed: xr.DataArray, packing: Packing, name: str,
    number: int, reduction: Reduction, output: Output,
) -> dict[str, xr.DataArray]:  # fmt: skip
    """The variables of one reduction, over the points."""
    blank, rows = reduction.init(output.shape, np.dtype(output.dtype)), []
    for point, count in np.ndenumerate(computed.values):
        state = blank
        for part in np.ndindex(packed.shape[-3:-1]):
            row = packed[(*point, *part)]
            if row[0]:  # else it has not been computed
                state = reduction.merge(state, packing.unpack(row, name, number))
        rows.append(reduction.finish(state, int(count)))
    made = {}
    for suffix, one in rows[0].items():
        values = np.stack([row[suffix].values for row in rows])
        dims = tuple(f"{name}_{d}" for d in one.dims)
        own = output.dims[: values.ndim - 1 - len(dims)]
        made[f"{name}_{suffix}"] = xr.DataArray(
            values.reshape(*computed.shape, *values.shape[1:]),
            dims=(*computed.dims, *dims, *own),
            coords={f"{name}_{k}": (f"{name}_{k}", v) for k, v in one.coords.items()},
            attrs=dict(one.attrs),
        )
    return made


def _failures(files: Files, manifest: Any, held: xr.Dataset) -> list[dict[str, Any]]:
    """What went wrong, at the first of all runs of a point that failed alike."""
    names, axes = files.names("failures"), manifest["axes"]
    if not names:
        return []
    coordinates = ((name, held[name]) for name in (*axes, "chip", "seed"))
    labels = {name: (x.dims[0], x.values.tolist()) for name, x in coordinates}
    found = []
    for name in names:
        number = int(name.partition(".")[0])
        region = region_of(number, held.reason.shape, manifest["chunk"])
        size = [s.stop - s.start for s in region]
        for position, text in json.loads(files.get(f"failures/{name}") or b"[]"):
            inner = np.unravel_index(position, size)
            where = [s.start + int(i) for s, i in zip(region, inner, strict=True)]
            at = dict(zip(held.reason.dims, where, strict=True))
            run = {n: values[at[dim]] for n, (dim, values) in labels.items()}
            point = {a: run.pop(a) for a in axes}
            found.append({"point": point, **run, "error": text})
    alike: dict[str, dict[str, Any]] = {}
    for one in sorted(found, key=lambda f: (str(f["point"]), f["chip"], f["seed"])):
        again = f"{one['point']}, chip={one['chip']}, seed={one['seed']}"
        one["replay"] = f"chipsweep.replay(spec, {again})"
        alike.setdefault(json.dumps([one["point"], one["error"]]), one)
    return list(alike.values())
