"""Plain Python, run by run; a run that raises is a missing value."""

from typing import Any

import numpy as np

from chipsweep.frame import Runs
from chipsweep.point import NoSuchField, Point
from chipsweep.replicate import BadFunction
from chipsweep.spec import Spec, fields_of

__all__ = ["plain_rows"]


def plain_rows(
    spec: Spec, runs: Runs
) -> tuple[dict[str, np.ndarray], list[tuple[int, str]]]:
    """Outputs of some runs, and what went wrong with which.

    The function's key is a `numpy.random.Generator`.
    """
    assert spec.outputs is not None
    kinds = {"str": np.dtypes.StringDType(), "float64": np.dtype(np.float64)}
    n = len(runs.point)
    rows = {
        name: np.full((n, *shape), "" if dtype == "str" else np.nan, kinds[dtype])
        for name, (dtype, shape) in spec.outputs.items()
    }
    errors = []
    for i, (point, chip, seed) in enumerate(zip(*runs, strict=True)):
        try:
            found = _one(spec, int(point), int(chip), int(seed))
            for name, value in found.items():
                rows[name][i] = value
        except (NoSuchField, BadFunction):
            raise
        except Exception as e:
            errors.append((i, f"{type(e).__name__}: {e}"))
    for i, _ in errors:  # nothing half of a run
        for name, (dtype, _) in spec.outputs.items():
            rows[name][i] = "" if dtype == "str" else np.nan
    return rows, errors


def _one(spec: Spec, point: int, chip: int, seed: int) -> dict[str, Any]:
    who = (spec.key, spec.seeds[seed], spec.chips[chip])
    rng = np.random.default_rng(who if spec.common else (*who, point))
    values = {**fields_of(spec.base), **spec.layout.point(point)}
    told = Point({**values, "seed": spec.seeds[seed]}, spec.read)
    found = spec.function(told, spec.chips[chip], rng)
    found = found._asdict() if hasattr(found, "_asdict") else dict(found)
    assert spec.outputs is not None
    if set(found) != set(spec.outputs):
        raise BadFunction(
            f"the function must return the declared outputs {sorted(spec.outputs)}, "
            f"got {sorted(map(str, found))}"
        )
    return {k: _as_declared(k, v, *spec.outputs[k]) for k, v in found.items()}


def _as_declared(name: str, value: Any, dtype: str, shape: tuple[int, ...]) -> Any:
    found = np.asarray(value)
    if found.shape != shape:
        raise ValueError(f"output {name!r} was declared {shape}, got {found.shape}")
    if dtype == "str":
        if found.dtype.kind not in "UT":
            raise ValueError(f"output {name!r} was declared text, got {value!r}")
        return found
    if found.dtype.kind not in "biuf":
        raise ValueError(f"output {name!r} was declared float, got {value!r}")
    held = found.astype(np.float64)
    if found.dtype.kind in "iu" and not np.array_equal(held.astype(found.dtype), found):
        raise ValueError(f"output {name!r} is beyond what a float holds, got {value!r}")
    return held
