"""The command line does what it says, and says what is wrong."""

import dataclasses
import os
import subprocess
import sys

import matplotlib as mpl
import pytest

from experiments import EXPERIMENTS, catalogue, claims
from experiments.commands import configured
from experiments.commands.cli import main
from experiments.figures import style
from experiments.results import store
from tests import toy_experiment as toy


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """The toy alone, with a clean record; wide output."""
    monkeypatch.setattr(toy, "CALLS", [])
    monkeypatch.setattr(toy, "FAIL_AT", {})
    for name in list(EXPERIMENTS):
        monkeypatch.delitem(EXPERIMENTS, name)
    monkeypatch.setitem(EXPERIMENTS, "toy", "tests.toy_experiment")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setitem(style.STYLE, "savefig.dpi", 20)


@pytest.fixture
def call(tmp_path, capsys):
    """Run a command on a results folder of its own: status and output."""

    def run(*words):
        try:
            status = main([*words, "--results", str(tmp_path)])
        except SystemExit as e:
            status = e.code
        shown = capsys.readouterr()
        return status, shown.out + shown.err

    return run


def names(folder):
    return sorted(p.name for p in folder.iterdir() if p.is_file())


def test_list_says_what_is_reproduced(capsys):
    assert main(["list"]) == 0
    shown = capsys.readouterr().out
    for text in ("toy", toy.REPRODUCES, "default, smoke"):
        assert text in shown


def test_run_stores_and_draws(call, tmp_path):
    status, shown = call("run", "toy")
    assert status == 0
    assert names(tmp_path) == ["toy.nc", "toy.pdf", "toy.png"]
    assert str(tmp_path / "toy.png") in shown
    assert store.load(tmp_path / "toy.nc").attrs["scale"] == "reduced"


def test_every_field_is_a_flag(call, tmp_path):
    given = ["--slopes", "5", "6", "--n-chips", "2", "--loud"]
    assert call("run", "toy", *given)[0] == 0
    assert toy.CALLS == [5.0, 6.0]
    (path,) = tmp_path.glob("toy-*.nc")
    config = '{"loud": true, "n_chips": 2, "slopes": [5.0, 6.0]}'
    assert store.load(path).attrs["config"] == config


def test_help_of_a_field_is_its_docstring(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["run", "toy", "--help"])
    shown = capsys.readouterr().out
    for text in ("--n-chips INT", "points drawn at every slope.", toy.REPRODUCES):
        assert text in shown


def test_a_preset_sets_the_fields_and_flags_change_it(call, tmp_path):
    assert call("run", "toy", "--preset", "smoke")[0] == 0
    assert call("run", "toy", "--preset=smoke", "--loud")[0] == 0
    assert toy.CALLS == [1.0, 1.0]
    assert "toy-smoke.nc" in names(tmp_path)
    assert len(list(tmp_path.glob("toy-*.nc"))) == 2


def test_a_finished_run_is_read_back(call, tmp_path):
    call("run", "toy")
    before = (tmp_path / "toy.nc").read_bytes()
    assert call("run", "toy")[0] == 0
    assert len(toy.CALLS) == 3
    assert (tmp_path / "toy.nc").read_bytes() == before


def test_another_program_is_computed_anew(call, tmp_path, monkeypatch):
    call("run", "toy")
    monkeypatch.setattr(toy, "simulate", lambda p, c, r: {"y": 3.0 * p.slope + p.loud})
    assert call("run", "toy")[0] == 0
    assert (store.load(tmp_path / "toy.nc").y.sel(slope=2.0) == 6.0).all()


def test_plot_draws_again_without_computing(call, tmp_path):
    call("run", "toy")
    (tmp_path / "toy.png").unlink()
    assert call("plot", "toy")[0] == 0
    assert len(toy.CALLS) == 3
    assert (tmp_path / "toy.png").exists()


def test_figures_are_the_same_bytes_each_time(call, tmp_path):
    call("run", "toy")
    first = [(tmp_path / f"toy{s}").read_bytes() for s in (".pdf", ".png")]
    call("plot", "toy")
    assert first == [(tmp_path / f"toy{s}").read_bytes() for s in (".pdf", ".png")]


def test_reproduce_judges_and_resumes(call, tmp_path):
    status, shown = call("reproduce")
    assert status == 0
    assert "the middle of the toy" in shown
    assert str(tmp_path / "claims.csv") in shown
    files = ["claims.csv", "report.html", "toy.nc", "toy.pdf", "toy.png"]
    assert names(tmp_path) == files
    assert f"report: {tmp_path / 'report.html'}" in shown
    assert call("reproduce")[0] == 0
    assert len(toy.CALLS) == 3


def test_a_report_that_fails_is_named_and_spoils_nothing(call, tmp_path, monkeypatch):
    monkeypatch.setattr("experiments.report.write", lambda results: 1 / 0)
    status, shown = call("reproduce")
    assert status == 0
    assert "no report: ZeroDivisionError: division by zero" in shown
    assert names(tmp_path) == ["claims.csv", "toy.nc", "toy.pdf", "toy.png"]


def test_another_scale_leaves_the_claims_alone(call, tmp_path):
    call("reproduce")
    before = (tmp_path / "claims.csv").read_bytes()
    assert call("reproduce", "--preset", "smoke")[0] == 0
    assert (tmp_path / "claims.csv").read_bytes() == before
    assert (tmp_path / "claims-smoke.csv").read_bytes() != before


def test_one_failure_does_not_lose_the_others(call, tmp_path, monkeypatch):
    monkeypatch.setitem(EXPERIMENTS, "broken", "tests.no_such_module")
    monkeypatch.setitem(EXPERIMENTS, "last", "tests.toy_experiment")
    status, shown = call("reproduce")
    assert status == 1
    assert set(claims.read_csv(tmp_path / "claims.csv")) == {"toy", "last"}
    rerun = f"python -m experiments run broken --preset default --results {tmp_path}"
    assert rerun in shown
    assert "no_such_module" in (tmp_path / "broken.error.txt").read_text()


def test_reproducing_some_keeps_the_claims_of_others(call, tmp_path, monkeypatch):
    monkeypatch.setitem(EXPERIMENTS, "last", "tests.toy_experiment")
    call("reproduce")
    assert call("reproduce", "--only", "last")[0] == 0
    assert set(claims.read_csv(tmp_path / "claims.csv")) == {"toy", "last"}


def test_what_takes_long_is_reproduced_on_request(call, tmp_path, monkeypatch):
    monkeypatch.setitem(EXPERIMENTS, "long", "tests.toy_experiment")
    monkeypatch.setattr("experiments.commands.reproducing.ON_REQUEST", ("long",))
    for words, made in ((), {"toy"}), (("--only", "all"), {"toy", "long"}):
        assert call("reproduce", *words)[0] == 0
        assert set(claims.read_csv(tmp_path / "claims.csv")) == made


@pytest.mark.parametrize("command", [["run", "toy"], ["reproduce"]])
def test_ctrl_c_keeps_the_parts(call, tmp_path, command):
    toy.FAIL_AT[3.0] = KeyboardInterrupt()
    status, shown = call(*command)
    assert (status, names(tmp_path)) == (130, [])
    assert "the same command resumes" in shown
    toy.FAIL_AT.clear()
    assert call(*command)[0] == 0
    assert toy.CALLS == [1.0, 2.0, 3.0, 3.0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "toi"], "unknown experiment 'toi': did you mean toy"),
        (["sweep", "toi"], "unknown experiment 'toi': did you mean toy"),
        (["replay", "toi"], "unknown experiment 'toi': did you mean toy"),
        (["plot", "toi"], "unknown experiment 'toi': did you mean toy"),
        (["reproduce", "--only", "toi"], "unknown experiment 'toi'"),
        (["reproduce", "--only", "toy", "--preset", "a"], "unknown preset 'a' of toy"),
        (["run", "toy", "--preset", "smke"], "did you mean smoke"),
        (["run", "toy", "--n-chips", "0"], "n_chips = 0: at least 1"),
        (["run", "toy", "--n-chips", "two"], "--n-chips"),
        (["run", "toy", "--chips", "2"], "--chips"),
        (["sweep", "toy", "--grid", "chips=1"], "unknown field 'chips'"),
        (["sweep", "toy", "--grid", "loud=true", "--grid", "loud=false"], "twice"),
        (["dance"], "dance"),
    ],
)
def test_senseless_arguments_are_refused(call, tmp_path, words, message):
    status, shown = call(*words)
    assert status == 2
    assert message in shown
    assert (names(tmp_path), toy.CALLS) == ([], [])


def test_a_missing_name_is_asked_for(capsys):
    assert main(["run"]) == 2
    assert "NAME is missing" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [["run", "toy"], ["reproduce"]],
)
def test_an_unwritable_folder_is_refused_before_computing(tmp_path, capsys, command):
    (tmp_path / "file").write_text("in the way")
    assert main([*command, "--results", str(tmp_path / "file" / "results")]) == 1
    assert "choose another folder with --results" in capsys.readouterr().err
    assert toy.CALLS == []


@pytest.mark.parametrize("content", [b"", b"my notes", b"\x89HDF\r\n\x1a\n"])
def test_a_file_that_is_not_a_result_is_never_overwritten(call, tmp_path, content):
    (tmp_path / "toy.nc").write_bytes(content)
    status, shown = call("run", "toy")
    assert status == 1
    assert "move it away and run again" in shown
    assert call("plot", "toy")[0] == 1
    assert call("reproduce")[0] == 1
    assert (tmp_path / "toy.nc").read_bytes() == content
    assert toy.CALLS == []


def test_plot_of_nothing_says_what_to_do(call):
    status, shown = call("plot", "toy")
    assert status == 1
    assert "run the experiment first" in shown


def test_plot_of_another_experiments_result_is_refused(call, tmp_path, monkeypatch):
    monkeypatch.setitem(EXPERIMENTS, "last", "tests.toy_experiment")
    call("run", "toy")
    status, shown = call("plot", "last", "--file", str(tmp_path / "toy.nc"))
    assert status == 2
    assert "is a result of toy" in shown


def test_the_program_starts_from_a_shell(tmp_path):
    """Without any cache of ours; the list of this machine's fonts takes a while."""
    fonts = {"MPLCONFIGDIR": mpl.get_cachedir()}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "experiments", "list"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **fonts, "XDG_CACHE_HOME": str(tmp_path), "COLUMNS": "120"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "reproduces" in done.stdout


REAL = dict(EXPERIMENTS)


@pytest.mark.parametrize("name", REAL)
def test_every_experiment_keeps_the_contract(name, monkeypatch):
    monkeypatch.setitem(EXPERIMENTS, name, REAL[name])
    module = catalogue.find(name)
    assert isinstance(module.REPRODUCES, str)
    assert "smoke" in module.PRESETS
    assert {type(c) for c in catalogue.presets(module).values()} == {module.Config}
    documented = " ".join(c.__doc__ or "" for c in module.Config.__mro__)
    fields = [f.name for f in dataclasses.fields(module.Config)]
    assert [f for f in fields if f"{f}:" not in documented] == []
    offered = ("simulate", "defaults", "sweeps", "derive", "claims", "plot")
    assert all(callable(getattr(module, f)) for f in offered)


@pytest.mark.parametrize("name", REAL)
def test_a_command_without_flags_reaches_every_experiment(name, monkeypatch, capsys):
    """As the README says it: `python -m experiments run NAME`."""
    monkeypatch.setitem(EXPERIMENTS, name, REAL[name])
    reached = []
    monkeypatch.setattr(configured, "_run", lambda *given: reached.append(given) or 0)
    assert main(["run", name]) == 0
    ((found, given, _),) = reached
    assert (found, given.config) == (name, catalogue.find(name).Config())
