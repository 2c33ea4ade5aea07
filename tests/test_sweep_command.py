"""The engine on the command line."""

import pytest

from experiments import EXPERIMENTS, cli, store

GRID = ["--grid", "noise=0.5,1", "--grid", "length=5", "--structural", "length"]


@pytest.fixture(autouse=True)
def toy(monkeypatch):
    monkeypatch.setitem(EXPERIMENTS, "toy", "tests.toy_chips")
    monkeypatch.setitem(EXPERIMENTS, "other", "tests.toy_experiment")


def test_a_sweep_over_chips_is_stored_shown_and_replayed(tmp_path, capsys):
    sweep = ["sweep", "toy", "--chips", "3", *GRID, "--results", str(tmp_path)]
    assert cli.main(sweep) == 0
    (result,) = tmp_path.glob("toy-chips-*.nc")
    dataset = store.load(result)
    assert dict(dataset.last.sizes) == {"noise": 2, "length": 1, "chip": 3, "seed": 1}
    (folder,) = (tmp_path / "toy").glob("chips-*")
    assert cli.main(["peek", str(folder)]) == 0
    at, again = ["--at", "noise=1.0", "--at", "length=5"], tmp_path / "again.nc"
    command = ["replay", str(folder), *at, "--chip", "2", "--file", str(again)]
    assert cli.main(command) == 0
    chip = dataset.sel(noise=1.0, length=5, chip=2)
    assert store.load(again).last.item() == chip.last.item()
    assert "double" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (["sweep", "other", "--chips", "3"], 2),
        (["sweep", "toy", "--chips", "3", "--grid", "nose=0"], 2),
        (["sweep", "toy", "--chips", "0"], 2),
        (["replay", "nowhere"], 1),
        (["peek", "nowhere"], 1),
    ],
)
def test_nonsense_is_refused(command, status, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(command) == status
    assert "error:" in capsys.readouterr().err
