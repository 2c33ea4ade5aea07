"""One run again, alone, with everything it went through."""

import inspect
import json
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
import xarray as xr

from chipsweep.axes import label
from chipsweep.files import Files
from chipsweep.frame import Runs
from chipsweep.outputs import outputs_of
from chipsweep.preparing import Resources, prepared
from chipsweep.replicate import arguments, replicate
from chipsweep.spec import Spec


def replay(
    spec: Spec,
    point: Mapping[str, Any] | int,
    *,
    chip: int = 0,
    seed: int = 0,
    store: Any = None,
    chunk: int | None = None,
) -> xr.Dataset:
    """Compute one chip with one seed at one point of a sweep again.

    With the store of the sweep, the outputs come from its program at its width of a
    call: they are equal bit for bit on the same kind of machine. Without, or with
    another `chunk`, the draws are the same and the roundings may not be: relative
    differences of the order of 1e-6 per step in float32, which a training amplifies.

    If the function takes the keyword `trace`, it is called once more, alone, with
    `trace=True`, and may return more, step by step. That is added; `attrs["rounding"]`
    is the largest difference between the two runs in what both returned.

    Args:
        spec: of the sweep; `specify` takes the same arguments as `sweep`.
        point: axis -> value, or the number of the point.
        chip: index of the chip.
        seed: index of the seed.
        store: of the sweep.
        chunk: runs per call; that of the store when None, 1 without one.

    Raises:
        ValueError: if there is no such point, chip or seed.
        RuntimeError: with what went wrong, if the run failed.
    """
    index = _index(spec, point)
    for name, i, known in (("chip", chip, spec.chips), ("seed", seed, spec.seeds)):
        if i not in known:
            ends = f"{min(known)} to {max(known)}"
            raise ValueError(f"{name} must be one of {ends}, got {i}")
    who = index, spec.chips.index(chip), spec.seeds.index(seed)
    alone = store is None or chunk is not None
    files = Files.at(None) if alone else Files.at(store, read_only=True)
    resources = Resources(chunk=chunk or 1 if alone else None, devices=1)
    kept, computer = prepared(spec, files, resources, may_create=alone)
    number, position = computer.frame.locate(*who)
    (found,) = computer.compute([number])
    if position in (wrong := dict(found.errors)):
        cause = computer.errors.get(int(spec.group_of[index]))
        raise RuntimeError(wrong[position]) from cause
    outputs = {k: v[position] for k, v in found.outputs.items()}
    dims = {name: one.dims for name, one in kept.outputs.items()}
    labels = {k: label(v) for k, v in spec.layout.point(index).items()}
    attrs: dict[str, Any] = {"point": json.dumps(labels)}
    if spec.outputs is None and "trace" in inspect.signature(spec.function).parameters:
        traced = _traced(spec, *who)
        attrs["rounding"] = _apart(outputs, traced)
        outputs |= {k: v for k, v in traced.items() if k not in outputs}
        shapes = {k: (str(v.dtype), v.shape) for k, v in outputs.items()}
        dims = {k: one.dims for k, one in outputs_of(spec, [shapes]).items()} | dims
    variables = {name: (dims[name], value) for name, value in outputs.items()}
    return xr.Dataset(variables, coords={"chip": chip, "seed": seed}, attrs=attrs)


def _index(spec: Spec, point: Mapping[str, Any] | int) -> int:
    layout = spec.layout
    if isinstance(point, int):
        if not 0 <= point < layout.size:
            raise ValueError(f"point must be from 0 to {layout.size - 1}, got {point}")
        return point
    names = {a.name for a in spec.axes}
    if set(point) != names:
        raise ValueError(f"point must name {sorted(names)}, got {sorted(point)}")
    for number in range(layout.size):
        known = layout.point(number)
        if all(_equal(known[k], v) for k, v in point.items()):
            return number
    values = {k: [label(v) for v in layout.values[k]] for k in layout.values}
    raise ValueError(f"no point {dict(point)}; there are {values}")


def _equal(known: Any, asked: Any) -> bool:
    """The same value, its label, or the text of either."""
    if isinstance(known, float):
        try:
            return bool(np.isclose(known, float(asked), rtol=1e-9, atol=0))
        except (TypeError, ValueError):
            return False
    return asked is known or str(label(asked)) == str(label(known))


def _traced(spec: Spec, point: int, chip: int, seed: int) -> dict[str, np.ndarray]:
    runs = Runs(*(np.array([i]) for i in (point, chip, seed)))
    one = jax.tree.map(lambda a: a[0], arguments(spec, runs))
    group = spec.groups[spec.group_of[point]]
    return jax.device_get(jax.jit(replicate(spec, group, trace=True))(*one))


def _apart(a: Mapping[str, np.ndarray], b: Mapping[str, np.ndarray]) -> float:
    """Largest absolute difference; NaN equals NaN."""
    shared = ((np.asarray(a[k], float), np.asarray(b[k], float)) for k in a if k in b)
    # a store pads what is wider at another point
    gaps = [np.abs(x[tuple(map(slice, y.shape))] - y) for x, y in shared]
    return max((float(np.nanmax(g, initial=0.0)) for g in gaps), default=0.0)
