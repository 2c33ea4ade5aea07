"""Tables of numbers as laboratories write them: CSV in any dialect, or a spreadsheet.

Delimiter, decimal comma, encoding, header and units are found, not asked for. What
could be read in two ways is refused, naming line and column; nothing is guessed from
a number that has two meanings.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.data.formats import DataError
from experiments.results.store import read_file

MOST_BYTES = 64 * 2**20
"""Of a file; more is refused before it is read."""
MOST_COLUMNS = 10_000
OVERFLOW = 9.9e37
"""What source meters write where there is no reading, and beyond: missing."""
MISSING = {
    "", "nan", "na", "n/a", "null", "none", "-", "--", "?",
    "#n/a", "#nv", "#num!", "#div/0!", "#wert!", "#valeur!",
}  # fmt: skip
"""What spreadsheets and people write for it, in small letters."""

_DELIMITERS = {"\t": "tabs", ";": "semicolons", ",": "commas", "|": "bars"}
_POINT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?")
_COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)([eEdD][+-]?\d+)?")
_GROUPED = re.compile(
    r"[+-]?\d{1,3}([.,' \u00a0\u202f])\d{3}(?:\1\d{3})*(?:(?!\1)[.,]\d+)?"
)
_THOUSANDS = re.compile(r"[.' \u00a0\u202f]\d{3},")
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
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
        if path.suffix.lower() in (".xlsx", ".xlsm"):
            return _table(path, _spreadsheet(path), "a spreadsheet, its first sheet")
        content = read_file(path)
    except OSError as e:
        raise DataError(f"{path}: {e.strerror or e}") from e
    text, encoding = _decoded(path, content)
    rows, dialect = _rows(path, text)
    return _table(path, rows, f"{dialect}, {encoding}")


Row = tuple[int, list[str]]


def _decoded(path: Path, content: bytes) -> tuple[str, str]:
    if not content.strip():
        raise DataError(f"{path}: is empty, expected a table of numbers")
    if content[:4] == b"PK\x03\x04" or content[:4] == b"\xd0\xcf\x11\xe0":
        raise DataError(
            f"{path}: is a spreadsheet under another name: save it as .xlsx or CSV"
        )
    for mark, name in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            try:
                return content.decode(name), "UTF-16"
            except UnicodeDecodeError as e:
                raise DataError(f"{path}: is no UTF-16 text: {e.reason}") from None
    if b"\0" in content:
        where = content[: content.index(b"\0")].count(b"\n") + 1
        raise DataError(f"{path}, line {where}: holds binary data, expected text")
    try:
        return content.decode("utf-8-sig"), "UTF-8"
    except UnicodeDecodeError:
        return _western(path, content), "Windows-1252"


def _western(path: Path, content: bytes) -> str:
    """Text of one old Windows encoding; not one line in this, another in that."""
    lines = content.splitlines()
    foreign = [i for i, line in enumerate(lines, 1) if not line.isascii()]
    modern = [i for i in foreign if _is_utf8(lines[i - 1])]
    if modern:
        old = next(i for i in foreign if i not in modern)
        raise DataError(
            f"{path}: line {modern[0]} is UTF-8 and line {old} is not: save it in one "
            "encoding"
        )
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError as e:
        where = content[: e.start].count(b"\n") + 1
        raise DataError(f"{path}, line {where}: is in no known encoding") from None


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _rows(path: Path, text: str) -> tuple[list[Row], str]:
    lines = [
        (i, line)
        for i, line in enumerate(text.splitlines(), 1)
        if line.strip() and not _comment(line.strip())
    ]
    told = None
    if lines and (asked := re.fullmatch(r"\"?sep=(.)\"?", lines[0][1].strip())):
        told, lines = asked[1], lines[1:]
    if not lines:
        raise DataError(f"{path}: holds comments alone, expected a table of numbers")
    delimiter = told or _delimiter([line for _, line in lines])
    if delimiter == " ":
        return [(i, line.split()) for i, line in lines], "separated by blanks"
    rows = []
    for i, line in lines:
        if line.count('"') % 2:
            raise DataError(f"{path}, line {i}: a quotation mark is not closed")
        (fields,) = csv.reader(io.StringIO(line), delimiter=delimiter)
        rows.append((i, [field.strip() for field in fields]))
    named = _DELIMITERS.get(delimiter, repr(delimiter))
    return rows, f"separated by {named}"


def _comment(line: str) -> bool:
    """Whether a line is for people; one may begin with "#N/A"."""
    first = re.split(r"[\t;,|]", line)[0].strip()
    return line.startswith(("#", "%", "//")) and not _is_missing(first)


def _delimiter(lines: Sequence[str]) -> str:
    """What stands most steadily between the fields."""
    some = [re.sub(r'"[^"]*"', "x", line) for line in lines[:200]]
    for one in "\t;|":
        counts = [line.count(one) for line in some]
        if sum(c > 0 for c in counts) > len(some) / 2:
            return one
    blanks = [line.strip().split() for line in some]
    steady = min(map(len, blanks)) > 1 and all(_like_number(f) for f in blanks[-1])
    if "," in "".join(some) and not (steady and _decimals(blanks)):
        return ","
    return " " if max(map(len, blanks)) > 1 and steady else ","


def _decimals(rows: Iterable[list[str]]) -> bool:
    """Whether every comma stands within a number."""
    fields = [f for row in rows for f in row if "," in f]
    return all(_COMMA.fullmatch(f) for f in fields)


def _spreadsheet(path: Path) -> list[Row]:
    try:
        import openpyxl  # type: ignore[import-not-found]
    except ImportError:
        raise DataError(
            f"{path}: reading spreadsheets needs openpyxl (`pip install openpyxl`); or "
            "save it as CSV"
        ) from None
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        sheet = book.worksheets[0]
        rows = [
            (i, ["" if cell is None else str(cell) for cell in row])
            for i, row in enumerate(sheet.iter_rows(values_only=True), 1)
        ]
    except Exception as e:  # whatever a damaged archive makes it raise
        raise DataError(f"{path}: is no spreadsheet that can be read: {e}") from e
    return [(i, row) for i, row in rows if any(field.strip() for field in row)]


def _table(path: Path, rows: list[Row], dialect: str) -> Table:
    if not rows:
        raise DataError(f"{path}: is empty, expected a table of numbers")
    names, units, body = _header(path, rows)
    if not body:
        raise DataError(
            f"{path}, line {rows[-1][0]}: has a header and no line of numbers after it"
        )
    width = len(names)
    if width > MOST_COLUMNS:
        raise DataError(
            f"{path}: must have at most {MOST_COLUMNS} columns, got {width}"
        )
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
        if any(_like_number(field) for field in column) or all(
            map(_is_missing, column)
        ):
            numbers[name] = _numbers(path, name, column, lines, comma)
        else:
            words[name] = column
    if not any(np.isfinite(column).any() for column in numbers.values()):
        raise DataError(f"{path}: holds no number in {len(body)} lines")
    dialect += ", decimal commas" if comma else ""
    return Table(names, units, numbers, words, lines, dialect)


def _header(
    path: Path, rows: list[Row]
) -> tuple[tuple[str, ...], tuple[str, ...], list[Row]]:
    """Names and units of the columns, and the rows below them."""
    line, first = rows[0]
    while len(first) > 1 and not first[-1]:
        first = first[:-1]
    if all(_like_number(field) or _is_missing(field) for field in first):
        widest = max(len(row) for _, row in rows)
        names = tuple(f"column {n + 1}" for n in range(widest))
        return names, ("",) * widest, rows
    below = rows[1][1] if len(rows) > 1 else []
    mixed = any(map(_like_number, first))
    for n, field in enumerate(first if mixed else ()):
        other = below[n] if n < len(below) else ""
        words = not _like_number(field) and not _is_missing(field)
        if words and not _like_number(other):
            raise DataError(
                f"{path}, line {line}: {field!r} is neither a number nor the header of "
                "a column of numbers"
            )
    told = [_named(field.translate(_MICRO)) for field in first]
    names = [name or f"column {n + 1}" for n, (name, _) in enumerate(told)]
    units = [unit for _, unit in told]
    for name, times in Counter(names).items():
        if times > 1:
            where = [n + 1 for n, other in enumerate(names) if other == name]
            raise DataError(
                f"{path}, line {line}: columns {', '.join(map(str, where))} are all "
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
    return units and any(told) and not any(map(_like_number, told))


def _named(field: str) -> tuple[str, str]:
    """A name and its unit: "g (µS)", "g [µS]", "g / µS"."""
    found = _UNIT.fullmatch(field)
    if found and found[1]:
        return found[1], next(u for u in found.groups()[1:] if u is not None).strip()
    return field, ""


def _like_number(field: str) -> bool:
    kinds = _POINT, _COMMA, _GROUPED, _INFINITE
    return any(kind.fullmatch(field) for kind in kinds)


def _is_missing(field: str) -> bool:
    return field.lower() in MISSING


def _decimal_comma(path: Path, fields: dict[str, list[str]], lines) -> bool:
    """Whether a comma stands before the decimals; one file has one way."""
    comma = point = None
    for name, column in fields.items():
        for line, field in zip(lines, column, strict=True):
            if _COMMA.fullmatch(field) or _THOUSANDS.search(field):
                comma = comma or (line, name, field)
            elif "." in field and _POINT.fullmatch(field):
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
        if _is_missing(field):
            continue
        value = _number(field, comma)
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


def _number(field: str, comma: bool) -> float | None:
    """The number that a field is; None where it is none."""
    if grouped := _GROUPED.fullmatch(field):
        decimal = "," if comma else "."
        if grouped[1] != decimal:
            field = field.replace(grouped[1], "")
        elif field.count(decimal) > 1:
            return None
    if comma:
        field = field.replace(",", ".")
    if _INFINITE.fullmatch(field):
        return float(field)
    if not _POINT.fullmatch(field):
        return None
    return float(field.lower().replace("d", "e"))
