"""Square real matrices in Matrix Market files, coordinate or array."""

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io

from experiments.data.formats import DataError
from experiments.results.store import read_file

MOST_BYTES = 4_000_000
MOST_ROWS = 128
"""Of a matrix: its board is simulated sample by sample."""
SINGULAR = 1e-12
"""Smallest over largest singular value, below which there is no inverse in doubles."""

_BANNER = "%%MatrixMarket"
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_WHOLE = r"[+-]?\d{1,18}"
_NOT_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
_SAME = {"general": False, "symmetric": True}


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """One matrix.

    Attributes:
        values: `(n, n)`, finite, not singular.
        title: first line of its comments that holds anything; empty without.
        dialect: how the file was read, for people.
    """

    values: np.ndarray
    title: str
    dialect: str


def read_matrix(path: str | Path) -> Matrix:
    """Read a matrix that can be inverted.

    The format is that of NIST: a banner, comments, sizes, then one entry a line. Every
    line is looked at before SciPy reads it, which would take "1d3" for 1.

    Raises:
        DataError: naming the line and what was expected; also where the file is not
            there, too large, not text, of complex numbers or none, or the matrix is not
            square, too large, not finite or singular.
    """
    path = Path(path)
    text = _text(path)
    lines = text.splitlines()
    form, kind, symmetric = _banner(path, lines[0])
    body = [
        (i, line)
        for i, line in enumerate(lines[1:], 2)
        if line.strip() and not line.startswith("%")
    ]
    n, entries = _size(path, form, symmetric, body)
    _check_lines(path, form, kind, n, symmetric, body[1:], entries)
    values = _values(path, lines[0], body)
    _check_invertible(path, values)
    comments = (one.lstrip("% ").strip() for one in lines[1:] if one.startswith("%"))
    title = next(filter(None, comments), "")
    return Matrix(values=values, title=title, dialect=" ".join(lines[0].split()[2:]))


def _text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise DataError(f"{path}: must be at most {MOST_BYTES} bytes, got {size}")
        content = read_file(path)
    except OSError as e:
        raise DataError(f"{path}: {e.strerror or e}") from e
    if not content.strip():
        raise DataError(f"{path}: is empty, expected a Matrix Market file")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as e:
        line = content[: e.start].count(b"\n") + 1
        raise DataError(f"{path}, line {line}: holds binary data, not text") from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise DataError(f"{path}, line {line}: holds binary data, not text")
    return text


def _banner(path: Path, line: str) -> tuple[str, str, bool]:
    words = line.split()
    if not words or words[0] != _BANNER:
        raise DataError(
            f"{path}, line 1: expected {_BANNER!r} first of all, got {line[:40]!r}"
        )
    if len(words) != 5:
        raise DataError(
            f"{path}, line 1: expected '{_BANNER} matrix', a format, a field and a "
            f"symmetry, got {len(words)} words"
        )
    given = [word.lower() for word in words[1:]]
    allowed = (
        ("object", ("matrix",)),
        ("format", ("coordinate", "array")),
        ("field", ("real", "integer")),
        ("symmetry", tuple(_SAME)),
    )
    for word, (name, which) in zip(given, allowed, strict=True):
        if word not in which:
            raise DataError(
                f"{path}, line 1: {name} = {word[:40]!r}: must be one of "
                f"{', '.join(which)}"
            )
    return given[1], given[2], _SAME[given[3]]


def _size(path: Path, form: str, symmetric: bool, body) -> tuple[int, int]:
    """Rows, and entries that must follow."""
    if not body:
        raise DataError(f"{path}: ends before its sizes")
    line, words = body[0][0], body[0][1].split()
    names = ("rows", "columns", "entries")[: 3 if form == "coordinate" else 2]
    if len(words) != len(names) or not all(re.fullmatch(_WHOLE, w) for w in words):
        raise DataError(
            f"{path}, line {line}: expected whole numbers of {', '.join(names)}, got "
            f"{body[0][1][:40]!r}"
        )
    sizes = [int(word) for word in words]
    rows, columns = sizes[:2]
    if rows != columns:
        raise DataError(
            f"{path}, line {line}: has {rows} rows and {columns} columns, expected a "
            "square matrix"
        )
    if not 1 <= rows <= MOST_ROWS:
        raise DataError(
            f"{path}, line {line}: rows = {rows}: must be 1 to {MOST_ROWS}, a board is "
            "simulated"
        )
    places = rows * (rows + 1) // 2 if symmetric else rows**2
    entries = sizes[2] if form == "coordinate" else places
    if not 0 <= entries <= places:
        raise DataError(
            f"{path}, line {line}: entries = {entries}: must be 0 to {places}"
        )
    return rows, entries


def _check_lines(path: Path, form, kind, n, symmetric, body, entries) -> None:
    if len(body) != entries:
        raise DataError(
            f"{path}: has {len(body)} lines of entries, expected {entries} by its sizes"
        )
    number = re.compile(_WHOLE if kind == "integer" else _NUMBER)
    seen: dict[tuple[int, int], int] = {}
    for i, line in body:
        words = line.split()
        if len(words) != (3 if form == "coordinate" else 1):
            wanted = "row, column and value" if form == "coordinate" else "one value"
            raise DataError(
                f"{path}, line {i}: expected {wanted}, got {line.strip()[:40]!r}"
            )
        value = words[-1]
        if _NOT_FINITE.fullmatch(value):
            raise DataError(
                f"{path}, line {i}: expected a finite number, got {value!r}"
            )
        if not number.fullmatch(value):
            raise DataError(
                f"{path}, line {i}: expected a number, {kind}, got {value[:40]!r}"
            )
        if not np.isfinite(float(value)):
            raise DataError(
                f"{path}, line {i}: {value[:40]} is beyond what a double holds"
            )
        if form == "coordinate":
            _check_place(path, i, words[:2], n, symmetric, seen)


def _check_place(path: Path, line, words, n, symmetric, seen) -> None:
    for name, word in zip(("row", "column"), words, strict=True):
        if not re.fullmatch(_WHOLE, word) or not 1 <= int(word) <= n:
            raise DataError(
                f"{path}, line {line}: {name} = {word[:40]}: must be a whole number "
                f"from 1 to {n}"
            )
    row, column = int(words[0]), int(words[1])
    if symmetric and column > row:
        raise DataError(
            f"{path}, line {line}: entry ({row}, {column}) is above the diagonal; of a "
            "symmetric matrix a file holds those on and below"
        )
    if (row, column) in seen:
        raise DataError(
            f"{path}, line {line}: entry ({row}, {column}) is given a second time, "
            f"first in line {seen[row, column]}"
        )
    seen[row, column] = line


def _values(path: Path, banner: str, body) -> np.ndarray:
    clean = "\n".join([banner, *(line for _, line in body)]) + "\n"
    try:
        found: Any = scipy.io.mmread(io.BytesIO(clean.encode()))
    except (ValueError, OverflowError) as e:
        raise DataError(f"{path}: is no Matrix Market file: {e}") from e
    dense = found.toarray() if hasattr(found, "toarray") else found
    return np.asarray(dense, float)


def _check_invertible(path: Path, values: np.ndarray) -> None:
    # scaled, so that no square of an entry overflows
    largest = np.abs(values).max()
    if not largest:
        raise DataError(f"{path}: every entry is 0")
    singular = np.linalg.svd(values / largest, compute_uv=False)
    if singular[-1] < SINGULAR * singular[0]:
        raise DataError(
            f"{path}: is singular: its smallest singular value is "
            f"{singular[-1] / singular[0]:.1g} of the largest, expected at least "
            f"{SINGULAR:g}. A grounded or shifted matrix (A + c I) has an inverse"
        )
