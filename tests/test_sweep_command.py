"""The engine on the command line."""

import json
import shlex

import pytest

from experiments import EXPERIMENTS, report
from experiments.commands import cli
from experiments.figures import style
from experiments.results import store

GRID = ["--grid", "noise=0.5,1", "--grid", "length=5", "--structural", "length"]


@pytest.fixture(autouse=True)
def toy(monkeypatch):
    monkeypatch.setitem(EXPERIMENTS, "toy", "tests.toy_chips")
    monkeypatch.setitem(style.STYLE, "savefig.dpi", 20)


def test_a_sweep_over_chips_is_stored_shown_and_replayed(tmp_path, capsys):
    given = ["--chips", "3", *GRID, "--base.mean", "2"]
    sweep = ["sweep", "toy", *given, "--results", str(tmp_path)]
    assert cli.main(sweep) == 0
    (result,) = tmp_path.glob("toy-sweep-*.nc")
    dataset = store.load(result)
    assert dict(dataset.last.sizes) == {"noise": 2, "length": 1, "chip": 3, "seed": 1}
    assert json.loads(dataset.attrs["config"])["mean"] == 2.0
    assert dataset.last.mean() > 5
    assert result.with_suffix(".png").exists()
    (folder,) = (tmp_path / "toy").glob("toy-sweep-*.zarr")
    assert cli.main(["peek", str(folder)]) == 0
    at, again = ["--at", "noise=1.0", "--at", "length=5"], tmp_path / "again.nc"
    which = [*at, "--chip", "2", "--file", str(again)]
    command = ["replay", *sweep[1:], *which]
    assert cli.main(command) == 0
    chip = dataset.sel(noise=1.0, length=5, chip=2)
    assert store.load(again).last.item() == chip.last.item()
    (notes := tmp_path / "notes").write_text("mine")
    assert cli.main([*command[:-1], str(notes)]) == 1
    assert cli.main([*command, *at[:2]]) == 2
    assert notes.read_text() == "mine"
    assert "double" in capsys.readouterr().out
    page = report.write(tmp_path).path.read_text(encoding="utf-8")
    assert "python</span> <span>-m</span> <span>experiments</span>" in page
    again = shlex.join([*sweep[:-2], "--results", str(tmp_path)])
    assert "".join(f"<span>{word}</span> " for word in again.split())[:-1] in page
    assert "<img" in page


def test_statistics_alone_are_kept_of_what_is_reduced(tmp_path):
    words = ["sweep", "toy", "--chips", "9", "--grid", "mean=0,1"]
    assert cli.main([*words, "--reduce", "curve", "--results", str(tmp_path)]) == 0
    dataset = store.load(next(tmp_path.glob("*.nc")))
    assert "curve" not in dataset
    assert dataset.curve_quantile.dims == ("mean", "curve_q", "step")
    assert dataset.last.dims == ("mean", "chip", "seed")


def test_a_sweep_starts_from_a_preset_and_a_flag_goes_before_it(tmp_path):
    for more, length in ([], 2), (["--base.length", "3"], 3):
        folder = tmp_path / str(length)
        words = ["sweep", "toy", "--preset", "smoke", "--chips", "2", *more]
        assert cli.main([*words, "--results", str(folder)]) == 0
        dataset = store.load(next(folder.glob("*.nc")))
        assert json.loads(dataset.attrs["config"])["length"] == length
        assert "--preset smoke" in dataset.attrs["command"]
        assert cli.main(["replay", *words[1:], "--results", str(folder)]) == 0


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (["sweep", "toy", "--chips", "3", "--grid", "nose=0"], 2),
        (["sweep", "toy", "--chips", "0"], 2),
        (["sweep", "toy", "--grid", "mean=1", "--grid", "mean=2"], 2),
        (["sweep", "toy", "--structural", "mean"], 2),
        (["sweep", "toy", "--reduce", "lost"], 2),
        (["sweep", "toy", "--share", "2/2"], 2),
        (["sweep", "toy", "--share", "²/3"], 2),
        (["sweep", "toy", "--share", "1"], 2),
        (["sweep", "toy", "--chunk", "17"], 2),
        (["sweep", "toy", "--chunk", str(2**70)], 2),
        (["sweep", "toy", "--chips", str(2**70)], 2),
        (["sweep", "toy", "--key", str(2**70)], 2),
        (["sweep", "toy", "--key", "-1"], 2),
        (["sweep", "toy", "--preset", "smok"], 2),
        (["replay", "nowhere"], 2),
        (["replay", "toy", "--chip", "99"], 2),
        (["replay", "toy", "--at", "noise"], 2),
        (["peek", "nowhere"], 1),
    ],
)
def test_nonsense_is_refused(command, status, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(command) == status
    assert "error:" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
