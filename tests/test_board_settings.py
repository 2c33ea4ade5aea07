"""Covariances at several settings, and files of boards and covariances gone wrong."""

import numpy as np
import pytest

from experiments.commands import cli
from experiments.data import example_covariances
from experiments.data.covariances import read_covariance
from experiments.data.formats import DataError
from experiments.thermodynamic.board_file import read_board
from tests.shown_commands import ROOT

EXAMPLES = ROOT / "examples"
FILES = [EXAMPLES / f"synthetic_two_node_covariance_{k}.csv" for k in (1, 2)]
PAPERS = [EXAMPLES / f"two_node_setting_{k}.toml" for k in (1, 2)]
GOOD = "v1 (mV^2),v2 (mV^2)\n2,1\n1,3\n"


def asked(files, papers, samples, folder):
    words = ["board", *map(str, files), "--results", str(folder)]
    words += ["--samples", *map(str, samples)] if samples else []
    return cli.main([*words, "--nominal", *map(str, papers)])


def found_in(text):
    lines = text.split("[found]")[1].strip().splitlines()
    pairs = (line.split(" = ") for line in lines if not line.startswith("#"))
    ends = ((n, v.split("]")[0].strip("[ ").split(",")) for n, v in pairs)
    return {name.strip('"'): tuple(map(float, v)) for name, v in ends}


def test_covariances_at_two_settings_become_a_board(tmp_path, capsys):
    assert asked(FILES, PAPERS, [example_covariances.SAMPLES], tmp_path) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "covariance of v1, v2, 20,000 samples" in said
    assert "inverse: off by" in said
    stem = "board_synthetic_two_node_covariance_1"
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {f"{stem}.toml", f"{stem}.pdf", f"{stem}.png"}
    kept = tmp_path / f"{stem}.toml"
    found = found_in(kept.read_text(encoding="utf-8"))
    paper = read_board(PAPERS[0]).board
    off = example_covariances.OFF
    truth = {
        f"resistance[{k}]": paper.resistance[k] * off["resistance"][k] for k in (0, 1)
    }
    truth["noise[1]"] = paper.noise[1] * off["noise"][1]
    truth["coupling_conductance[0, 1]"] = 0.146413
    assert found.keys() == truth.keys()
    for name, (_, low, high) in found.items():
        assert low < truth[name] < high, name
    assert asked([kept], PAPERS[:1], [], tmp_path / "again") == 1
    assert "is a board as it was found" in capsys.readouterr().err
    assert not (tmp_path / "again").exists()


def test_the_examples_are_what_was_drawn():
    drawn = example_covariances.covariances()
    for path, matrix in zip(FILES, drawn, strict=True):
        assert path.read_text(encoding="utf-8").startswith("# synthetic")
        np.testing.assert_allclose(read_covariance(path).matrix, matrix, rtol=1e-5)


@pytest.mark.parametrize(
    ("files", "papers", "samples", "words"),
    [
        (FILES, PAPERS[:1], [100], "nominal: 1 boards for 2 covariances"),
        (FILES, PAPERS, [100] * 3, "samples: 3 numbers for 2 covariances"),
        (FILES[:1], PAPERS[:1], [1], "n_samples"),
        (FILES, PAPERS, [], "FILE: 2 files, expected one"),
        (FILES[:1], PAPERS[:1], [], "expected a time with its unit"),
        (
            FILES[:1], [EXAMPLES / "two_node_board.toml", PAPERS[0]], [10],
            "nominal: 2 boards",
        ),
        (
            FILES, [EXAMPLES / "two_node_board.toml", PAPERS[0]], [10],
            "expected the same in every",
        ),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(
    files, papers, samples, words, tmp_path, capsys
):
    assert asked(files, papers, samples, tmp_path / "r") != 0
    assert words in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "r").exists()


BAD = {
    "no unit": ("v1,v2\n2,1\n1,3\n", "line 1, column 'v1': expected a covariance"),
    "volts": (GOOD.replace("^2", ""), "column 'v1': expected a covariance.*'mV'"),
    "too few lines": ("a (V^2),b (V^2)\n2,1\n", "1 lines of 2 columns"),
    "a gap": (GOOD.replace("\n1,", "\n,"), "line 3, column 'v1': is empty"),
    "words": ("a (V^2),b (V^2)\n2,x\n1,y\n", "column 'b': holds words"),
    "lopsided": (GOOD.replace("2,1", "2,1.5"), "line 2, column 'v2'.*symmetric"),
    "indefinite": (GOOD.replace("1", "9").replace("v9", "v1"), "eigenvalue of -"),
}


@pytest.mark.parametrize(("content", "words"), BAD.values(), ids=BAD)
def test_a_bad_covariance_is_refused_by_name(content, words, tmp_path):
    path = tmp_path / "c.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=words) as told:
        read_covariance(path)
    assert str(told.value).startswith(str(path))


JUNK = [b"", b"nan", b"-1", b"0", b"[", b"]", b'"', b"= =", b"\0", b"\xff", b"1e999"]
JUNK += [b"\n[found]\n", b"true", b"[[1]]", b"1979-05-27", b"inf", b"'x'", b"{a = 1}"]


@pytest.mark.parametrize("path", [EXAMPLES / "two_node_board.toml", FILES[0]], ids=str)
def test_a_damaged_file_is_read_or_refused_in_words(path, tmp_path):
    """Pieces of a good file replaced by junk: never another error."""
    good, rng = path.read_bytes(), np.random.default_rng(0)
    read = read_board if path.suffix == ".toml" else read_covariance
    refused = []
    for _ in range(300):
        at = int(rng.integers(len(good)))
        length = int(rng.choice([0, 1, 3, 20, len(good)]))
        junk = JUNK[rng.integers(len(JUNK))]
        damaged = tmp_path / f"x{path.suffix}"
        damaged.write_bytes(good[:at] + junk + good[at + length :])
        try:
            read(damaged)
        except DataError as told:
            refused.append(str(told).startswith(str(damaged)))
    assert len(refused) > 100
    assert all(refused)
