"""What a store says of its sweep, as JSON: compared, shown, never run.

Nothing in it names anything to import or to call.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from chipsweep.axes import Axis, label
from chipsweep.frame import Frame
from chipsweep.outputs import Output
from chipsweep.reductions import by_name, fields, known
from chipsweep.spec import Spec

__all__ = ["ABOUT", "FORMAT", "differences", "manifest_of", "reductions_in"]

FORMAT = "chipsweep 1"
ABOUT = ("function",)
"""Told to people, not compared: what a function is called decides nothing."""


def manifest_of(
    frame: Frame, programs: Sequence[str | None], outputs: Mapping[str, Output]
) -> dict[str, Any]:
    """All that decides the numbers of a sweep and how they are laid out."""
    spec = frame.spec
    return {
        "format": FORMAT,
        "function": _called(spec.function),
        "jax": jax.__version__,
        "float": str(jax.dtypes.canonicalize_dtype(float)),
        "axes": {a.name: _axis(spec, a) for a in spec.axes},
        "dims": list(spec.layout.dims),
        "shape": list(spec.layout.shape),
        "chips": _indices(spec.chips),
        "seeds": _indices(spec.seeds),
        "key": spec.key,
        "common": bool(spec.common),
        "reduce": {
            name: [[type(one).__name__, fields(one)] for one in several]
            for name, several in spec.reduce.items()
        },
        "keep": None if spec.keep is None else list(spec.keep),
        "may_be_nan": list(spec.may_be_nan),
        "outputs": {k: [o.dtype, list(o.shape), list(o.dims)]
                    for k, o in outputs.items()},
        "programs": list(programs),
        "chunk": list(frame.chunk),
    }  # fmt: skip


def differences(stored: Any, asked: Any, where: str = "") -> list[str]:
    """Where two manifests differ, one line each.

    Example:
        >>> differences({"chips": 8, "key": 0}, {"chips": 16, "key": 0})
        ['chips: stored 8, asked for 16']
    """
    if isinstance(stored, dict) and isinstance(asked, dict):
        names = [*stored, *(n for n in asked if n not in stored)]
        found = []
        for name in names:
            inner = f"{where}.{name}" if where else str(name)
            if inner not in ABOUT:
                found += differences(stored.get(name), asked.get(name), inner)
        return found
    if stored == asked:
        return []
    short = [
        repr(x) if len(repr(x)) < 200 else repr(x)[:200] + "..."
        for x in (stored, asked)
    ]
    return [f"{where}: stored {short[0]}, asked for {short[1]}"]


def reductions_in(manifest: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    """The reductions of a manifest; none where one is not of this package's kinds.

    Then only who has them, the sweep itself, can finish what they hold.
    """
    kinds = [kind for several in manifest["reduce"].values() for kind, _ in several]
    if not all(map(known, kinds)):
        return {}
    return {
        name: tuple(by_name(kind, given) for kind, given in several)
        for name, several in manifest["reduce"].items()
    }


def outputs_in(manifest: Mapping[str, Any]) -> dict[str, Output]:
    """The outputs of a manifest."""
    return {
        name: Output(dtype, tuple(shape), tuple(dims))
        for name, (dtype, shape, dims) in manifest["outputs"].items()
    }


def _called(function: Any) -> str:
    module = getattr(function, "__module__", None) or type(function).__module__
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    return f"{module}:{name}"


def _axis(spec: Spec, axis: Axis) -> dict[str, Any]:
    kind = "structural" if axis.structural else "int" if axis.integer else "float"
    values = [label(v) for v in spec.layout.values[axis.name]]
    found: dict[str, Any] = {"kind": kind, "values": values}
    if spec.layout.dims == ("point",) and axis.structural:
        found["index"] = [int(i) for i in spec.layout.index[axis.name]]
    return found


def _indices(given: Sequence[int]) -> Any:
    if isinstance(given, range):
        return {"range": [given.start, given.stop, given.step]}
    return [int(i) for i in np.asarray(given)]
