"""What a sweep yields: its variables, their kinds and dimensions, checked by name."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from chipsweep.axes import RESERVED
from chipsweep.spec import Spec
from chipsweep.suggest import suggest

REASONS = ("ok", "diverged", "failed", "not computed")
"""What the numbers of `reason` mean."""
OK, DIVERGED, FAILED, MISSING = range(4)


class Output(NamedTuple):
    """One output, as it is kept.

    Attributes:
        dtype: in the store. Whole numbers and booleans are floats, so that a gap can
            be NaN; text is "str".
        shape: of one run, the widest of all programs.
        dims: names of its own dimensions.
    """

    dtype: str
    shape: tuple[int, ...]
    dims: tuple[str, ...]

    def blank(self, n: int) -> np.ndarray:
        """No values yet, of `n` runs."""
        if self.dtype == "str":
            return np.full((n, *self.shape), "", np.dtypes.StringDType())
        return np.full((n, *self.shape), np.nan, self.dtype)


Outputs = dict[str, Output]
Errors = dict[int, Exception]
"""What went wrong, with which run or group."""


class Chunk(NamedTuple):
    """What one chunk brings, over its runs, row-major over its region.

    Attributes:
        number: of the chunk.
        outputs: name -> values, also of those that are not kept run by run.
        states: packed states of reductions; None without any.
        reason: why a run is missing, or that it is not.
        errors: position of a run and what went wrong with it.
    """

    number: int
    outputs: dict[str, np.ndarray]
    states: np.ndarray | None
    reason: np.ndarray
    errors: list[tuple[int, str]]


def outputs_of(spec: Spec, programs: Iterable[Mapping[str, Any]]) -> Outputs:
    """The outputs of all programs together.

    Raises:
        ValueError: on a name that is taken, an output that does not exist, shapes
            that no dataset holds.
    """
    wide: dict[str, tuple[str, tuple[int, ...]]] = {}
    for outputs in programs:
        for name, (dtype, shape) in outputs.items():
            kind = _kind(name, dtype)
            wide[name] = _widest(name, wide.get(name, (kind, shape)), (kind, shape))
    for what in ("reduce", "keep", "dims", "may_be_nan"):
        for name in getattr(spec, what) or ():
            if name not in wide:
                raise ValueError(f"{what}: no output {name!r}{suggest(name, wide)}")
    found = {
        name: Output(kind, shape, _dims(spec, name, wide))
        for name, (kind, shape) in wide.items()
    }
    _require_free(spec, found)
    return found


def _finished(spec: Spec, name: str, output: Output) -> set[str]:
    """Names of the variables that the reductions of an output make."""
    made: set[str] = set()
    for reduction in spec.reduce.get(name, ()):
        state = reduction.init(output.shape, np.dtype(output.dtype))
        for suffix in reduction.finish(state, 0):
            if f"{name}_{suffix}" in made:
                raise ValueError(f"reduce: two reductions make {name}_{suffix}")
            made.add(f"{name}_{suffix}")
    return made


def _kind(name: str, dtype: str) -> str:
    """The dtype in the store."""
    if dtype == "str":
        return dtype
    held = np.dtype(dtype)
    if held.kind in "iub":
        return "float64"
    if held.kind not in "fc":
        raise ValueError(f"output {name!r} must be numbers, got {dtype}")
    return dtype if held.itemsize >= 4 else "float32"


def _widest(name, a, b) -> tuple[str, tuple[int, ...]]:
    """A dtype and a shape that hold both."""
    if len(a[1]) != len(b[1]):
        raise ValueError(
            f"output {name!r} has {len(a[1])} dimensions at one point and {len(b[1])} "
            "at another: no dataset holds both"
        )
    kind = a[0] if a[0] == b[0] else str(np.promote_types(a[0], b[0]))
    return kind, tuple(map(max, a[1], b[1]))


def _dims(spec: Spec, name: str, wide: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of an output's own dimensions."""
    shape = wide[name][1]
    if (own := spec.dims.get(name)) is not None:
        if len(own) != len(shape):
            raise ValueError(f"dims: {name!r} has {len(shape)} dimensions, got {own}")
        return own
    if len(shape) != 1:
        return tuple(f"{name}_{i}" for i in range(len(shape)))
    loose = {s[0] for n, (_, s) in wide.items() if n not in spec.dims and len(s) == 1}
    return ("step",) if len(loose) == 1 else (f"{name}_step",)


def _require_free(spec: Spec, outputs: Outputs) -> None:
    """Refuse two variables or dimensions of one name."""
    taken = dict.fromkeys((*RESERVED, "computed"), "the sweep's own")
    taken |= {a.name: "an axis" for a in spec.axes}
    for name, output in outputs.items():
        for made in _finished(spec, name, output):
            if made in outputs:
                raise ValueError(f"output {made!r} is also a reduction of {name!r}")
        if name in taken:
            raise ValueError(f"output {name!r}: this name is {taken[name]}: rename it")
        for dim in output.dims:
            if dim in taken or (dim in outputs and dim != name):
                raise ValueError(f"dims of {name!r}: the name {dim!r} is taken")
