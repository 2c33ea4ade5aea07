"""Every command line that a reader is shown works, from a process of its own.

`make ...` is what runs these tests: `make test`, `make slow`, and `make bench` for
`python -m benchmarks`. They are read from the Makefile here, no more.
"""

import json
import os
import re
import subprocess
import sys

import pytest

from tests.shown_commands import ROOT, commands, shown, typed

EXAMPLES = {
    "python -m experiments sweep chip_yield --chips 10000 --grid spread=0,0.5,1 "
    "--share $SLURM_ARRAY_TASK_ID/32": "minutes, and a part only",
    "python -m experiments sweep chip_yield --chips 10000 --store "
    "s3://bucket/yield.zarr --share $(JOB_COMPLETION_INDEX)/8": "wants a bucket",
    "python -m experiments sweep chip_yield --chips 9 --results /tmp/a": "a folder",
    "python -m experiments plot threshold": "wants `run threshold` before",
    "python -m experiments plot threshold --file results/threshold-smoke.nc": "same",
    "python -m experiments reproduce --only all": "as `reproduce`, and spu_solvers",
    "python -m experiments peek STORE --repair": "wants a store, see the test of it",
    "python -m experiments device examples/synthetic_pulses_long.csv": "wants the "
    "examples of the checkout, see tests/test_own_device.py",
    "python -m experiments device examples/synthetic_li_ecram_as_stated.csv": "the "
    "same, see tests/test_stated_traces.py",
    "python -m experiments board examples/synthetic_two_node_board.csv --nominal "
    "examples/two_node_board.toml": "from the checkout, see the test of it",
    "python -m experiments invert examples/karate_laplacian.mtx": "from the checkout, "
    "see tests/test_board_inverse.py",
    "python -m experiments digital": "a timing, see tests/test_digital_machine.py",
    "python -m experiments board examples/synthetic_two_node_covariance_1.csv "
    "examples/synthetic_two_node_covariance_2.csv --samples 20000 --nominal "
    "examples/two_node_setting_1.toml examples/two_node_setting_2.toml": "from the "
    "checkout, see tests/test_board_settings.py",
    "python -m experiments report": "wants results, see the test of it",
    "python -m experiments run write_noise --preset large --networks mlp --n-seeds 2 "
    "--n-chips 16 --write-noises 0.5 2 4 --mlp-epochs 40": "4 minutes on a GPU",
    "python -m experiments sweep chip_yield --chips 10000 --grid spread=0.5 "
    "--grid stuck_rate=0.02": "25 seconds on a GPU, 20 minutes on a core",
}
"""Not run as they stand, and why: all are read and checked by the program."""
QUICK = re.compile(r"--help$|experiments list$")
LINES = [line for line in shown() if typed(line)[0] == "experiments"]
LONG = [line for line in LINES if not (QUICK.search(line) or line in EXAMPLES)]

READ = """
import json, sys
from experiments.commands import cli
for words in json.loads(sys.argv[1]):
    try:
        assert callable(cli.command(words))
    except Exception as e:
        print(words, "|", e)
    except SystemExit as e:
        assert e.code in (None, 0), words
        print("helped")
"""


def _run(words, folder):
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_readme_shows_commands_and_all_are_found():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = {line for line, where in shown().items() if where == "README.md"}
    assert len(found) >= 6
    assert all(" ".join(text.split()).count(line) for line in found)
    with pytest.raises(AssertionError, match="1 command lines, 0 of them quoted"):
        commands("then type python -m experiments list and wait")


def test_what_is_not_run_as_it_stands_is_still_shown():
    assert set(EXAMPLES) <= set(LINES)


def test_every_command_line_is_understood(tmp_path):
    """Read and checked up to its start, by the program, in a real process."""
    words = json.dumps([typed(line)[1:] for line in LINES])
    done = _run(["-c", READ, words], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    said = done.stdout.splitlines()
    assert not [line for line in said if line.startswith("[")]
    assert said.count("helped") == sum(line.endswith("--help") for line in LINES)
    assert sum(line.startswith("usage: ") for line in said) == said.count("helped")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow  # fast: read above, with its page of help; `list` in test_cli.py
@pytest.mark.parametrize("line", [line for line in LINES if QUICK.search(line)])
def test_a_quick_command_runs_as_it_stands(line, tmp_path):
    done = _run(["-m", *typed(line)], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("line", LONG)
def test_a_long_command_runs_as_it_stands(line, tmp_path):
    done = _run(["-m", *typed(line)], tmp_path)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "results").glob("*.nc"))


@pytest.mark.slow
def test_run_plot_and_report_follow_one_another(tmp_path):
    for words in ("run scheme", "plot scheme", "report"):
        done = _run(["-m", "experiments", *words.split()], tmp_path)
        assert done.returncode == 0, done.stderr
    names = {path.name for path in (tmp_path / "results").iterdir()}
    assert {"scheme.nc", "scheme.pdf", "scheme.png", "report.html"} <= names


@pytest.mark.slow
def test_a_sweep_is_peeked_into(tmp_path):
    look = "experiments peek STORE --repair"
    for words in ("experiments sweep chip_yield --chips 9 --store STORE", look):
        done = _run(["-m", *typed(f"python -m {words}")], tmp_path)
        assert done.returncode == 0, done.stderr
    assert "chip: 9" in done.stdout


def test_the_benchmarks_that_are_shown_are_there():
    lines = [typed(line) for line in shown() if typed(line)[0] != "experiments"]
    assert {words[0] for words in lines} == {"benchmarks"}
    parts = {part for _, *words in lines for part in words}
    assert all((ROOT / "benchmarks" / f"{part}.py").exists() for part in parts)


def test_every_make_target_that_is_shown_is_there():
    shown_to = "".join((ROOT / f).read_text() for f in ("README.md", "CONTRIBUTING.md"))
    known = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M)
    asked = re.findall(r"(?:`|^ {4})make ([a-z]+)", shown_to, re.M)
    assert len(asked) > 5
    assert set(asked) <= set(known)
