"""Every command line that the project shows a reader, wherever it shows it."""

import ast
import contextlib
import io
import os
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest import mock

from experiments.commands import cli

ROOT = Path(__file__).parents[1]
PROGRAM = re.compile(r"python -m [\w.]+")
_NAME = re.compile(rf"{PROGRAM.pattern}( NAME)*")  # of a program, before its words
_QUOTED = re.compile(r"`([^`]*)`|\"(python -m [^\"]*)\"|'(python -m [^'\n]*)'")
_LINE = re.compile(r"^\s*((?:(?:srun|mpirun) .*)?python -m .*?)(?:\s+#.*)?$")
_FILLED = {" FIELD=VALUE,...": " seed=0,1", " ...": "", "NAME": "chip_yield"}
_FILLED |= {" STORE": " chips.zarr"}
_FILLED |= {"$SLURM_ARRAY_TASK_ID": "0", "$(JOB_COMPLETION_INDEX)": "0"}
_PACKAGES = ("prng", "eapu_jax", "thermo", "chipsweep", "experiments")
_PACKAGES += ("benchmarks",)
_HELP = ("", "list", "run", "plot", "sweep", "reproduce", "replay", "peek", "report")
_HELP += ("board", "choose", "device", "digital", "invert", "joules")
_HELP += ("run threshold", "sweep threshold", "replay threshold")


def shown() -> dict[str, str]:
    """Command line -> where it is shown first."""
    found: dict[str, str] = {}
    for where, text in _texts():
        for line in commands(text, where):
            found.setdefault(line, where)
    return found


def commands(text: str, where: str = "") -> list[str]:
    """The command lines of a text: quoted, or each on a line of its own.

    One that stands in neither would escape, and is refused.
    """
    quoted = [" ".join("".join(span).split()) for span in _QUOTED.findall(text)]
    rest = _QUOTED.sub("", text).splitlines()
    alone = [m[1].strip() for line in rest if (m := _LINE.match(line))]
    found = [span for span in quoted + alone if PROGRAM.search(span)]
    n = len(PROGRAM.findall(" ".join(text.split())))
    seen = sum(len(PROGRAM.findall(span)) for span in found)
    assert seen == n, f"{where}: {n} command lines, {seen} of them quoted: {text}"
    return [span for span in found if not _NAME.fullmatch(span)]


def typed(line: str) -> list[str]:
    """What a reader types: the launcher is the cluster's, placeholders get values."""
    _, _, rest = line.partition("python -m ")
    for placeholder, value in _FILLED.items():
        rest = rest.replace(placeholder, value)
    return shlex.split(rest)


def _texts() -> Iterator[tuple[str, str]]:
    for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]):
        text = re.sub(r"```\w*\n|```", "", path.read_text(encoding="utf-8"))
        yield path.name, text
    for package in _PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if not path.name.startswith("test_"):
                yield from _strings(path)
    for words in _HELP:
        yield f"help of {words}", page_of_help(words.split())


def _strings(path: Path) -> Iterator[tuple[str, str]]:
    """The texts of a module; what is filled in stands as in a docstring, NAME."""
    source = path.read_text(encoding="utf-8")
    if "-m" not in source:  # most: each would be parsed and walked for nothing
        return
    tree = ast.parse(source)
    inner = {
        id(v) for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for v in n.values
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield str(path.relative_to(ROOT)), _joined(node)
        elif isinstance(node, ast.Constant) and id(node) not in inner:
            yield str(path.relative_to(ROOT)), str(node.value)


def _joined(node: ast.JoinedStr) -> str:
    parts = (v.value if isinstance(v, ast.Constant) else "NAME" for v in node.values)
    return "".join(map(str, parts))


def page_of_help(words: Sequence[str]) -> str:
    """A page of help, not wrapped: without its usage line, which is no command."""
    out = io.StringIO()
    wide = mock.patch.dict(os.environ, {"COLUMNS": "100000"})
    with wide, contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        cli.main([*words, "--help"])
    return "\n".join(out.getvalue().splitlines()[1:])
