"""A device as a small file that people can read, and every experiment takes."""

import dataclasses
import json
import math
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from eapu_jax import devices, encodings
from eapu_jax.chips import Spread
from eapu_jax.crossbar import Crossbar
from eapu_jax.periphery import Adc, Dac, Periphery

SCHEMA = "eapu-jax device 1"
MOST_BYTES = 2**20
"""Of a file; a device takes a few hundred."""


class OwnDevice(NamedTuple):
    """A device that was kept in a file.

    Attributes:
        crossbar: an array of the nominal device.
        spread: how chips stray from it.
        told: where its numbers come from.
    """

    crossbar: Crossbar
    spread: Spread
    told: str


def _kinds(*modules: Any) -> dict[str, Any]:
    named = {name: getattr(m, name) for m in modules for name in m.__all__}
    return {
        name: kind for name, kind in named.items() if dataclasses.is_dataclass(kind)
    }


KINDS = _kinds(devices, encodings)
KINDS |= {kind.__name__: kind for kind in (Crossbar, Spread, Periphery, Adc, Dac)}
"""What a file may name; nothing else is ever made from one."""


def save_device(
    path: str | Path,
    crossbar: Any,
    spread: Spread | None = None,
    *,
    told: str = "",
) -> None:
    """Write a device as TOML, whole or not at all.

    Args:
        path: of the file, which is replaced; *.toml.
        crossbar: a `Crossbar`, or what has one and a `spread`: a `FittedDevice`.
        spread: how chips stray; that of a `FittedDevice` when None.
        told: where the numbers come from, for people.

    Raises:
        ValueError: if a constant is not one number (an array of cells is no device),
            or the file cannot be written.

    Example:
        >>> import tempfile
        >>> from eapu_jax import SoftBounds
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "mine.toml"
        ...     save_device(path, Crossbar(device=SoftBounds(pulse=0.25)))
        ...     load_device(path).crossbar.device.pulse
        0.25
    """
    path = _path(path)
    if path.suffix != ".toml":
        raise ValueError(f"path must end in .toml, got {str(path)!r}")
    if not isinstance(crossbar, Crossbar):
        held = getattr(crossbar, "crossbar", None)
        if not isinstance(held, Crossbar):
            raise ValueError(
                f"crossbar must be a Crossbar or a FittedDevice, got {crossbar!r}"
            )
        spread = crossbar.spread if spread is None else spread
        crossbar = held
    if not isinstance(spread, Spread | None):
        raise ValueError(f"spread must be a Spread, got {spread!r}")
    lines = [f"schema = {_text(SCHEMA)}", f"told = {_text(told)}"]
    for name, thing in (("crossbar", crossbar), ("spread", spread or Spread())):
        lines += ["", *_table(name, thing)]
    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        beside.write_text("\n".join(lines) + "\n", encoding="utf-8")
        beside.replace(path)
    except OSError as e:
        beside.unlink(missing_ok=True)
        raise ValueError(f"path {path} cannot be written: {e.strerror or e}") from e


def load_device(path: str | Path) -> OwnDevice:
    """Read what `save_device` wrote; nothing in the file is run.

    Raises:
        ValueError: naming the file, the field and what was expected.
    """
    path = _path(path)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"must be at most {MOST_BYTES} bytes")
        held = tomllib.loads(path.read_bytes().decode("utf-8"))
        schema = held.get("schema")
        if schema != SCHEMA:
            raise ValueError(f"schema must be {SCHEMA!r}, got {schema!r}")
        unknown = set(held) - {"schema", "told", "crossbar", "spread"}
        if unknown:
            raise ValueError(f"{sorted(unknown)[0]} is not known")
        told = held.get("told", "")
        if not isinstance(told, str):
            raise ValueError(f"told must be words, got {told!r}")
        crossbar = _made("crossbar", held.get("crossbar"), Crossbar)
        spread = _made("spread", held.get("spread"), Spread)
    except OSError as e:
        raise ValueError(f"path {path}: {e.strerror or e}") from e
    except (ValueError, TypeError) as e:  # bad TOML and bad UTF-8 are ValueErrors
        raise ValueError(f"path {path}: {e}") from None
    return OwnDevice(crossbar, spread, told)


def _path(path: Any) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise ValueError(f"path must be that of a file, got {path!r}")
    return Path(path)


def _table(name: str, thing: Any) -> list[str]:
    """A thing as a table of TOML, what is within it as tables below."""
    lines, below = [f"[{name}]", f"kind = {_text(type(thing).__name__)}"], []
    for field in dataclasses.fields(thing):
        value = getattr(thing, field.name)
        if value is None:
            continue
        if dataclasses.is_dataclass(value):
            below += ["", *_table(f"{name}.{field.name}", value)]
        elif isinstance(value, Mapping):
            inner = ", ".join(
                f"{_text(k)} = {_plain(f'{name}.{field.name}', v)}"
                for k, v in value.items()
            )
            lines.append(f"{field.name} = {{{inner}}}")
        else:
            lines.append(f"{field.name} = {_plain(f'{name}.{field.name}', value)}")
    return lines + below


def _plain(name: str, value: Any) -> str:
    """A value of TOML, exact."""
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(_plain(name, v) for v in value) + "]"
    if isinstance(value, int | np.integer):
        return str(int(value))
    if np.size(value) != 1 or np.ndim(value):
        raise ValueError(
            f"{name} must be one number, got an array of shape {np.shape(value)}"
        )
    value = float(value)
    if not math.isfinite(value):
        return {math.inf: "inf", -math.inf: "-inf"}.get(value, "nan")
    return repr(value)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _made(name: str, held: Any, kind: type | None = None) -> Any:
    """A thing from its table."""
    if not isinstance(held, dict):
        raise ValueError(f"{name} must be a table, got {held!r}")
    named = held.get("kind")
    if named not in KINDS or (kind is not None and KINDS[named] is not kind):
        known = kind.__name__ if kind else ", ".join(KINDS)
        raise ValueError(f"{name}.kind must be one of {known}, got {named!r}")
    made = KINDS[named]
    fields = {f.name for f in dataclasses.fields(made)}
    values = {}
    for key, value in held.items():
        if key == "kind":
            continue
        if key not in fields:
            raise ValueError(
                f"{name}.{key} is not known: {named} has {', '.join(sorted(fields))}"
            )
        if isinstance(value, dict) and "kind" in value:
            value = _made(f"{name}.{key}", value)
        values[key] = tuple(value) if isinstance(value, list) else value
    try:
        return made(**values)
    except (ValueError, TypeError) as e:
        raise ValueError(f"{name}: {e}") from None
