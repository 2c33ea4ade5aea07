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
from chipsweep.frame import Frame, Runs
from chipsweep.preparing import Prepared, Resources, prepared
from chipsweep.replicate import arguments, replicate
from chipsweep.spec import Spec

__all__ = ["replay"]


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
    differences of the order of 1e-6 per step in float32, which a training amplifies
    like any other perturbation.

    If the function takes the keyword `trace`, it is called once more, alone, with
    `trace=True`, and may return more: weights, writes, conductances, step by step.
    Those are added; `attrs["rounding"]` is the largest difference between the two
    runs in what both returned.

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
            raise ValueError(
                f"{name} must be one of {min(known)} to {max(known)}, got {i}"
            )
    made = _made(spec, store, chunk)
    who = index, list(spec.chips).index(chip), list(spec.seeds).index(seed)
    outputs = _again(made, *who)
    attrs: dict[str, Any] = {"point": json.dumps(_labels(spec, index))}
    if spec.outputs is None and "trace" in inspect.signature(spec.function).parameters:
        traced = _traced(spec, *who)
        attrs["rounding"] = _apart(outputs, traced)
        outputs |= {k: v for k, v in traced.items() if k not in outputs}
    dims = {name: one.dims for name, one in made.store.outputs.items()}
    variables = {k: (dims.get(k) or _steps(k, v), v) for k, v in outputs.items()}
    return xr.Dataset(variables, coords={"chip": chip, "seed": seed}, attrs=attrs)


def _made(spec: Spec, store: Any, chunk: int | None) -> Prepared:
    """The programs of the store, or ones of their own."""
    if store is not None and chunk is None:
        files = Files.at(store, read_only=True)
        return prepared(spec, files, Resources(devices=1), may_create=False)
    return prepared(spec, Files.at(None), Resources(chunk=chunk or 1, devices=1))


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


def _again(made: Prepared, point: int, chip: int, seed: int) -> dict[str, np.ndarray]:
    """The run's row of the chunk that holds it."""
    number, position = _place(made.store.frame, point, chip, seed)
    (found,) = made.computer.compute([number])
    for i, text in found.chunk.errors:
        if i == position:
            raise RuntimeError(text) from made.computer.causes.get(
                int(made.store.frame.spec.group_of[point])
            )
    return {k: v[position] for k, v in found.outputs.items()}


def _place(frame: Frame, point: int, chip: int, seed: int) -> tuple[int, int]:
    """The chunk of a run, and the run's position in it."""
    where = (*(int(i[0]) for i in np.nonzero(frame.points == point)), chip, seed)
    chunk = [i // c for i, c in zip(where, frame.chunk, strict=True)]
    number = int(np.ravel_multi_index(chunk, frame.grid))
    runs = frame.runs(number)
    same = (runs.point == point) & (runs.chip == chip) & (runs.seed == seed)
    return number, int(np.flatnonzero(same)[0])


def _traced(spec: Spec, point: int, chip: int, seed: int) -> dict[str, np.ndarray]:
    runs = Runs(*(np.array([i]) for i in (point, chip, seed)))
    one = jax.tree.map(lambda a: a[0], arguments(spec, runs))
    group = spec.groups[spec.group_of[point]]
    return jax.device_get(jax.jit(replicate(spec, group, trace=True))(*one))


def _apart(a: Mapping[str, np.ndarray], b: Mapping[str, np.ndarray]) -> float:
    """Largest absolute difference; NaN equals NaN."""
    gaps = [
        np.abs(np.asarray(a[k], float) - np.asarray(b[k], float)) for k in a if k in b
    ]
    return max((float(np.nanmax(g, initial=0.0)) for g in gaps), default=0.0)


def _steps(name: str, value: Any) -> tuple[str, ...]:
    if np.ndim(value) == 1:
        return ("step",)
    return tuple(f"{name}_{i}" for i in range(np.ndim(value)))


def _labels(spec: Spec, index: int) -> dict[str, Any]:
    return {k: label(v) for k, v in spec.layout.point(index).items()}
