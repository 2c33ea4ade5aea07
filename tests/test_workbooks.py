"""Workbooks: what is read of them, and what is refused by name before it is."""

import datetime
import io
import re
import struct
import sys
import zipfile

import numpy as np
import pytest

from experiments.data import workbook
from experiments.data.formats import DataError
from experiments.data.tables import read_table

ROWS = [["pulse", "g\n(µS)"], [0, 2.5], [1, None], [2, 1e-06]]


def book(*sheets, titles=("points", "notes", "more")):
    """The bytes of a workbook with these sheets of rows."""
    openpyxl = pytest.importorskip("openpyxl")
    made = openpyxl.Workbook()
    made.remove(made.active)
    for rows, title in zip(sheets, titles, strict=False):
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def edited(content, part, change):
    """The same workbook with the text of one part changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            new.writestr(name, change(text) if name == part else text)
    return out.getvalue()


def archive(**parts):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name.replace("__", "/"), content)
    return out.getvalue()


def read(tmp_path, content, name="x.xlsx"):
    path = tmp_path / name
    path.write_bytes(content)
    return read_table(path)


def refused(tmp_path, content, words, name="x.xlsx"):
    with pytest.raises(DataError, match=words) as told:
        read(tmp_path, content, name)
    assert str(told.value).startswith(str(tmp_path / name))
    assert "\n" not in str(told.value)


def test_the_first_sheet_is_the_table(tmp_path):
    table = read(tmp_path, book([["# made on Monday"], [], *ROWS], [["a"], [1]]))
    np.testing.assert_array_equal(table.numbers["pulse"], [0, 1, 2])
    np.testing.assert_array_equal(table.numbers["g"], [2.5, np.nan, 1e-6])
    assert table.unit("g") == "µS"
    assert table.lines.tolist() == [4, 5, 6]
    assert table.dialect == "a spreadsheet, its sheet 'points' (the first of 2)"


SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize("claimed", ["A1:B2", "A1:XFD1048576", "A1:XFD99999999999"])
def test_the_size_that_a_sheet_claims_is_not_believed(claimed, tmp_path):
    def claim(text):
        assert b'ref="A1:B4"' in text
        return text.replace(b'ref="A1:B4"', f'ref="{claimed}"'.encode())

    table = read(tmp_path, edited(book(ROWS), SHEET, claim))
    assert table.numbers["pulse"].tolist() == [0, 1, 2]


def test_a_formula_is_its_value_or_refused_with_its_cell(tmp_path):
    content = book([["pulse", "g"], [0, 1.5], [1, "=B2*2"], [2, 4.0]])
    refused(tmp_path, content, "line 3: cell B3 holds a formula without its value")

    def computed(value, kind=""):
        def change(text):
            head, tail = b'<c r="B3"', b"<f>B2*2</f><v />"
            assert head in text
            assert tail in text
            text = text.replace(head, head + kind.encode())
            return text.replace(tail, b"<f>B2*2</f><v>" + value + b"</v>")

        return edited(content, SHEET, change)

    assert read(tmp_path, computed(b"3")).numbers["g"].tolist() == [1.5, 3, 4]
    gap = read(tmp_path, computed(b"", ' t="str"')).numbers["g"]  # =IF(...;"";...)
    np.testing.assert_array_equal(gap, [1.5, np.nan, 4])


def test_a_date_amid_numbers_is_refused_with_its_cell(tmp_path):
    day = datetime.datetime(2026, 5, 3)
    rows = [["pulse", "g", "when"], [0, 1.5, day], [1, day, day], [2, 2.5, day]]
    refused(tmp_path, book(rows), "line 3: cell B3 holds a date or time, 2026-05-03")
    rows[2][1] = 2.0
    table = read(tmp_path, book(rows))
    assert table.numbers["g"].tolist() == [1.5, 2, 2.5]
    assert table.words["when"] == ["2026-05-03 00:00:00"] * 3


OLE = bytes.fromhex("D0CF11E0A1B11AE1") + bytes(504)
LOCKED = OLE + "EncryptedPackage".encode("utf-16-le")
OLD = OLE + "Workbook".encode("utf-16-le")
NO_WORKBOOK = {
    "empty": (b"", "is empty, expected a workbook"),
    "text": (b"pulse,g\n0,1\n1,2\n", "no workbook.* let the name end in .csv"),
    "locked": (LOCKED, "locked by a password: take it off"),
    "old": (OLD, r"old format \(.xls\): save it as .xlsx or CSV"),
    "cut to its mark": (b"PK\x03\x04", "damaged archive, perhaps cut short"),
    "a zip of text": (archive(x="1,2\n"), "an archive and no workbook: unpack it"),
    "no part": (archive(), "an archive and no workbook: unpack it"),
    "open document": (
        archive(mimetype="x", **{"content.xml": "x"}),
        r"OpenDocument file \(.ods\): save it as .xlsx",
    ),
    "xlsb": (archive(**{"xl__workbook.bin": "x"}), r"binary workbook \(.xlsb\)"),
}


@pytest.mark.parametrize(("content", "words"), NO_WORKBOOK.values(), ids=NO_WORKBOOK)
def test_what_is_no_workbook_is_refused_by_its_kind(content, words, tmp_path):
    refused(tmp_path, content, words)


def test_packed_files_are_known_under_the_name_of_a_text(tmp_path):
    refused(tmp_path, book(ROWS), "under another name: let it end in .xlsx", "x.csv")
    refused(tmp_path, LOCKED, "locked by a password", "x.csv")
    refused(tmp_path, OLD, "old format", "x.xls")


def test_a_damaged_workbook_is_refused(tmp_path):
    whole = book(ROWS)
    refused(tmp_path, whole[: len(whole) // 2], "damaged archive, perhaps cut short")
    broken = edited(whole, SHEET, lambda text: text[: len(text) // 2])
    refused(tmp_path, broken, r"damaged workbook \(.*\): open and save it again")
    nothing = archive(**{"xl__workbook.xml": "<x/>"})
    refused(tmp_path, nothing, "damaged workbook")


def test_a_workbook_without_a_table_is_refused(tmp_path):
    empty = "sheet 'points' is empty, expected a table of numbers"
    refused(tmp_path, book([]), empty + "$")
    refused(tmp_path, book([], ROWS), empty + ": the first alone is read, not notes$")
    refused(tmp_path, book([["# a note"]]), empty)
    refused(tmp_path, book([["pulse", "g"]]), "line 1: has a header and no line")
    none = edited(
        book(ROWS), "xl/workbook.xml", lambda t: re.sub(rb"<sheet .*?/>", b"", t)
    )
    refused(tmp_path, none, "a workbook without a sheet of cells")


def test_a_bomb_is_refused_by_its_directory_before_it_is_unpacked(
    tmp_path, monkeypatch
):
    zeros = bytes(workbook.MOST_UNPACKED // 2 + 1)
    bomb = archive(**{"xl__workbook.xml": zeros, "xl__sheet.xml": zeros})
    assert len(bomb) < workbook.MOST_UNPACKED / 500

    def never(*_):
        raise AssertionError("must not be reached")

    monkeypatch.setattr(workbook, "_openpyxl", never)
    refused(tmp_path, bomb, "must unpack to at most 134,217,728 bytes, got 134,217,730")
    monkeypatch.undo()
    # a directory that lies: what it says is all that is unpacked, and the sum is off
    lie = struct.pack("<I", len(zeros))
    refused(tmp_path, bomb.replace(lie, struct.pack("<I", 9)), "damaged workbook")
    monkeypatch.setattr(workbook, "MOST_PARTS", 1)
    refused(tmp_path, bomb, "an archive of more than 1 parts")


def test_rows_and_cells_are_bounded(tmp_path, monkeypatch):
    far = edited(
        book(ROWS), SHEET, lambda t: t.replace(b'<row r="4"', b'<row r="99999999999"')
    )
    wide = book([[1.0] * 10_001])
    refused(tmp_path, wide, "at most 10000 columns")
    monkeypatch.setattr(workbook, "MOST_ROWS", 99)
    refused(tmp_path, far, "line 100: must have at most 99 rows")
    monkeypatch.setattr(workbook, "MOST_ROWS", 3)
    refused(tmp_path, book(ROWS), "line 4: must have at most 3 rows")
    monkeypatch.setattr(workbook, "MOST_ROWS", 4)
    assert read(tmp_path, book(ROWS)).lines.tolist() == [2, 3, 4]
    monkeypatch.setattr(workbook, "MOST_CELLS", 6)
    refused(tmp_path, book(ROWS), "line 4: .* and 6 cells, got more")


def test_without_openpyxl_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    whole = archive(**{"xl__workbook.xml": "<x/>"})
    refused(tmp_path, whole, r"extra `excel` of eapu-jax: `pip install '.\[excel\]'`")
    refused(tmp_path, LOCKED, "locked by a password")  # what needs no reader
