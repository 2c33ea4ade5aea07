"""Constants with a unit, a source and a label, from a file that a user can replace."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eapu_jax.checks import number, one_of

LABELS = ("STATED", "STATED-2nd", "DERIVED", "RECALLED", "INFERRED", "ASSUMED", "OWN")
"""How a constant is known; OWN: measured by the user."""

_SCALES = {"pJ": 1e-12, "fJ": 1e-15, "nJ": 1e-9, "J": 1.0}
_SCALES |= {"ns": 1e-9, "us": 1e-6, "s": 1.0, "pulses": 1.0, "1": 1.0}
_FILE = Path(__file__).with_name("constants.toml")
_MOST = 2**20  # bytes


class ConstantsError(ValueError):
    """A file of constants that cannot be used: which entry, what it says, what fits."""


@dataclass(frozen=True, kw_only=True)
class Constant:
    """One number that somebody stated, derived or assumed.

    Attributes:
        value: in SI units (J, s), counts as they are.
        low: least plausible value; `value` itself where it is known.
        high: largest plausible value.
        source: where it is from, in words.
        label: how it is known, one of `LABELS`.
    """

    value: float
    low: float
    high: float
    source: str
    label: str

    def __post_init__(self):
        for name in ("low", "value", "high"):
            number(f"Constant.{name}", getattr(self, name), at_least=0)
        if not self.low <= self.value <= self.high:
            raise ValueError(
                f"Constant.value must be from low = {self.low:g} to "
                f"high = {self.high:g}, got {self.value:g}"
            )
        one_of("Constant.label", self.label, LABELS)
        if not isinstance(self.source, str) or not self.source.strip():
            raise ValueError(f"Constant.source must be a text, got {self.source!r}")


def read_constants(path: str | Path | None = None) -> dict[str, Constant]:
    """The constants that come with the library, and those of a file over them.

    A file is TOML, one table per constant: `value`, `unit` (`pJ`, `fJ`, `nJ`, `J`,
    `ns`, `us`, `s`, pulses or 1), `source`, `label`, and `low` and `high` where it is
    not known well.

    Args:
        path: of a file whose constants replace those of the library.

    Raises:
        ConstantsError: if the file cannot be read, or an entry is not as it must be:
            nothing of it is used then.

    Example:
        >>> known = read_constants()
        >>> known["mac"].label, f"{known['mac'].value:.1e} J"
        ('DERIVED', '1.0e-13 J')
    """
    known = _read(_FILE)
    return known if path is None else known | _read(Path(path))


def _read(path: Path) -> dict[str, Constant]:
    try:
        if not path.is_file():
            raise ConstantsError(f"{path}: no such file of constants")
        if path.stat().st_size > _MOST:
            raise ConstantsError(f"{path}: more than {_MOST} bytes are no constants")
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConstantsError(f"{path}: {error}") from None
    return {name: _constant(f"{path}: [{name}]", e) for name, e in entries.items()}


def _constant(where: str, entry: Any) -> Constant:
    if not isinstance(entry, Mapping):
        raise ConstantsError(f"{where} must be a table with value, unit, source, label")
    wanted = {"value", "unit", "source", "label"}
    missing, known = wanted - set(entry), wanted | {"low", "high"}
    if missing or set(entry) - known:
        wrong = f"lacks {sorted(missing)}" if missing else "knows no "
        wrong += "" if missing else f"{sorted(set(entry) - known)}"
        raise ConstantsError(f"{where} {wrong}")
    unit = entry["unit"]
    if unit not in _SCALES:
        raise ConstantsError(
            f"{where}: unit must be one of {list(_SCALES)}, got {unit!r}"
        )
    numbers = {n: _number(where, n, entry.get(n, entry["value"])) for n in _NUMBERS}
    try:
        return Constant(
            **{name: x * _SCALES[unit] for name, x in numbers.items()},
            source=entry["source"],
            label=entry["label"],
        )
    except ValueError as error:
        raise ConstantsError(f"{where}: {error}") from None


_NUMBERS = ("value", "low", "high")


def _number(where: str, name: str, given: Any) -> float:
    plain = isinstance(given, int | float) and not isinstance(given, bool)
    if not plain or not math.isfinite(given) or given < 0:
        raise ConstantsError(f"{where}: {name} must be a number >= 0, got {given!r}")
    return float(given)
