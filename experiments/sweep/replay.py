"""One lane again, alone, with everything it went through."""

import inspect
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
import xarray as xr

from experiments.sweep.folder import read_folder
from experiments.sweep.labels import shown
from experiments.sweep.lane import arguments, lane_function
from experiments.sweep.manifest import study_from
from experiments.sweep.program import program_of
from experiments.sweep.resources import Resources
from experiments.sweep.shelf import Memory, Shelf
from experiments.sweep.study import Group, Study

__all__ = ["replay"]


def replay(
    where: str | Path | xr.Dataset,
    point: Mapping[str, Any] | int,
    *,
    chip: int = 0,
    seed: int = 0,
    function: Callable | None = None,
    base: Any = None,
    chunk: int | None = None,
) -> xr.Dataset:
    """Compute one chip with one seed at one point of a sweep again.

    The outputs come from the program of the sweep, at the sweep's chunk shape:
    they are equal bit for bit on the same kind of machine. With another `chunk`,
    and for a dataset that was not kept in a store, the draws are the same and the
    roundings may not be: relative differences of the order of 1e-6 per step in
    float32, which a training amplifies like any other perturbation.

    If the function takes the keyword `trace`, it is called once more, alone, with
    `trace=True`, and may return more: weights, writes, conductances, step by step.
    Those are added; `attrs["rounding"]` is the largest difference between the two
    runs in what both returned.

    Args:
        where: store of the sweep, or its dataset.
        point: axis -> value, or the number of the point.
        chip: index of the chip.
        seed: index of the seed.
        function: needed if it cannot be imported by its name.
        base: needed if it cannot be made from its fields.
        chunk: lanes per call; that of the sweep when None, 1 if unknown.

    Raises:
        ValueError: if there is no such point, chip or seed.
    """
    study, shelf = _found(where, function, base)
    index = _index(study, point)
    for name, i, known in (("chip", chip, study.chips), ("seed", seed, study.seeds)):
        if i not in known:
            raise ValueError(f"{name} = {i}: the sweep has {_span(known)}")
    group = next(g for g in study.groups if index in g.points)
    lane = _lane(study, group, index, chip, seed)
    outputs = _at_chunk(study, group, shelf, lane, chunk)
    attrs: dict[str, Any] = {"point": json.dumps(_labels(study, index))}
    if not study.host and "trace" in _parameters(study.function):
        traced = _traced(study, group, lane)
        attrs["rounding"] = _apart(outputs, traced)
        outputs |= {k: v for k, v in traced.items() if k not in outputs}
    variables = {k: (_dims(study, k, v), v) for k, v in outputs.items()}
    return xr.Dataset(variables, coords={"chip": chip, "seed": seed}, attrs=attrs)


def _found(where, function, base) -> tuple[Study, Shelf]:
    if isinstance(where, xr.Dataset):
        if "sweep" not in where.attrs:
            raise ValueError("this dataset is not the result of a sweep")
        manifest: Any = json.loads(where.attrs["sweep"])
        return study_from(manifest, function, base), Memory()
    folder, manifest = read_folder(where)
    return study_from(manifest, function, base), folder


def _index(study: Study, point: Mapping[str, Any] | int) -> int:
    points = study.layout.points
    if isinstance(point, int):
        if not 0 <= point < len(points):
            raise ValueError(f"point = {point}: there are {len(points)}")
        return point
    names = {a.name for a in study.axes}
    if set(point) != names:
        raise ValueError(f"point must name {sorted(names)}, got {sorted(point)}")
    for i, known in enumerate(points):
        if all(_equal(known[k], v) for k, v in point.items()):
            return i
    values = {
        a.name: sorted({str(shown(p[a.name])) for p in points}) for a in study.axes
    }
    raise ValueError(f"no point {dict(point)}; there are {values}")


def _equal(known: Any, asked: Any) -> bool:
    """The same value, its label, or the text of either."""
    if isinstance(known, float) and not isinstance(asked, str):
        return bool(np.isclose(known, asked, rtol=1e-9, atol=0))
    if isinstance(known, float):
        return known == float(asked)
    return asked in (known, shown(known), str(shown(known)))


def _lane(study: Study, group: Group, point: int, chip: int, seed: int) -> int:
    where = (
        group.points.index(point),
        study.chips.index(chip),
        study.seeds.index(seed),
    )
    sizes = (len(group.points), len(study.chips), len(study.seeds))
    return int(np.ravel_multi_index(where, sizes))


def _at_chunk(study, group, shelf, lane: int, chunk: int | None) -> dict[str, Any]:
    """The lane's row of the chunk that holds it."""
    known = shelf.known_group(group.number)
    if chunk is not None or known is None:
        shelf, chunk = Memory(), chunk or 1
    size = chunk or int((known or {})["chunk"])
    resources = Resources(chunk=chunk, devices=None if study.host else 1)
    program = program_of(study, group, resources, shelf)
    lanes = study.chunk(group, size, lane // size)
    start = lanes[0]
    ((outputs, errors),) = program.finish(program.start([lanes]))
    for i, text in errors:
        if i == lane - start:
            raise RuntimeError(text)
    return {k: v[lane - start] for k, v in outputs.items()}


def _traced(study: Study, group: Group, lane: int) -> dict[str, np.ndarray]:
    values = jax.tree.map(lambda a: a[0], arguments(study, group, np.array([lane])))
    return jax.device_get(jax.jit(lane_function(study, group, trace=True))(*values))


def _apart(a: Mapping[str, np.ndarray], b: Mapping[str, np.ndarray]) -> float:
    """Largest absolute difference; NaN equals NaN."""
    gaps = [
        np.abs(np.asarray(a[k], float) - np.asarray(b[k], float)) for k in a if k in b
    ]
    return max((float(np.nanmax(g, initial=0.0)) for g in gaps), default=0.0)


def _parameters(function: Callable) -> Mapping[str, Any]:
    return inspect.signature(function).parameters


def _dims(study: Study, name: str, value: Any) -> tuple[str, ...]:
    if name in study.dims:
        return study.dims[name]
    own = tuple(f"{name}_{i}" for i in range(np.ndim(value)))
    return ("step",) if len(own) == 1 and name not in study.dims else own


def _labels(study: Study, index: int) -> dict[str, Any]:
    return {k: shown(v) for k, v in study.layout.points[index].items()}


def _span(indices: tuple[int, ...]) -> str:
    return f"{min(indices)} to {max(indices)}"
