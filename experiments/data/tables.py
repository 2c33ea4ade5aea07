"""Tables of numbers as laboratories write them: CSV in any dialect, or a spreadsheet.

Delimiter, decimal comma, encoding, header and units are found, not asked for. What
could be read in two ways is refused, naming line and column; nothing is guessed from
a number that has two meanings.
"""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.data.dialect import Row, decoded, separated
from experiments.data.formats import DataError
from experiments.data.numerals import (
    COMMA,
    OVERFLOW,
    POINT,
    THOUSANDS,
    is_missing,
    like_number,
    number,
)
from experiments.data.workbook import ENDINGS, not_text, spreadsheet
from experiments.results.store import read_file

MOST_BYTES = 64 * 2**20
"""Of a file; more is refused before it is read."""
MOST_COLUMNS = 10_000
_UNIT = re.compile(r"(.*?)\s*(?:\(([^()]*)\)|\[([^\[\]]*)\]|/\s*(\S+))\s*")
_MICRO = str.maketrans({"\u03bc": "µ", "\u2126": "Ω"})  # two look-alikes of Unicode


@dataclass(frozen=True)
class Table:
    """Columns of numbers, and of words.

    Attributes:
        names: of the columns, as the header has them; "column 1" and so on without.
        units: of the columns; empty where none is told.
        numbers: by name, the columns of numbers; NaN where a value is missing.
        words: by name, the columns that hold no number.
        lines: number of the line of every row, counted from 1.
        dialect: how the file was read, for people.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    numbers: dict[str, np.ndarray]
    words: dict[str, list[str]]
    lines: np.ndarray
    dialect: str

    def unit(self, name: str) -> str:
        """The unit of a column."""
        return self.units[self.names.index(name)]


def read_table(path: str | Path) -> Table:
    """Read a table, whatever its dialect.

    Raises:
        DataError: naming line, column and what was expected; also where the file is
            not there, too large, binary, or holds no number.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise DataError(
                f"{path}: must be at most {MOST_BYTES} bytes, got {size}: cut it"
            )
        content = read_file(path)
    except OSError as e:
        raise DataError(f"{path}: {e.strerror or e}") from e
    if path.suffix.lower() in ENDINGS:
        return _table(path, *spreadsheet(path, content))
    if problem := not_text(content):
        raise DataError(f"{path}: {problem}")
    text, encoding = decoded(path, content)
    rows, dialect = separated(path, text)
    return _table(path, rows, f"{dialect}, {encoding}")


def _table(path: Path, rows: list[Row], dialect: str) -> Table:
    if not rows:
        raise DataError(f"{path}: is empty, expected a table of numbers")
    widest = max(len(row) for _, row in rows)
    if widest > MOST_COLUMNS:
        raise DataError(
            f"{path}: must have at most {MOST_COLUMNS} columns, got {widest}"
        )
    rows, dialect = _below_titles(rows, dialect)
    names, units, body = _header(path, rows)
    if not body:
        raise DataError(
            f"{path}, line {rows[-1][0]}: has a header and no line of numbers after it"
        )
    width = len(names)
    for i, row in body:
        if len(row) > width and any(row[width:]):
            raise DataError(
                f"{path}, line {i}: has {len(row)} fields, expected {width}, as the "
                "first line"
            )
    fields = {
        name: [row[n] if n < len(row) else "" for _, row in body]
        for n, name in enumerate(names)
    }
    lines = np.array([i for i, _ in body])
    comma = _decimal_comma(path, fields, lines)
    numbers, words = {}, {}
    for name, column in fields.items():
        if any(like_number(field) for field in column) or all(map(is_missing, column)):
            numbers[name] = _numbers(path, name, column, lines, comma)
        else:
            words[name] = column
    if not any(np.isfinite(column).any() for column in numbers.values()):
        raise DataError(f"{path}: holds no number in {len(body)} lines")
    dialect += ", decimal commas" if comma else ""
    return Table(names, units, numbers, words, lines, dialect)


def _below_titles(rows: list[Row], dialect: str) -> tuple[list[Row], str]:
    """The rows from the header on: above it lone fields of words are titles."""
    filled = (_filled(row) for _, row in rows)
    n = next((n for n, fields in enumerate(filled) if len(fields) > 1), 0)
    fields = [field for _, row in rows[: n + 1] for field in _filled(row)]
    if n == 0 or any(map(like_number, fields)):
        return rows, dialect
    lines = " and ".join(str(line) for line, _ in rows[:n][:4])
    return rows[n:], f"{dialect}, line {lines} taken for a title"


def _filled(row: list[str]) -> list[str]:
    return [field for field in row if field]


def _header(
    path: Path, rows: list[Row]
) -> tuple[tuple[str, ...], tuple[str, ...], list[Row]]:
    """Names and units of the columns, and the rows below them."""
    line, first = rows[0]
    while len(first) > 1 and not first[-1]:
        first = first[:-1]
    if all(like_number(field) or is_missing(field) for field in first):
        widest = max(len(row) for _, row in rows)
        names = tuple(f"column {n + 1}" for n in range(widest))
        return names, ("",) * widest, rows
    below = rows[1][1] if len(rows) > 1 else []
    mixed = any(map(like_number, first))
    for n, field in enumerate(first if mixed else ()):
        other = below[n] if n < len(below) else ""
        words = not like_number(field) and not is_missing(field)
        if words and not like_number(other):
            raise DataError(
                f"{path}, line {line}: {field!r} is neither a number nor the header of "
                "a column of numbers"
            )
    told = [_named(field.translate(_MICRO)) for field in first]
    names = [name or f"column {n + 1}" for n, (name, _) in enumerate(told)]
    units = [unit for _, unit in told]
    for name, times in Counter(names).items():
        if times > 1:
            where = [str(n) for n, other in enumerate(names, 1) if other == name]
            shown = ", ".join([*where[:6], *(["..."] if times > 6 else [])])
            raise DataError(
                f"{path}, line {line}: columns {shown} are all "
                f"called {name!r}, expected a name of its own for each"
            )
    body = rows[1:]
    if body and not any(units) and _units_alone(body[0][1]):
        units = [u.strip("()[] ").translate(_MICRO) for u in body[0][1]]
        units += [""] * (len(names) - len(units))
        body = body[1:]
    return tuple(names), tuple(units[: len(names)]), body


_SCALED = re.compile(
    r"[\(\[]?([fpnuµmkMG]?(S|A|V|s|Ω|ohms?|Ohm|F|H|Hz)|%|1|C|K)?[\)\]]?"
)


def _units_alone(row: list[str]) -> bool:
    """Whether a line holds units and no number."""
    told = [field.translate(_MICRO) for field in row]
    units = all(_SCALED.fullmatch(field) for field in told)
    return units and any(told) and not any(map(like_number, told))


def _named(field: str) -> tuple[str, str]:
    """A name and its unit: "g (µS)", "g [µS]", "g / µS", "g in µS"."""
    head, _, tail = field.rpartition(" in ")
    if head and tail and _SCALED.fullmatch(tail):
        return head.strip(), tail
    found = _UNIT.fullmatch(field)
    if found and found[1]:
        return found[1], next(u for u in found.groups()[1:] if u is not None).strip()
    return field, ""


def _decimal_comma(path: Path, fields: dict[str, list[str]], lines) -> bool:
    """Whether a comma stands before the decimals; one file has one way."""
    comma = point = None
    for name, column in fields.items():
        for line, field in zip(lines, column, strict=True):
            if COMMA.fullmatch(field) or THOUSANDS.search(field):
                comma = comma or (line, name, field)
            elif "." in field and POINT.fullmatch(field):
                point = point or (line, name, field)
    if comma and point:
        raise DataError(
            f"{path}, line {comma[0]}, column {comma[1]!r}: {comma[2]!r} has a decimal "
            f"comma and {point[2]!r} in line {point[0]} a decimal point, expected one "
            "of the two"
        )
    return comma is not None


def _numbers(path: Path, name: str, column: list[str], lines, comma: bool):
    found = np.full(len(column), np.nan)
    for n, field in enumerate(column):
        if is_missing(field):
            continue
        value = number(field, comma)
        if value is None:
            raise DataError(
                f"{path}, line {lines[n]}, column {name!r}: expected a number, got "
                f"{field[:40]!r}"
            )
        if np.isinf(value):
            raise DataError(
                f"{path}, line {lines[n]}, column {name!r}: expected a finite number, "
                f"got {field[:40]!r}"
            )
        found[n] = np.nan if abs(value) >= OVERFLOW else value
    return found
