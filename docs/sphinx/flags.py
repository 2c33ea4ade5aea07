"""The flags of an experiment, each with the help that its class or a base gives it."""

import dataclasses
import inspect
import re
from typing import Any, NamedTuple

_SECTION = re.compile(r"^Attributes:\n((?:[ ]{4}.*\n|\s*\n)*)", re.M)
_ENTRY = re.compile(r"^ {4}(\w+): (.*\n(?: {5,}.*\n|\s*\n)*)", re.M)


class Flag(NamedTuple):
    """One field of a `Config`, as it is typed.

    Attributes:
        name: with its dashes.
        default: as it is typed.
        help: Markdown, in one line.
    """

    name: str
    default: str
    help: str


def flags(config: type) -> list[Flag]:
    """Every field of a dataclass, those of its bases too, in the order of the help.

    Raises:
        KeyError: if neither the class nor a base says what a field is.

    Example:
        >>> @dataclasses.dataclass
        ... class Base:
        ...     '''A base.
        ...
        ...     Attributes:
        ...         n_chips: how many
        ...             there are.
        ...     '''
        ...     n_chips: int = 8
        >>> flags(dataclasses.dataclass(type("Config", (Base,), {})))
        [Flag(name='--n-chips', default='8', help='how many there are.')]
    """
    helps = _helps(config)
    return [
        Flag(f"--{f.name.replace('_', '-')}", _typed(_default(f)), helps[f.name])
        for f in dataclasses.fields(config)
    ]


def _helps(config: type) -> dict[str, str]:
    """Field -> help; a class goes before its bases."""
    found: dict[str, str] = {}
    for kind in reversed(config.__mro__):
        text = inspect.cleandoc(vars(kind).get("__doc__") or "") + "\n"
        for section in _SECTION.findall(text):
            for name, words in _ENTRY.findall(section):
                found[name] = " ".join(words.split())
    return found


def _default(field: "dataclasses.Field[Any]") -> Any:
    made = field.default_factory
    return field.default if made is dataclasses.MISSING else made()


def _typed(value: Any) -> str:
    """A value as one types it behind its flag."""
    if isinstance(value, tuple | list):
        return " ".join(map(_typed, value))
    return str(value)
