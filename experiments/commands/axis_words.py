"""`FIELD=a,b,c` on the command line, read as the field's annotation says."""

import dataclasses
import types
import typing
from pathlib import Path
from typing import Any

from chipsweep.suggest import suggest

__all__ = ["read_axis"]


def read_axis(base_type: type, text: str) -> tuple[str, list[Any]]:
    """Read `field=a,b,c`; the items of a tuple are joined by colons.

    Raises:
        ValueError: if there is no such field, or a value does not fit it.

    Example:
        >>> @dataclasses.dataclass(frozen=True)
        ... class Training:
        ...     epochs: int = 8
        ...     hidden: tuple[int, ...] = (16,)
        >>> read_axis(Training, "epochs=4,16")
        ('epochs', [4, 16])
        >>> read_axis(Training, "hidden=32:16,8")
        ('hidden', [(32, 16), (8,)])
    """
    field, equals, values = text.partition("=")
    if not equals or not values:
        raise ValueError(f"grid = {text!r}: expected FIELD=VALUE,VALUE,...")
    known = [f.name for f in dataclasses.fields(base_type)]
    if field not in known:
        raise ValueError(f"unknown field {field!r}{suggest(field, known)}")
    hint = typing.get_type_hints(base_type)[field]
    try:
        return field, [_read(hint, value.strip()) for value in values.split(",")]
    except ValueError as e:
        raise ValueError(f"grid = {text!r}: {e}") from None


def _read(hint: Any, text: str) -> Any:
    """One value of the type that a field's annotation names."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        items = text.split(":")
        kinds = [args[0]] * len(items) if args[-1] is Ellipsis else list(args)
        if len(items) != len(kinds):
            raise ValueError(f"{text!r} has {len(items)} items, not {len(kinds)}")
        return tuple(_read(k, i) for k, i in zip(kinds, items, strict=True))
    if origin in (typing.Union, types.UnionType):
        if text == "None" and type(None) in args:
            return None
        return _first_fit([a for a in args if a is not type(None)], text)
    if origin is typing.Literal:
        if text not in map(str, args):
            raise ValueError(f"{text!r} is not one of {', '.join(map(str, args))}")
        return next(a for a in args if str(a) == text)
    if hint is bool:
        if text.lower() not in ("true", "false"):
            raise ValueError(f"{text!r} is neither true nor false")
        return text.lower() == "true"
    if hint in (int, float, str, Path):
        return hint(text)
    raise ValueError(f"a field of type {hint} cannot be swept from the command line")


def _first_fit(hints: list[Any], text: str) -> Any:
    for hint in hints:
        try:
            return _read(hint, text)
        except ValueError:
            continue
    raise ValueError(f"{text!r} fits none of {hints}")
