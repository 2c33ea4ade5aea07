"""From a workbook to rows of fields: its first sheet, and what is no workbook.

A workbook is an archive of XML: a small file can unpack to any size. How much it would
be stands in its directory, which is read before anything is unpacked (and `zipfile`
unpacks no more than the directory says); a sheet that claims rows or columns without
end is left at the bound.
"""

import io
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, time, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

from experiments.data.dialect import Row, comment
from experiments.data.formats import DataError

ENDINGS = (".xlsx", ".xlsm")
MOST_UNPACKED = 128 * 2**20
"""Bytes of all parts of a workbook."""
MOST_PARTS = 10_000
MOST_ROWS = 2**20
"""Of a sheet: as many as Excel has."""
MOST_CELLS = 5_000_000
"""Of a sheet, empty ones before the last of a row counted."""
_OLD = bytes.fromhex("D0CF11E0")
_ARCHIVES = b"PK\x03\x04", b"PK\x05\x06"
_FORMULAS = b"<f>", b"<f "


def spreadsheet(path: Path, content: bytes) -> tuple[list[Row], str]:
    """The cells of the first sheet as fields, and how they were read.

    Args:
        path: for messages.
        content: of the file.

    Raises:
        DataError: where it is no workbook, one that is damaged, locked or unpacks to
            more than the bounds, or has a cell that cannot be a number; where openpyxl
            is missing.
    """
    if not content:
        raise DataError(f"{path}: is empty, expected a workbook")
    if not content.startswith((_OLD, *_ARCHIVES)):
        raise DataError(
            f"{path}: is no workbook, whatever its name: if it is text, let the name "
            "end in .csv"
        )
    if problem := _no_workbook(content):
        raise DataError(f"{path}: {problem}")
    _require_small(path, content)
    openpyxl = _openpyxl(path)
    try:
        with warnings.catch_warnings():  # of decoration that it does not keep
            warnings.simplefilter("ignore")
            return _first_sheet(path, content, openpyxl)
    except DataError:
        raise
    except Exception as e:  # whatever a damaged archive makes it raise
        told = " ".join(str(e).split())[:120] or type(e).__name__
        raise DataError(
            f"{path}: is a damaged workbook ({told}): open and save it again, or save "
            "it as CSV"
        ) from e


def not_text(content: bytes) -> str | None:
    """What a file is that is no text, and what would work; None where it may be text.

    Example:
        >>> not_text(b"pulse,g"), not_text(bytes.fromhex("D0CF11E0A1B11AE1"))[:20]
        (None, 'is a workbook of the')
    """
    if not content.startswith((_OLD, *_ARCHIVES)):
        return None
    renamed = "is a spreadsheet under another name: let it end in .xlsx"
    return _no_workbook(content) or renamed


def _no_workbook(content: bytes) -> str | None:
    """Why an archive is no workbook that is read; None if it is one."""
    if content.startswith(_OLD):
        if "EncryptedPackage".encode("utf-16-le") in content:
            return "is locked by a password: take it off, and save the workbook again"
        return "is a workbook of the old format (.xls): save it as .xlsx or CSV"
    if content.count(b"PK\x01\x02") > MOST_PARTS:
        return f"is an archive of more than {MOST_PARTS:,} parts, and no workbook"
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return "is a damaged archive, perhaps cut short: copy or save it again"
    if "xl/workbook.bin" in names:
        return "is a binary workbook (.xlsb): save it as .xlsx or CSV"
    if "content.xml" in names and "mimetype" in names:
        return "is an OpenDocument file (.ods): save it as .xlsx or CSV"
    if "xl/workbook.xml" not in names:
        return "is an archive and no workbook: unpack it, and give the table in it"
    return None


def _require_small(path: Path, content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        unpacked = sum(part.file_size for part in archive.infolist())
    if unpacked > MOST_UNPACKED:
        raise DataError(
            f"{path}: must unpack to at most {MOST_UNPACKED:,} bytes, got "
            f"{unpacked:,}: cut it, or save it as CSV"
        )


def _openpyxl(path: Path) -> ModuleType:
    try:
        import openpyxl
    except ImportError:
        raise DataError(
            f"{path}: reading a spreadsheet needs openpyxl, the extra `excel` of "
            "eapu-jax: `pip install '.[excel]'` in the checkout, or save it as CSV"
        ) from None
    return openpyxl


def _opened(openpyxl: Any, content: bytes, *, formulas: bool) -> Any:
    book = openpyxl.load_workbook(
        io.BytesIO(content), read_only=True, data_only=not formulas, keep_links=False
    )
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # what a file claims of them bounds nothing
    return book


def _first_sheet(
    path: Path, content: bytes, openpyxl: ModuleType
) -> tuple[list[Row], str]:
    book = _opened(openpyxl, content, formulas=False)
    if not book.worksheets:
        raise DataError(f"{path}: is a workbook without a sheet of cells")
    sheet = book.worksheets[0]
    found = list(_within_bounds(path, sheet))
    _require_no_dates(path, found, openpyxl)
    if _has_formulas(content):
        _require_computed(path, sheet, _opened(openpyxl, content, formulas=True))
    rows = [(i, [_field(cell) for cell in row]) for i, row in found]
    rows = [(i, row) for i, row in rows if any(row) and not comment(row[0])]
    others = [other.title for other in book.worksheets[1:]]
    if not rows:
        told = f": the first alone is read, not {', '.join(others)[:80]}"
        raise DataError(
            f"{path}: sheet {sheet.title!r} is empty, expected a table of numbers"
            + told * bool(others)
        )
    place = f"the first of {len(others) + 1}" if others else "the only one"
    return rows, f"a spreadsheet, its sheet {sheet.title!r} ({place})"


def _within_bounds(path: Path, sheet: Any) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Rows that hold something, until there are too many of rows or cells."""
    cells = 0
    rows = sheet.iter_rows(max_row=MOST_ROWS + 1, values_only=True)
    for i, row in enumerate(rows, 1):
        cells += len(row)
        if i > MOST_ROWS or cells > MOST_CELLS:
            raise DataError(
                f"{path}, line {i}: must have at most {MOST_ROWS:,} rows and "
                f"{MOST_CELLS:,} cells, got more: cut it, or save it as CSV"
            )
        width = next((n for n in range(len(row), 0, -1) if row[n - 1] is not None), 0)
        if width:
            yield i, row[:width]


def _field(cell: Any) -> str:
    return "" if cell is None else " ".join(str(cell).split())


def _require_no_dates(
    path: Path, rows: list[tuple[int, tuple[Any, ...]]], openpyxl: Any
) -> None:
    """Refuse a date amid numbers: it was a number to who typed it."""
    numbers = {n for _, row in rows for n, cell in enumerate(row) if _is_number(cell)}
    for i, row in rows:
        for n, cell in enumerate(row):
            if isinstance(cell, date | time | timedelta) and n in numbers:
                address = f"{openpyxl.utils.get_column_letter(n + 1)}{i}"
                raise DataError(
                    f"{path}, line {i}: cell {address} holds a date or time, {cell}, "
                    "amid numbers (3.5 or 3/5 is one to a spreadsheet): format the "
                    "column as numbers, and type it again"
                )


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _has_formulas(content: bytes) -> bool:
    """Whether any sheet has a formula; a look at the bytes is soon done."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheets = [n for n in archive.namelist() if n.startswith("xl/worksheets/")]
        return any(mark in archive.read(n) for n in sheets for mark in _FORMULAS)


def _require_computed(path: Path, sheet: Any, formulas: Any) -> None:
    """Refuse a formula whose value nobody computed: it would look like a gap."""
    both = zip(
        sheet.iter_rows(max_row=MOST_ROWS),
        formulas.worksheets[0].iter_rows(max_row=MOST_ROWS),
        strict=True,
    )
    for row, asked in both:
        for cell, formula in zip(row, asked, strict=True):
            # "str": the value is a text of no letters, as of =IF(A2="","",A2)
            if cell.value is None and formula.data_type == "f":
                if cell.data_type == "str":
                    continue
                raise DataError(
                    f"{path}, line {cell.row}: cell {cell.coordinate} holds a formula "
                    "without its value: open it in a spreadsheet program and save it, "
                    "or put the value in its place"
                )
