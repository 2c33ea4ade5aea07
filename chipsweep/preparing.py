"""Before the first call: trace, check, decide how wide a call is, open the store."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
from zarr.storage import MemoryStore

from chipsweep import memory
from chipsweep.checks import whole
from chipsweep.compute import Computer, told
from chipsweep.files import Files
from chipsweep.frame import Frame, chunk_for
from chipsweep.identity import Traced, trace
from chipsweep.manifest import digest, explained, manifest_of, outputs_in
from chipsweep.outputs import Errors, Outputs, outputs_of
from chipsweep.point import BadFunction
from chipsweep.saves import Saves
from chipsweep.spec import Spec
from chipsweep.store import Store, StoreError, read_manifest, require_ours
from chipsweep.suggest import suggest

PLAIN_WIDTH = 64
"""Runs per chunk of plain Python."""


@dataclass(frozen=True, kw_only=True)
class Resources:
    """How a sweep is spread; nothing here changes a draw, `chunk` the roundings.

    The fields are arguments of `sweep`, but for this one.

    Attributes:
        save_seconds: between two saves of a call `in_stages`, at least.
    """

    chunk: int | None = None
    devices: int | None = None
    memory_limit: int | None = None
    max_call_seconds: float = 60.0
    save_seconds: float = 60.0

    def __post_init__(self):
        for name in ("chunk", "devices", "memory_limit"):
            value = getattr(self, name)
            if value is not None:
                value = whole(name, value, at_least=1, at_most=2**62)
                object.__setattr__(self, name, value)
        longest, save = self.max_call_seconds, self.save_seconds
        if not longest > 0:
            raise ValueError(f"max_call_seconds must be above 0, got {longest}")
        if not save >= 0:
            raise ValueError(f"save_seconds must be at least 0, got {save}")


def prepared(
    spec: Spec, files: Files, resources: Resources, *, may_create: bool = True
) -> tuple[Store, Computer]:
    """Trace every program, decide the width of a call, and open the store.

    Raises:
        ValueError: on bad input; nothing has been written then.
        StoreError: if the store is that of another sweep.
    """
    require_ours(files)
    absent = files.get("zarr.json") is None
    stored = None if absent and may_create else read_manifest(files)
    asked, outputs, errors = _asked(spec)
    if stored is not None:
        wrong = explained(stored, {**asked, "chunk": stored["chunk"]})
        if wrong:
            raise StoreError(f"{files} holds another sweep:\n  " + "\n  ".join(wrong))
        outputs = outputs_in(stored)
    computer = _computer(spec, outputs, resources, errors, stored)
    manifest = {**asked, "chunk": list(computer.frame.chunk)}
    store = Store(files, computer.frame, outputs, manifest)
    if files.store.read_only:
        return store, computer
    if not store.create(root=stored is None):
        return prepared(spec, files, resources)  # by the root of who was first
    if not isinstance(files.store, MemoryStore):  # else nothing outlives the process
        computer.saves = Saves(files, digest(manifest), resources.save_seconds)
    return store, computer


def identity(spec: Spec) -> str:
    """A digest of all that decides the numbers of a sweep: equal for equal programs.

    A store is one sweep's own: a folder named by this never holds another's.
    """
    return digest(_asked(spec)[0])[:12]


def require_some(spec: Spec, errors: Mapping[int, Exception]) -> None:
    """Raise a RuntimeError, with what went wrong first, if every group failed."""
    if errors and len(errors) == len(spec.groups):
        cause = next(iter(errors.values()))
        raise RuntimeError(f"no point can be computed: {told(cause)}") from cause


def _asked(spec: Spec) -> tuple[dict[str, Any], Outputs, Errors]:
    """Manifest without the width of a call, outputs, and groups that cannot be traced.

    A spec is traced once, whoever asks; a new one is made at every opening.
    """
    if "_traced" not in vars(spec):
        vars(spec)["_traced"] = _traced_groups(spec)
    found, errors = vars(spec)["_traced"]
    outputs = outputs_of(spec, [t.outputs for t in found.values()])
    programs = [t and t.program for t in map(found.get, range(len(spec.groups)))]
    return manifest_of(spec, programs, outputs), outputs, dict(errors)


def _traced_groups(spec: Spec) -> tuple[dict[int, Traced], Errors]:
    """Every program, traced, or what went wrong with it, by the number of its group."""
    found, errors = {}, {}
    for group in spec.groups:
        try:
            found[group.number] = trace(spec, group)
        except BadFunction:
            raise
        except Exception as e:
            errors[group.number] = e
    require_some(spec, errors)
    if not errors and spec.outputs is None:
        for name in sorted({a.name for a in spec.axes} - spec.read):
            hint = suggest(name, sorted(spec.read - {"seed"}))
            raise ValueError(f"the function never reads the axis {name!r}{hint}")
    return found, errors


def _computer(
    spec: Spec, outputs: Outputs, resources: Resources, errors: Errors, stored: Any
) -> Computer:
    """What computes, at the width of the store or at one that fits."""
    local, asked = len(jax.local_devices()), resources.chunk
    n_devices = whole("devices", resources.devices or local, at_least=1, at_most=local)
    if spec.outputs is not None:
        n_devices = 1
    if asked is not None and asked > spec.runs:
        most = f"the {spec.runs} runs of the sweep"
        raise ValueError(f"chunk must be at most {most}, got {asked}")

    @functools.cache
    def at(chunk: tuple[int, ...]) -> Computer:
        return Computer(Frame(spec, chunk), outputs, n_devices, errors)

    if stored is not None:
        held = tuple(stored["chunk"])
        if asked is not None and chunk_for(spec, asked) != held:
            raise StoreError(
                f"chunk: stored {held}, asked for {chunk_for(spec, asked)}; "
                "leave it out to continue with the stored one"
            )
        return at(held)
    width = asked or (None if spec.outputs is None else PLAIN_WIDTH)
    if width is not None:
        return at(chunk_for(spec, width))
    return _fitted(lambda width: at(chunk_for(spec, width)), resources)


def _fitted(at: Callable[[int], Computer], resources: Resources) -> Computer:
    """A call that fits the memory and does not take too long."""
    probe = at(memory.PROBE)
    spec, n_devices, errors = probe.frame.spec, probe.n_devices, probe.errors
    group = next(g for g in spec.groups if g.number not in errors)
    limit = resources.memory_limit or memory.default_budget(n_devices)
    enough = memory.WORKING_SET if jax.default_backend() == "cpu" else None
    try:
        width = memory.choose(
            lambda width: memory.needed(at(width).program(group)),
            *(spec.runs, n_devices, limit, enough),
        )
    except MemoryError:
        raise
    except Exception as e:  # told of every run of the group, when it is its turn
        errors[group.number] = e
        return probe
    while True:
        computer = at(width)
        computer.program(group)
        took = computer.tried(range(min(n_devices, computer.frame.count)))
        narrower = memory.narrower(width, took, resources.max_call_seconds)
        if narrower == width or computer.frame.width == 1:
            return computer
        width = min(narrower, computer.frame.width - 1)
