"""Before the first call: trace, check, decide how wide a call is, open the store."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax

from chipsweep import memory
from chipsweep.checks import whole
from chipsweep.compute import Computer
from chipsweep.files import Files
from chipsweep.frame import Frame, chunk_for
from chipsweep.identity import Traced, trace
from chipsweep.manifest import ABOUT, differences, manifest_of
from chipsweep.outputs import Output, outputs_of
from chipsweep.point import NoSuchField
from chipsweep.replicate import BadFunction
from chipsweep.spec import Spec
from chipsweep.store import Store, StoreError, read_manifest, require_ours
from chipsweep.suggest import suggest

__all__ = ["Prepared", "Resources", "identity", "prepared"]

PLAIN_WIDTH = 64
"""Runs per chunk of plain Python."""


@dataclass(frozen=True, kw_only=True)
class Resources:
    """How a sweep is spread; nothing here changes a draw, `chunk` the roundings.

    Attributes:
        chunk: runs per device and call; measured when None.
        devices: local devices; all when None.
        memory_limit: bytes per device; half of the free memory when None.
        max_call_seconds: that a call may take, as far as `chunk` can help it.
    """

    chunk: int | None = None
    devices: int | None = None
    memory_limit: int | None = None
    max_call_seconds: float = 60.0

    def __post_init__(self):
        for name in ("chunk", "devices", "memory_limit"):
            value = getattr(self, name)
            if value is not None:
                value = whole(name, value, at_least=1, at_most=2**62)
                object.__setattr__(self, name, value)
        if not self.max_call_seconds > 0:
            raise ValueError(
                f"max_call_seconds must be above 0, got {self.max_call_seconds}"
            )


class Prepared(NamedTuple):
    """A sweep that is ready to compute.

    Attributes:
        store: where to, and what is there.
        computer: how.
    """

    store: Store
    computer: Computer


def prepared(
    spec: Spec, files: Files, resources: Resources, *, may_create: bool = True
) -> Prepared:
    """Trace every program, decide the width of a call, and open the store.

    Raises:
        ValueError: on bad input; nothing has been written then.
        StoreError: if the store is that of another sweep.
    """
    require_ours(files)
    stored = read_manifest(files) if files.get("zarr.json") is not None else None
    if stored is None and not may_create:
        raise StoreError(f"{files} holds no sweep")
    traced, errors, causes = _once(spec)
    outputs = outputs_of(spec, [t for t in traced if t is not None])
    devices = resources.devices or len(jax.local_devices())
    if devices > len(jax.local_devices()):
        raise ValueError(
            f"devices must be from 1 to {len(jax.local_devices())} here, got {devices}"
        )
    if spec.outputs is not None:
        devices = 1
    programs = [None if t is None else t.program for t in traced]
    if stored is not None:
        _require_same(files, stored, spec, programs, outputs)
    computer = _computer(spec, outputs, resources, devices, errors, stored)
    computer.causes |= causes
    store = Store.opened(files, computer.frame, outputs, programs)
    return Prepared(store, computer)


def _require_same(files: Files, stored: Any, spec: Spec, programs, outputs) -> None:
    """Refuse the store of another sweep, however that one is cut."""
    asked = manifest_of(Frame(spec, chunk_for(spec, 1)), programs, outputs)
    wrong = differences({**stored, "chunk": None}, {**asked, "chunk": None})
    if wrong:
        raise StoreError(f"{files} holds another sweep:\n  " + "\n  ".join(wrong))


def traced_groups(
    spec: Spec,
) -> tuple[list[Traced | None], dict[int, str], dict[int, Exception]]:
    """Every program, traced; None where that fails, with what went wrong.

    Raises:
        ValueError: on an axis that does not exist or is never read.
        RuntimeError: if no program can be traced.
    """
    traced: list[Traced | None] = []
    errors: dict[int, str] = {}
    causes: dict[int, Exception] = {}
    for group in spec.groups:
        try:
            traced.append(trace(spec, group))
        except (NoSuchField, BadFunction):
            raise
        except Exception as e:
            traced.append(None)
            errors[group.number] = f"{type(e).__name__}: {e}"
            causes[group.number] = e
    if len(errors) == len(spec.groups):
        text, cause = errors[0], causes[0]
        raise RuntimeError(f"no point can be computed: {text}") from cause
    if not errors and spec.outputs is None:
        for name in sorted({a.name for a in spec.axes} - spec.read):
            hint = suggest(name, sorted(spec.read - {"seed"}))
            raise ValueError(f"the function never reads the axis {name!r}{hint}")
    return traced, errors, causes


def _once(spec: Spec):
    """A spec is traced once, whoever asks; a new one is made at every opening."""
    known = vars(spec).get("_traced")
    if known is None:
        known = traced_groups(spec)
        object.__setattr__(spec, "_traced", known)
    traced, errors, causes = known
    return traced, dict(errors), dict(causes)


def identity(spec: Spec) -> str:
    """A digest of all that decides the numbers of a sweep: equal for equal programs.

    A store is one sweep's own: a folder named by this never holds another's.
    """
    traced, _, _ = _once(spec)
    outputs = outputs_of(spec, [t for t in traced if t is not None])
    frame = Frame(spec, chunk_for(spec, 1))
    programs = [None if t is None else t.program for t in traced]
    manifest = manifest_of(frame, programs, outputs)
    told = {k: v for k, v in manifest.items() if k not in (*ABOUT, "chunk")}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]


def _computer(
    spec: Spec, outputs: dict[str, Output], resources: Resources, devices: int,
    errors: dict[int, str], stored: Any,
) -> Computer:  # fmt: skip
    """What computes, at the width of the store or at one that fits."""

    def at(chunk: tuple[int, ...]) -> Computer:
        return Computer(Frame(spec, chunk), outputs, devices, errors)

    asked = None if resources.chunk is None else chunk_for(spec, resources.chunk)
    if resources.chunk is not None and resources.chunk > spec.runs:
        raise ValueError(
            f"chunk must be at most the {spec.runs} runs of the sweep, "
            f"got {resources.chunk}"
        )
    if stored is not None:
        held = tuple(stored["chunk"])
        if asked not in (None, held):
            raise StoreError(
                f"chunk: stored {held}, asked for {asked}; "
                "leave it out to continue with the stored one"
            )
        return at(held)
    if asked is not None:
        return at(asked)
    if spec.outputs is not None:
        return at(chunk_for(spec, PLAIN_WIDTH))
    return _fitted(spec, at, resources, devices, errors)


def _fitted(spec, at, resources: Resources, devices: int, errors) -> Computer:
    """A call that fits the memory and does not take too long."""
    group = next(g for g in spec.groups if g.number not in errors)
    made: dict[tuple[int, ...], Computer] = {}

    def compile_for(width: int) -> Any:
        chunk = chunk_for(spec, width)
        if chunk not in made:
            made[chunk] = at(chunk)
        return made[chunk].program(group)

    limit = resources.memory_limit or memory.default_budget(devices)
    enough = memory.WORKING_SET if jax.default_backend() == "cpu" else None
    try:
        width, _ = memory.choose(compile_for, spec.runs, devices, limit, enough)
    except MemoryError:
        raise
    except Exception as e:  # told of every run of the group, when it is its turn
        errors[group.number] = f"{type(e).__name__}: {e}"
        return at(chunk_for(spec, memory.PROBE))
    while True:
        compile_for(width)
        computer = made[chunk_for(spec, width)]
        narrower = memory.narrower(width, computer.tried(), resources.max_call_seconds)
        if narrower == width or computer.frame.width == 1:
            return computer
        width = min(narrower, computer.frame.width - 1)
