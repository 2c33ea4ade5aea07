"""Matrix Market files: what is read, and what is refused by name."""

import gzip

import numpy as np
import pytest

from experiments.commands import cli
from experiments.data.formats import DataError
from experiments.data.matrices import MOST_BYTES, MOST_ROWS, read_matrix
from experiments.thermodynamic.matrix_traits import traits
from tests.shown_commands import ROOT

HEAD = "%%MatrixMarket matrix coordinate real general\n"
SYMMETRIC = HEAD.replace("general", "symmetric")
ARRAY = HEAD.replace("coordinate", "array")
INTEGER = HEAD.replace("real", "integer")
GOOD = HEAD + "2 2 2\n1 1 1\n2 2 1\n"
EXAMPLES = sorted((ROOT / "examples").glob("*.mtx"))

BAD = {
    "empty": ("", "is empty"),
    "blank": (" \n\n", "is empty"),
    "no banner": ("2 2 2\n1 1 1\n", "line 1: expected '%%MatrixMarket'"),
    "glued": ("%%MatrixMarketmatrix real general\n1 1\n1\n", "line 1: expected"),
    "short banner": ("%%MatrixMarket matrix\n1 1 1\n", "line 1: .*got 2 words"),
    "object": (GOOD.replace("matrix ", "vector ", 1), "object = 'vector'"),
    "format": (GOOD.replace("coordinate", "dense"), "format = 'dense'"),
    "complex": (GOOD.replace("real", "complex"), "field = 'complex'"),
    "pattern": (GOOD.replace("real", "pattern"), "field = 'pattern'"),
    "skew": (GOOD.replace("general", "skew-symmetric"), "symmetry = 'skew-symm"),
    "hermitian": (GOOD.replace("general", "hermitian"), "symmetry = 'hermitian'"),
    "no sizes": (HEAD + "% only words\n", "ends before its sizes"),
    "sizes in words": (HEAD + "two 2 2\n", "line 2: expected whole numbers"),
    "two sizes": (HEAD + "2 2\n1 1 1\n", "line 2: expected whole numbers"),
    "endless size": (HEAD + "9" * 30 + " 1 1\n", "line 2: expected whole numbers"),
    "rectangular": (HEAD + "2 3 1\n1 1 1\n", "2 rows and 3 columns"),
    "huge": (HEAD + "100000000 100000000 1\n1 1 1\n", f"1 to {MOST_ROWS}"),
    "no rows": (HEAD + "0 0 0\n", f"rows = 0: must be 1 to {MOST_ROWS}"),
    "too many": (HEAD + "2 2 5\n" + "1 1 1\n" * 5, "entries = 5: must be 0 to 4"),
    "negative": (HEAD + "2 2 -1\n", "entries = -1"),
    "cut short": (HEAD + "2 2 3\n1 1 1\n2 2 1\n", "2 lines of entries, expected 3"),
    "too long": (GOOD + "1 2 1\n", "3 lines of entries, expected 2"),
    "array cut": (ARRAY + "2 2\n1\n2\n3\n", "3 lines of entries, expected 4"),
    "outside": (HEAD + "2 2 2\n1 1 1\n3 2 1\n", "line 4: row = 3"),
    "from 0": (HEAD + "2 2 2\n1 1 1\n2 0 1\n", "line 4: column = 0"),
    "half place": (HEAD + "2 2 2\n1.5 1 1\n2 2 1\n", "line 3: row = 1.5"),
    "four fields": (HEAD + "2 2 2\n1 1 1 5\n2 2 1\n", "line 3: expected row, column"),
    "word": (HEAD + "2 2 2\n1 1 abc\n2 2 1\n", "line 3: expected a number"),
    "Fortran": (HEAD + "2 2 2\n1 1 1d3\n2 2 1\n", "line 3: expected a number, real"),
    "hexadecimal": (HEAD + "2 2 2\n1 1 0x10\n2 2 1\n", "expected a number, real"),
    "half integer": (INTEGER + "1 1 1\n1 1 2.5\n", "expected a number, integer"),
    "NaN": (HEAD + "2 2 2\n1 1 nan\n2 2 1\n", "line 3: expected a finite number"),
    "infinite": (HEAD + "2 2 2\n1 1 1\n2 2 -Inf\n", "line 4: expected a finite"),
    "overflow": (HEAD + "2 2 2\n1 1 1e999\n2 2 1\n", "line 3: 1e999 is beyond"),
    "upper": (SYMMETRIC + "2 2 3\n1 1 1\n1 2 5\n2 2 1\n", "line 4: .*above the diag"),
    "twice": (HEAD + "2 2 2\n1 1 1\n1 1 2\n", "line 4: .*a second time.*line 3"),
    "zero": (HEAD + "2 2 0\n", "every entry is 0"),
    "singular": (ARRAY + "2 2\n1\n2\n2\n4\n", "is singular"),
    "NUL": (GOOD.replace("2 2 1", "2 2 \0"), "line 4: holds binary data"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_malformed_is_refused_by_name(name, tmp_path):
    text, words = BAD[name]
    path = tmp_path / "bad.mtx"
    path.write_bytes(text.encode())
    with pytest.raises(DataError, match=words):
        read_matrix(path)


def test_bytes_that_are_no_text_and_what_is_too_large_or_not_there_are_refused(
    tmp_path,
):
    packed, large = tmp_path / "packed.mtx", tmp_path / "large.mtx"
    packed.write_bytes(gzip.compress(GOOD.encode()))
    large.write_bytes(b"%" * (MOST_BYTES + 1))
    for path, words in (
        (packed, "line 1: holds binary data"),
        (large, f"at most {MOST_BYTES} bytes"),
        (tmp_path / "none.mtx", "No such file"),
        (tmp_path, "ordinary file"),
    ):
        with pytest.raises(DataError, match=words):
            read_matrix(path)


def test_a_refused_file_ends_the_command_without_a_traceback(tmp_path, capsys):
    path, results = tmp_path / "bad.mtx", tmp_path / "results"
    path.write_text(BAD["NaN"][0], encoding="utf-8")
    assert cli.main(["invert", str(path), "--results", str(results)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert "Traceback" not in said
    assert not results.exists()


def test_both_formats_hold_the_same_matrix(tmp_path):
    one, other = tmp_path / "one.mtx", tmp_path / "other.mtx"
    one.write_text(SYMMETRIC + "% a title\n2 2 3\n1 1 2\n2 1 -1e0\n2 2 .75\n")
    other.write_text(ARRAY + "2 2\n2\n-1\n-1\n0.75\n")
    assert read_matrix(one).title == "a title"
    np.testing.assert_array_equal(read_matrix(one).values, [[2, -1], [-1, 0.75]])
    np.testing.assert_array_equal(read_matrix(other).values, [[2, -1], [-1, 0.75]])


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_every_example_says_what_it_is_and_has_an_inverse(path):
    matrix = read_matrix(path)
    assert matrix.title
    product = matrix.values @ np.linalg.inv(matrix.values)
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-9)


def test_the_spring_chain_has_its_known_inverse():
    i = np.arange(1, 13)
    right = np.minimum.outer(i, i) * (13 - np.maximum.outer(i, i)) / 13
    values = read_matrix(ROOT / "examples" / "spring_chain.mtx").values
    np.testing.assert_allclose(np.linalg.inv(values), right, atol=1e-12)


def test_the_karate_club_has_its_published_friendships():
    values = read_matrix(ROOT / "examples" / "karate_laplacian.mtx").values
    np.testing.assert_array_equal(values.sum(0), 1)  # grounded by the identity
    friends = np.diagonal(values) - 1
    assert friends.sum() == 2 * 78
    assert (friends[0], friends[32], friends[33]) == (16, 12, 17)


def test_traits_are_those_of_the_matrix():
    m = traits(np.array([[2.0, -1.0], [-1.0, 2.0]]))
    assert all(m.values())
    scaled = traits(np.array([[1.0, -3.0], [-3.0, 16.0]]))
    assert scaled["an M-matrix"]
    assert not scaled["diagonally dominant"]
    signs = traits(np.array([[2.0, 1.0], [1.0, 2.0]]))
    assert not signs["an M-matrix"]
    assert signs["dominant once scaled (an H-matrix)"]
    assert not traits(np.array([[1.0, 2.0], [2.0, 1.0]]))["positive definite"]
    assert not traits(np.array([[1.0, 2.0], [0.0, 1.0]]))["symmetric"]
