"""From the bytes of a file to rows of fields: encoding, delimiter, comments.

What could be read in two ways is refused, naming the line.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from experiments.data.formats import DataError
from experiments.data.numerals import COMMA, is_missing, like_number

Row = tuple[int, list[str]]
"""Number of a line, counted from 1, and its fields."""

_DELIMITERS = {"\t": "tabs", ";": "semicolons", ",": "commas", "|": "bars"}


def decoded(path: Path, content: bytes) -> tuple[str, str]:
    """The text of a file, and the name of its encoding."""
    if not content.strip():
        raise DataError(f"{path}: is empty, expected a table of numbers")
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


def separated(path: Path, text: str) -> tuple[list[Row], str]:
    """The fields of every line that is no comment, and what separates them."""
    lines = [
        (i, line)
        for i, line in enumerate(text.splitlines(), 1)
        if line.strip() and not comment(line.strip())
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


def comment(line: str) -> bool:
    """Whether a line is for people; one may begin with "#N/A"."""
    first = re.split(r"[\t;,|]", line)[0].strip()
    return line.startswith(("#", "%", "//")) and not is_missing(first)


def _delimiter(lines: Sequence[str]) -> str:
    """What stands most steadily between the fields."""
    some = [re.sub(r'"[^"]*"', "x", line) for line in lines[:200]]
    for one in "\t;|":
        counts = [line.count(one) for line in some]
        if sum(c > 0 for c in counts) > len(some) / 2:
            return one
    blanks = [line.strip().split() for line in some]
    steady = min(map(len, blanks)) > 1 and all(like_number(f) for f in blanks[-1])
    if "," in "".join(some) and not (steady and _decimals(blanks)):
        return ","
    return " " if max(map(len, blanks)) > 1 and steady else ","


def _decimals(rows: Iterable[list[str]]) -> bool:
    """Whether every comma stands within a number."""
    fields = [f for row in rows for f in row if "," in f]
    return all(COMMA.fullmatch(f) for f in fields)
