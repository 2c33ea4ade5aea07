"""Plain Python, run by run; a run that raises is a missing value."""

from typing import Any

import numpy as np

from chipsweep.frame import Runs
from chipsweep.outputs import Errors
from chipsweep.point import BadFunction, Point
from chipsweep.spec import Spec, fields_of

_KINDS = {"str": np.dtypes.StringDType(), "float64": np.dtype(np.float64)}


def plain_rows(spec: Spec, runs: Runs) -> tuple[dict[str, np.ndarray], Errors]:
    """Outputs of the runs that came out, and what went wrong with which other.

    The function's key is a `numpy.random.Generator`.
    """
    assert spec.outputs is not None
    found, errors = [], {}
    for i, who in enumerate(zip(*runs, strict=True)):
        try:
            found.append(_one(spec, *map(int, who)))
        except BadFunction:
            raise
        except Exception as e:
            errors[i] = e
    rows = {}
    for name, (dtype, shape) in spec.outputs.items():
        values = np.array([one[name] for one in found], _KINDS[dtype])
        rows[name] = values.reshape(len(found), *shape)
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
    found, text = np.asarray(value), dtype == "str"
    if found.shape != shape:
        raise ValueError(f"output {name!r} was declared {shape}, got {found.shape}")
    if found.dtype.kind not in ("UT" if text else "biuf"):
        kind = "text" if text else "float"
        raise ValueError(f"output {name!r} was declared {kind}, got {value!r}")
    if text:
        return found
    held = found.astype(np.float64)
    if found.dtype.kind in "iu" and not np.array_equal(held.astype(found.dtype), found):
        raise ValueError(f"output {name!r} is beyond what a float holds, got {value!r}")
    return held
