"""A command ends with a status and with words of ours, whatever happens to it."""

import os
import signal
import subprocess
import sys
import time
import urllib.error

import jax
import numpy as np
import pytest

from chipsweep import memory
from experiments import EXPERIMENTS
from experiments.commands import cli, endings
from experiments.data import search, sources
from experiments.figures import style
from experiments.results import store
from tests import toy_experiment as toy

EXPERIMENT = [sys.executable, "-m", "experiments"]


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    monkeypatch.setattr(toy, "CALLS", [])
    monkeypatch.setattr(toy, "FAIL_AT", {})
    for name in list(EXPERIMENTS):
        monkeypatch.delitem(EXPERIMENTS, name)
    monkeypatch.setitem(EXPERIMENTS, "toy", "tests.toy_experiment")
    monkeypatch.setitem(style.STYLE, "savefig.dpi", 20)


FULL = (
    "error: out of memory: lower chunk (runs at once), batch_size or test_at_once, or "
    "chips and sizes; finished parts are kept ("
)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KeyError("x"), "error: KeyError: 'x' (unexpected; EAPU_JAX_TRACEBACK=1"),
        (OverflowError("too large"), "error: OverflowError: too large (unexpected"),
        (RuntimeError("jax is lost"), "error: RuntimeError: jax is lost (unexp"),
        (jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: 9 GB"), FULL),
        (MemoryError(), FULL),
        (urllib.error.URLError("no route"), "error: <urlopen error no route>"),
        (np.linalg.LinAlgError("singular"), "error: LinAlgError: singular (unexp"),
        (OSError(28, "No space left", "/a/b"), "error: /a/b: No space left"),
        (store.StoreError("it is damaged"), "error: it is damaged"),
        (AssertionError(), "error: AssertionError: AssertionError (unexpected"),
    ],
)
def test_any_error_is_told_in_one_line(error, words, tmp_path, capsys, monkeypatch):
    toy.FAIL_AT[2.0] = error
    assert cli.main(["run", "toy", "--results", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert told.startswith(words)
    assert told.count("\n") == 1
    monkeypatch.setenv("EAPU_JAX_TRACEBACK", "1")
    assert cli.main(["run", "toy", "--results", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert "Traceback" in told
    assert words in told


def test_the_command_names_flags_where_the_library_names_arguments():
    """Once: what the library says of its own is not repeated."""
    with pytest.raises(MemoryError) as told, memory.saying_what_to_lower():
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: 9 GB")
    assert f"error: {endings._words(told.value)}" == f"{FULL}RESOURCE_EXHAUSTED: 9 GB)"


@pytest.mark.parametrize(
    "words",
    [
        ["run", "toy", "--preset", "nope"],
        ["reproduce", "--preset", "nope"],
        ["reproduce", "--only"],
        ["reproduce", "--only", "toy", "toy"],
        ["run", "toy", "--loud", "--no-loud"],
        ["run", "toy", "--n-chips", "3", "--n_chips", "3"],
        ["run", "toy", "--n-chips="],
    ],
)
def test_nonsense_is_refused_before_anything_is_written(words, tmp_path, capsys):
    results = tmp_path / "results"
    assert cli.main([*words, "--results", str(results)]) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert not results.exists()


@pytest.mark.parametrize("given", [["--results", ""], ["--results="]])
@pytest.mark.parametrize("words", [["run", "toy"], ["reproduce"]])
def test_an_empty_word_is_no_folder(words, given, tmp_path, capsys, monkeypatch):
    """As `--results "$RESULTS"` of a shell where that is not set."""
    monkeypatch.chdir(tmp_path)
    assert cli.main([*words, *given]) == 2
    assert capsys.readouterr().err == "error: --results = '': a value is missing\n"
    assert list(tmp_path.iterdir()) == []


def _dangling(path):
    path.symlink_to(path.with_name("nowhere"))


def _file(path):
    path.write_text("mine")


@pytest.mark.parametrize("make", [_dangling, os.mkfifo, _file])
@pytest.mark.parametrize(
    "words",
    [
        ["run", "toy"],
        ["plot", "toy"],
        ["reproduce"],
        ["report"],
    ],
)
def test_what_is_no_folder_is_named(words, make, tmp_path, capsys):
    results = tmp_path / "results"
    make(results)
    assert cli.main([*words, "--results", str(results)]) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert str(results) in told
    assert toy.CALLS == []
    assert not results.is_dir()


@pytest.mark.parametrize(
    "words", [["run", "toy"], ["plot", "toy"], ["reproduce"], ["report"]]
)
def test_a_name_beyond_what_the_disk_takes_is_named(words, tmp_path, capsys):
    results = tmp_path / ("x" * 300)
    assert cli.main([*words, "--results", str(results)]) == 1
    assert "x" * 300 in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_brackets_in_a_name_are_no_markup(tmp_path, capsys):
    results = tmp_path / "[red]a[" / "b]"
    toy.FAIL_AT[2.0] = ValueError("here [/] and [there]")
    assert cli.main(["reproduce", "--results", str(results)]) == 1
    shown = capsys.readouterr().out
    assert f"toy failed, see {results / 'toy.error.txt'}; going on" in shown
    assert "failed: toy: ValueError: here [/] and [there]" in shown
    toy.FAIL_AT.clear()
    assert cli.main(["run", "toy", "--results", str(results)]) == 0
    assert f"result: {results / 'toy.nc'}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_a_signal_while_it_loads_ends_it_at_once(number, status, tmp_path):
    """A jax of ours that never comes to an end stands in the way of the import."""
    slow = "import time; print('loading', flush=True); time.sleep(60)"
    (tmp_path / "jax.py").write_text(slow)
    words = [*EXPERIMENT, "peek", "nowhere"]  # not one that says what there is
    with _started(words, PYTHONPATH=str(tmp_path)) as started:
        assert started.stdout.readline() == "loading\n"
        started.send_signal(number)
        told = started.communicate(timeout=300)
    assert (started.returncode, told) == (status, ("", LEFT))


LEFT = "stopped; nothing is half written\n"
SLOW = """
import runpy, sys, time
from experiments import EXPERIMENTS
from tests import toy_experiment as toy
class Slow(dict):
    def get(self, slope):
        if slope == 2.0 and WAIT:
            print("computing", flush=True)
            time.sleep(60)
WAIT = sys.argv.pop(1) == "wait"
toy.FAIL_AT = Slow()
EXPERIMENTS.clear()
EXPERIMENTS["toy"] = "tests.toy_experiment"
runpy.run_module("experiments", run_name="__main__")
"""


@pytest.mark.parametrize(
    ("number", "status", "by"),
    [
        # fast: test_cli.py, within its process; the handler itself: SIGTERM, here
        pytest.param(signal.SIGINT, 130, "", marks=pytest.mark.slow),
        (signal.SIGTERM, 143, " by SIGTERM"),
    ],
)
def test_a_signal_while_it_computes_keeps_the_parts(number, status, by, tmp_path):
    words = ["run", "toy", "--results", str(tmp_path)]
    with _started([sys.executable, "-c", SLOW, "wait", *words]) as started:
        while started.stdout.readline() != "computing\n":
            pass
        started.send_signal(number)
        _, told = started.communicate(timeout=300)
    kept = f"stopped{by}; finished parts are kept, the same command resumes\n"
    assert (started.returncode, told) == (status, kept)
    assert len(list((tmp_path / "toy").glob("*.zarr/reason/c.*"))) == 1
    assert not (tmp_path / "toy.nc").exists()


COMPILES = """
import sys, time
from experiments.commands import endings

def load():
    import jax
    def chain(x):
        for n in range(150):
            x = jax.numpy.sin(x) @ jax.numpy.cos(x + n)
        return x
    def command():
        program = jax.jit(chain).lower(jax.numpy.ones((4, 4)))
        print("compiling", flush=True)
        program.compile()
        time.sleep(60)
    return command

sys.exit(endings.process(load))
"""


def test_a_signal_while_jax_compiles_is_no_crash():
    """Python's own end under a compiler's thread was one: status -11."""
    with _started([sys.executable, "-c", COMPILES], JAX_PLATFORMS="cpu") as started:
        assert started.stdout.readline() == "compiling\n"
        time.sleep(0.3)
        started.send_signal(signal.SIGINT)
        _, told = started.communicate(timeout=300)
    kept = "stopped; finished parts are kept, the same command resumes\n"
    assert (started.returncode, told) == (130, kept)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("EAPU_JAX_DATA", "/nowhere", "EAPU_JAX_DATA = '/nowhere' is not a folder"),
        ("EAPU_JAX_DATA", "{file}", "is not a folder"),
        ("EAPU_JAX_URL_CIFAR10", "https://x", "must end in #sha256=<64 digits>"),
        ("EAPU_JAX_URL_CIFAR10", f"file:///nowhere#sha256={'0' * 64}", "nowhere"),
        ("EAPU_JAX_URL_CIFAR10", f"nope://x#sha256={'0' * 64}", "nope"),
        ("EAPU_JAX_URL_CIFAR10", f"x#sha256={'0' * 64}", "x"),
    ],
)
def test_data_that_cannot_be_had_are_named(
    variable, value, words, tmp_path, capsys, monkeypatch
):
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv(variable, value.format(file=tmp_path / "file"))
    monkeypatch.setattr(search, "_places", lambda sought, folder: [])
    monkeypatch.setattr(toy, "derive", lambda *_: sources.load_images("cifar10"))
    assert cli.main(["run", "toy", "--results", str(tmp_path)]) in (1, 2)
    told = capsys.readouterr().err
    assert told.startswith(f"error: {variable} = ")
    assert words in told


WARNED = """
import logging
from rich.console import Console
from experiments.commands import machine
from experiments.commands.progress import display
machine.prepare()
log = logging.getLogger("experiments.data.search")
log.info("asked for")
with display(Console(force_terminal=True)) as shown, shown.follow("toy"):
    log.warning("not there")
"""


def test_a_warning_is_called_one_and_stands_above_the_bar():
    told = subprocess.run(
        [sys.executable, "-c", WARNED], capture_output=True, check=True, text=True
    )
    assert told.stderr == "asked for\n"  # before there was a bar
    assert "\nwarning: not there\n" in told.stdout.replace("\x1b[2K", "\n")


LINES = """
import sys
from experiments.commands import endings
sys.exit(endings.process(lambda: lambda: print("line\\n" * 100_000) or 0))
"""


def test_what_nobody_reads_or_holds_is_no_traceback():
    """Of a command that loads nothing: all are ended by `endings.process`."""
    words = [sys.executable, "-c", LINES]
    piped = subprocess.run(
        ["sh", "-c", '"$@" | true', "sh", *words], capture_output=True, check=False
    )
    assert piped.stderr == b""
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            words, stdout=full, stderr=subprocess.PIPE, check=False, text=True
        )
    assert done.returncode == 1
    assert done.stderr == "error: No space left on device\n"


def _started(words, **environment):
    return subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
