"""Bad command lines: each must end in one error of ours that names what is wrong.

Nearly all run in this process, through the entry of the program, beside two small
experiments; from 300 on some are given to real processes too.
"""

import contextlib
import io
import itertools
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from experiments import EXPERIMENTS, catalogue
from experiments.commands import cli
from experiments.figures import style
from tests.fuzz.bad_command_lines import LONG, REAL, TOYS, Bad, every_line

PROCESSES = 36


class _Accepted(BaseException):
    """An experiment began."""


def faults(seed: int, count: int) -> Iterator[str]:
    """A line for each of `count` bad command lines that was not refused in words."""
    lines = list(itertools.islice(_drawn(seed), count))
    real = [bad for bad in lines if not set(bad.words) & set(TOYS)]
    with _place() as names:
        for bad in lines:
            yield from _judged(bad, names, _inside)
        for bad in real[: PROCESSES if count >= 300 else 0]:
            yield from _judged(bad, names, _process)


def _drawn(seed: int) -> Iterator[Bad]:
    """Every one once before any comes twice."""
    draw = random.Random(seed)
    while True:
        lines = list(every_line())
        draw.shuffle(lines)
        yield from lines


@contextlib.contextmanager
def _place() -> Iterator[dict[str, str]]:
    """A folder with all that may lie in the way, and a process that computes little."""
    with contextlib.ExitStack() as stack:
        top = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(contextlib.chdir(top))
        stack.enter_context(mock.patch.dict(EXPERIMENTS, TOYS))
        stack.enter_context(mock.patch.dict(style.STYLE, {"savefig.dpi": 20}))
        stack.enter_context(mock.patch.dict(os.environ, {"COLUMNS": "80"}))
        for name in REAL:
            module = catalogue.find(name)
            stack.enter_context(mock.patch.object(module, "sweeps", _begin))
        yield _laid_out(top)


def _begin(*_: object, **__: object) -> None:
    raise _Accepted


def _laid_out(top: Path) -> dict[str, str]:
    names = "results folder foreign damaged fifo notes dangling cut new"
    place = {name: top / name for name in names.split()}
    for name in ("folder", "foreign", "damaged"):
        place[name].mkdir()
    os.mkfifo(place["fifo"])
    place["notes"].write_text("my notes")
    place["dangling"].symlink_to(top / "nowhere")
    (place["foreign"] / "claims.csv").write_text("a,b\n1,2\n")
    (place["damaged"] / "zarr.json").write_text('{"attributes": {"sweep": {}}}')
    results = ["--results", str(place["results"])]
    sweep = ["sweep", "walk", "--chips=2", "--grid=mean=0,1", "--grid=noise=0.5"]
    for words in (["run", "toy", *results], [*sweep, *results]):
        assert _inside(words, {})[0] == 0
    (store,) = (place["results"] / "walk").glob("walk-sweep-*.zarr")
    place["cut"].write_bytes((place["results"] / "toy.nc").read_bytes()[:2000])
    long = {"long": str(top / LONG), "store": str(store)}
    return {name: str(path) for name, path in place.items()} | long


def _judged(bad: Bad, names: dict[str, str], call: Any) -> Iterator[str]:
    words = [_filled(word, names) for word in bad.words]
    before = _held(Path.cwd())
    status, shown, told = call(words, names)
    wrong = []
    if status not in (1, 2):
        wrong.append(f"status {status}")
    if sum(line.startswith("error: ") for line in told.splitlines()) != 1:
        wrong.append("not one error")
    for text in ("Traceback", "unexpected;", "Exception ignored"):
        if text in shown + told:
            wrong.append(text)
    for group in bad.named:
        if not any(_filled(text, names) in told for text in group):
            wrong.append(f"none of {group} named")
    if _held(Path.cwd()) != before:
        wrong.append("something is written")
    if wrong:
        line, said = " ".join(map(ascii, words)), " ".join(told.split())
        yield f"{line[:200]} ({call.__name__}): {'; '.join(wrong)}: {said[-200:]!a}"


def _filled(word: str, names: dict[str, str]) -> str:
    for name, path in names.items():
        word = word.replace(f"{{{name}}}", path)
    return word


def _held(folder: Path) -> set[tuple[str, int, int]]:
    """Every file of a folder, its size and when it was written."""
    found = ((str(p), p.lstat()) for p in folder.rglob("*"))
    return {(p, s.st_size, s.st_mtime_ns) for p, s in found}


def _inside(words: list[str], names: dict[str, str]) -> tuple[Any, str, str]:
    del names
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status: Any = cli.main(words)
        except BaseException as e:
            status = f"{type(e).__name__} {e}"
    return status, out.getvalue(), err.getvalue()


def _process(words: list[str], names: dict[str, str]) -> tuple[Any, str, str]:
    del names
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "experiments", *map(os.fsencode, words)],
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(root)},
        timeout=600,
    )
    texts = (
        text.decode(errors="backslashreplace") for text in (done.stdout, done.stderr)
    )
    return done.returncode, *texts
