"""Values as JSON that can be read back: what a manifest is made of."""

import dataclasses
import functools
import hashlib
import inspect
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from experiments import provenance
from experiments.sweep.recall import imported

__all__ = ["code_of", "differences", "label", "shown"]


def label(value: Any) -> Any:
    """A value as JSON: itself, a tagged collection, or where to import it from.

    Example:
        >>> label((1, "adam", None)), label(np.tanh.__class__)
        ({'tuple': [1, 'adam', None]}, {'import': 'numpy:ufunc'})
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple | list):
        return {type(value).__name__: [label(v) for v in value]}
    if isinstance(value, Mapping):
        return {"dict": {str(k): label(v) for k, v in value.items()}}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return {"make": _where(type(value)), "fields": label(fields)["dict"]}
    where = _where(value)
    return {"import": where} if where else {"object": _described(value)}


def shown(value: Any) -> Any:
    """A value as a coordinate: a number or a short text."""
    if isinstance(value, bool | int | float | str):
        return value
    return getattr(value, "__name__", None) or str(value)


def code_of(function: Callable) -> str:
    """A digest of a function: its module's code, its own, and what it closes over."""
    digest = hashlib.sha256()
    module = getattr(inspect.unwrap(_plain(function)), "__module__", "") or ""
    try:
        digest.update(provenance.code_hash(module).encode())
    except (ImportError, ValueError):  # __main__, a notebook
        digest.update(_source_file(function))
    digest.update(_described(function).encode())
    return digest.hexdigest()[:12]


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
            found += differences(stored.get(name), asked.get(name), inner)
        return found
    if stored == asked:
        return []
    short = [
        repr(x) if len(repr(x)) < 200 else repr(x)[:200] + "..."
        for x in (stored, asked)
    ]
    return [f"{where}: stored {short[0]}, asked for {short[1]}"]


def _source_file(function: Callable) -> bytes:
    """The file that a script's function stands in."""
    try:
        return Path(inspect.getsourcefile(_plain(function)) or "").read_bytes()
    except (OSError, TypeError):
        return b"no file"


def _plain(function: Callable) -> Any:
    while isinstance(function, functools.partial):
        function = function.func
    return function


def _where(value: Any) -> str | None:
    """`module:name` if that leads back to the very same object."""
    module, name = (
        getattr(value, "__module__", None),
        getattr(value, "__qualname__", ""),
    )
    if not module or "<" in name or not name:
        return None
    try:
        return f"{module}:{name}" if imported(f"{module}:{name}") is value else None
    except (ImportError, AttributeError):
        return None


def _described(value: Any) -> str:
    """A text that changes when the value does, and stays the same between runs."""
    if isinstance(value, functools.partial):
        parts = [_described(v) for v in (value.func, value.args, value.keywords)]
        return f"partial({', '.join(parts)})"
    if inspect.isfunction(value):
        return _described_function(value)
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return _described_array(value)
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_described, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{k}: {_described(v)}' for k, v in value.items())}}}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return f"{type(value).__qualname__}({_described(fields)})"
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


def _described_function(function: Callable) -> str:
    code: Any = function.__code__
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):
        source = code.co_code.hex()
    cells = function.__closure__ or ()
    held = [c.cell_contents for c in cells if not _is_self(c, function)]
    bound = _described([held, function.__defaults__, function.__kwdefaults__])
    return f"{function.__qualname__} {source} {bound}"


def _is_self(cell: Any, function: Callable) -> bool:
    try:
        return cell.cell_contents is function
    except ValueError:  # empty
        return True


def _described_array(value: Any) -> str:
    try:
        content = hashlib.sha256(np.asarray(value).tobytes()).hexdigest()
    except TypeError:  # typed keys
        content = repr(value)
    return f"{value.dtype}{value.shape} {content}"
