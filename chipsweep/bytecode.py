"""A digest of plain Python: its bytecode and everything it reaches.

Comments, names of files and line numbers do not count; constants, captured objects,
globals that are read and helpers of one's own modules do.
"""

import contextlib
import dataclasses
import dis
import functools
import hashlib
import inspect
import sysconfig
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

_INSTALLED = [Path(sysconfig.get_path(n)).resolve() for n in ("stdlib", "purelib")]


def digest_of_python(*things: Any) -> str:
    """A digest that changes when what the things compute may change.

    Example:
        >>> def made(scale):
        ...     return lambda x: scale * x
        >>> digest_of_python(made(2.0)) == digest_of_python(made(2.0))
        True
        >>> digest_of_python(made(2.0)) == digest_of_python(made(3.0))
        False
    """
    digest, seen = hashlib.sha256(), {}
    for thing in things:
        _add(digest, thing, seen)
    return digest.hexdigest()[:16]


def _add(digest: Any, thing: Any, seen: dict[int, Any]) -> None:
    """Feed what a thing is, and whatever hangs on it, to the digest."""
    digest.update(f"<{type(thing).__qualname__}>".encode())
    if thing is None or isinstance(thing, bool | int | float | complex | str | bytes):
        digest.update(repr(thing).encode())
        return
    if id(thing) in seen:
        digest.update(f"again {list(seen).index(id(thing))}".encode())
        return
    seen[id(thing)] = thing
    for part in _parts(thing):
        _add(digest, part, seen)


def _parts(thing: Any) -> list[Any]:
    if isinstance(thing, np.ndarray | np.generic) or hasattr(thing, "__array__"):
        value = np.asarray(thing)
        plain = value.tolist() if value.dtype == object else value.tobytes()
        return [str(value.dtype), str(value.shape), plain]
    if isinstance(thing, Mapping):
        return [x for pair in thing.items() for x in pair]
    if isinstance(thing, set | frozenset):
        return sorted(map(repr, thing))
    if isinstance(thing, tuple | list):
        return list(thing)
    if isinstance(thing, functools.partial):
        return [thing.func, thing.args, thing.keywords]
    if isinstance(thing, types.MethodType):
        return [thing.__func__, thing.__self__]
    if isinstance(thing, types.CodeType):
        return [thing.co_code, thing.co_names, thing.co_consts, thing.co_varnames]
    if isinstance(thing, types.ModuleType):
        return [thing.__name__]
    if inspect.isfunction(thing):
        return _of_function(thing)
    if isinstance(thing, type):
        named = [thing.__module__, thing.__qualname__]
        return named if _installed(thing) else [*named, _own(vars(thing))]
    if dataclasses.is_dataclass(thing):
        return [type(thing), {f.name: getattr(thing, f.name)
                              for f in dataclasses.fields(thing)}]  # fmt: skip
    if hasattr(thing, "__dict__"):
        return [type(thing), vars(thing)]
    return [getattr(thing, "__module__", ""), getattr(thing, "__qualname__", "")]


def _of_function(function: Any) -> list[Any]:
    if _installed(function):
        return [function.__module__, function.__qualname__]
    known, cells = function.__globals__, []
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):  # empty, while it is being made
            cells.append(cell.cell_contents)
    read = {n: known[n] for n in sorted(_globals(function.__code__)) if n in known}
    return [function.__code__, read, cells,
            function.__defaults__, function.__kwdefaults__]  # fmt: skip


def _globals(code: types.CodeType) -> set[str]:
    """Names of globals that a function reads, or a function within it."""
    loads = ("LOAD_GLOBAL", "LOAD_NAME")
    found = {i.argval for i in dis.get_instructions(code) if i.opname in loads}
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return found.union(*map(_globals, inner))


def _own(members: Mapping[str, Any]) -> dict[str, Any]:
    """What a class defines, but for what Python adds."""
    return {
        name: getattr(value, "__func__", value)
        for name, value in sorted(members.items())
        if not (name.startswith("__") and name.endswith("__")) or name == "__call__"
    }


def _installed(thing: Any) -> bool:
    """Whether a package that is installed holds it: its version stands for it."""
    try:
        where = Path(inspect.getfile(thing)).resolve()
    except (TypeError, OSError):
        return True
    return any(where.is_relative_to(root) for root in _INSTALLED)
