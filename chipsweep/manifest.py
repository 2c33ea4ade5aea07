"""What a store says of its sweep, as JSON: compared, shown, never run.

Nothing in it names anything to import or to call.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import jax

from chipsweep.axes import Axis, label
from chipsweep.outputs import Output, Outputs
from chipsweep.reductions import BY_NAME, fields
from chipsweep.spec import Spec, fields_of

FORMAT = "chipsweep 1"
ABOUT = ("function", "base")
"""Told to people, not compared: the traced programs are what decides."""


def manifest_of(
    spec: Spec, programs: Sequence[str | None], outputs: Outputs
) -> dict[str, Any]:
    """All that decides the numbers of a sweep, but for the width of a call."""
    named = spec.function
    named = named if hasattr(named, "__qualname__") else type(named)
    return {
        "format": FORMAT,
        "function": f"{named.__module__}:{named.__qualname__}",
        "base": {k: _told(v) for k, v in fields_of(spec.base).items()},
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
    }  # fmt: skip


def digest(manifest: Mapping[str, Any]) -> str:
    """Equal for manifests that differ in nothing that decides."""
    decisive = {k: v for k, v in manifest.items() if k not in ABOUT}
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def differences(stored: Any, asked: Any, where: str = "") -> list[str]:
    """Where two manifests differ, one line each.

    Example:
        >>> differences({"chips": 8, "key": 0}, {"chips": 16, "key": 0})
        ['chips: stored 8, asked for 16']
    """
    if isinstance(stored, dict) and isinstance(asked, dict):
        found = []
        for name in {**stored, **asked}:
            inner = f"{where}.{name}" if where else str(name)
            if inner not in ABOUT:
                found += differences(stored.get(name), asked.get(name), inner)
        return found
    if stored == asked:
        return []
    return [f"{where}: stored {stored!r:.200}, asked for {asked!r:.200}"]


def explained(stored: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    """Where two manifests differ, with the fields of the base that may be why.

    Example:
        >>> one = {"base": {"width": 4}, "programs": ["a"]}
        >>> two = {"base": {"width": 8}, "programs": ["b"]}
        >>> explained(one, two)[1]
        'base.width: stored 4, asked for 8'
    """
    wrong = differences(stored, asked)
    bases = stored.get("base"), asked.get("base")
    return wrong + differences(*bases, "base") if wrong and all(bases) else wrong


def reductions_in(manifest: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    """The reductions of a manifest; none where one is not of this package's kinds.

    Then only who has them, the sweep itself, can finish what they hold.
    """
    told: Mapping[str, Any] = manifest["reduce"]
    if not all(kind in BY_NAME for several in told.values() for kind, _ in several):
        return {}
    return {
        name: tuple(BY_NAME[kind](**given) for kind, given in several)
        for name, several in told.items()
    }


def outputs_in(manifest: Mapping[str, Any]) -> Outputs:
    """The outputs of a manifest."""
    return {
        name: Output(dtype, tuple(shape), tuple(dims))
        for name, (dtype, shape, dims) in manifest["outputs"].items()
    }


def _axis(spec: Spec, axis: Axis) -> dict[str, Any]:
    kind = "structural" if axis.structural else "int" if axis.integer else "float"
    values = [label(v) for v in spec.layout.values[axis.name]]
    found: dict[str, Any] = {"kind": kind, "values": values}
    if spec.layout.listed and axis.structural:
        found["index"] = spec.layout.index[axis.name].tolist()
    return found


def _told(value: Any) -> Any:
    """A field for people: short values as they are, others as a text, no address."""
    if value is None or isinstance(value, bool | int | str):
        return value
    return re.sub(r" at 0x[0-9a-f]+", "", f"{value!r:.200}")


def _indices(given: Sequence[int]) -> Any:
    if isinstance(given, range):
        return {"range": [given.start, given.stop, given.step]}
    return list(given)
