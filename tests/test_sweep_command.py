"""The engine on the command line."""

import pytest

from experiments import cli, store

SMALL = ["--grid", "hidden=8", "--grid", "epochs=1", "--structural", "hidden", "epochs"]
SWEEP = ["sweep", "chip_yield", "--chips", "3", "--grid", "stuck_rate=0,0.5", *SMALL]


def test_a_sweep_over_chips_is_stored_shown_and_replayed(tmp_path, capsys):
    assert cli.main([*SWEEP, "--results", str(tmp_path)]) == 0
    (result,) = tmp_path.glob("chip_yield-chips-*.nc")
    dataset = store.load(result)
    assert dict(dataset.final.sizes)["chip"] == 3
    (folder,) = (tmp_path / "chip_yield").glob("chips-*")
    assert cli.main(["peek", str(folder)]) == 0
    at = ["--at", "stuck_rate=0.5", "--at", "hidden=8", "--at", "epochs=1"]
    again = tmp_path / "again.nc"
    command = ["replay", str(folder), *at, "--chip", "2", "--file", str(again)]
    assert cli.main(command) == 0
    chip = dataset.sel(stuck_rate=0.5, hidden=8, epochs=1, chip=2)
    assert store.load(again).final.item() == chip.final.item()
    assert "weights" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (["sweep", "scheme", "--chips", "3"], 2),
        (["sweep", "chip_yield", "--chips", "3", "--grid", "stuck=0"], 2),
        (["sweep", "chip_yield", "--chips", "0"], 2),
        (["replay", "nowhere"], 1),
        (["peek", "nowhere"], 1),
    ],
)
def test_nonsense_is_refused(command, status, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(command) == status
    assert "error:" in capsys.readouterr().err
