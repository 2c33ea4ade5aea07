"""Boards in files of TOML: values, what of them is known, and where it came from."""

import tomllib
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from experiments.data.formats import DataError
from experiments.results.store import read_file
from thermo.circuits import RCBoard, RLCBoard
from thermo.circuits.board import AbstractBoard
from thermo.identify import Identified
from thermo.identify.components import UNITS

MOST_BYTES = 2**20
KINDS: dict[str, type[AbstractBoard]] = {"RC": RCBoard, "RLC": RLCBoard}


class Paper(NamedTuple):
    """A board as it is on paper.

    Attributes:
        board: nominal.
        known: names of fields or components that are as nominal.
    """

    board: AbstractBoard
    known: tuple[str, ...]


def read_board(path: str | Path) -> Paper:
    """Read a board that a person, or `board_text`, has written.

    Raises:
        DataError: naming the file and the entry, and what was expected.
    """
    try:
        if (size := Path(path).stat().st_size) > MOST_BYTES:
            raise DataError(f"{path}: must be at most {MOST_BYTES} bytes, got {size}")
        told = tomllib.loads(read_file(path).decode())
    except OSError as e:
        raise DataError(f"{path}: {e.strerror or e}") from e
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise DataError(f"{path}: is no TOML: {e}") from e
    kind = told.pop("kind", None)
    if kind not in KINDS:
        raise DataError(f"{path}: kind = {kind!r}: must be one of {', '.join(KINDS)}")
    known = told.pop("known", [])
    if not isinstance(known, list) or not all(isinstance(k, str) for k in known):
        raise DataError(f"{path}: known = {known!r}: must be a list of names")
    told.pop("found", None)
    needed = {field.name for field in fields(KINDS[kind])}  # type: ignore[arg-type]
    for name in told:
        if name not in needed:
            raise DataError(f"{path}: {name}: must be one of {', '.join(UNITS)}")
    try:
        values = {name: np.asarray(value, float) for name, value in told.items()}
        board = KINDS[kind](**values)
        board.check_linear()
    except (TypeError, ValueError) as e:
        raise DataError(f"{path}: {e}") from e
    return Paper(board, tuple(known))


def refuse_board(path: Path) -> None:
    """Refuse a file of a board where a record is expected.

    Raises:
        DataError: if it is called one, *.toml.
    """
    if path.suffix.lower() == ".toml":
        raise DataError(
            f"{path}: is a board as it was found or is on paper, expected a record of "
            "its voltages: give the board to --nominal"
        )


def board_text(
    found: Identified, level: float, origin: str, known: Sequence[str] = ()
) -> str:
    """The board as it was found, as TOML; beside it values with their intervals.

    What is not identified has a value that fits, and is named as such.

    Args:
        found: by `thermo.identify`.
        level: of confidence, of the intervals.
        origin: of the record, for people.
        known: what was not sought.
    """
    board: Any = found.board
    kind = next(k for k, made in KINDS.items() if isinstance(board, made))
    names = ", ".join(f'"{name}"' for name in known)
    lines = [f"# {origin}", f'kind = "{kind}"', f"known = [{names}]"]
    for name in board.component_kinds:
        value = np.asarray(getattr(board, name), float)
        if not value.any():
            continue
        lines.append(f"{name} = {_shown(value)}  # {UNITS[name]}")
    lines += ["", f"# estimate and {level:.0%} interval"]
    lines += ["[found]"]
    rows = zip(
        found.names, found.values, found.intervals(level), found.units, strict=True
    )
    for name, value, (low, high), unit in rows:
        if np.isnan(value):
            lines.append(f'# "{name}": not identified')
        else:
            lines.append(f'"{name}" = [{value:.6g}, {low:.6g}, {high:.6g}]  # {unit}')
    return "\n".join(lines) + "\n"


def _shown(value: np.ndarray) -> str:
    if value.ndim == 0:
        return f"{float(value):.8g}"
    return "[" + ", ".join(_shown(one) for one in value) + "]"
