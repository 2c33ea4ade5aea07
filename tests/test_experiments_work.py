"""A part is computed once, and resumes bit for bit."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from experiments import provenance
from experiments.work import Progress, Work
from tests import toy_experiment as toy


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(toy, "CALLS", [])
    monkeypatch.setattr(toy, "FAIL_AT", {})


def run(folder, config=None, report=lambda progress: None):
    config = config or toy.Config()
    return toy.run(config, Work(folder=folder, config=config, report=report))


def test_kept_parts_equal_parts_in_memory(tmp_path):
    xr.testing.assert_identical(run(tmp_path), toy.run(toy.Config()))


def test_finished_parts_are_not_computed_again(tmp_path):
    first = run(tmp_path)
    second = run(tmp_path)
    assert toy.CALLS == [1.0, 2.0, 3.0]
    xr.testing.assert_identical(first, second)


@pytest.mark.parametrize("harm", [KeyboardInterrupt(), RuntimeError("no memory")])
def test_an_interrupted_run_resumes_bit_for_bit(tmp_path, harm):
    toy.FAIL_AT[2.0] = harm
    with pytest.raises(type(harm)):
        run(tmp_path)
    toy.FAIL_AT.clear()
    resumed = run(tmp_path)
    assert toy.CALLS == [1.0, 2.0, 2.0, 3.0]
    assert resumed.y.values.tobytes() == toy.run(toy.Config()).y.values.tobytes()


@pytest.mark.parametrize("change", [{"n_chips": 5}, {"loud": True}])
def test_another_config_is_computed_anew(tmp_path, change):
    run(tmp_path)
    run(tmp_path, replace(toy.Config(), **change))
    assert len(toy.CALLS) == 6


def test_other_code_is_computed_anew(tmp_path, monkeypatch):
    run(tmp_path)
    monkeypatch.setattr(provenance, "code_hash", lambda module: "another")
    run(tmp_path)
    assert len(toy.CALLS) == 6


def test_a_damaged_part_is_computed_again(tmp_path, caplog):
    first = run(tmp_path)
    damaged = next((tmp_path / "parts").glob("slope-2*"))
    damaged.write_bytes(damaged.read_bytes()[:1000])
    xr.testing.assert_identical(run(tmp_path), first)
    assert toy.CALLS == [1.0, 2.0, 3.0, 2.0]
    assert "is computed again" in caplog.text


def test_labels_that_look_alike_in_a_file_name_stay_apart(tmp_path):
    work = Work(folder=tmp_path, config=toy.Config())
    made = [
        work.part(s, lambda s=s: xr.Dataset({"n": len(s)})) for s in ("a/b", "a b ")
    ]
    assert [int(m.n) for m in made] == [3, 4]


def test_progress_counts_to_the_number_of_parts(tmp_path):
    seen = []
    run(tmp_path, report=seen.append)
    assert [p.done for p in seen] == sorted(p.done for p in seen)
    assert (seen[-1].done, seen[-1].expected, seen[-1].computed) == (3, 3, 3)
    assert seen[-1].seconds_left == 0


def test_time_left_follows_the_pace_of_computed_parts():
    at = Progress("x", done=6, expected=10, seconds=8.0, computed=2)
    assert at.seconds_left == pytest.approx(16.0)
    assert at._replace(computed=0).seconds_left is None


def test_work_without_folder_keeps_and_says_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert np.isfinite(toy.run(toy.Config()).y).all()
    assert not list(tmp_path.iterdir())
    assert capsys.readouterr() == ("", "")
