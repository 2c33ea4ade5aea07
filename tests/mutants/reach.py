"""Which tests reach which functions, and how long they take: measured once.

Every function of the core gets a line that says it was entered; every test file is
run once by itself. Functions that jax has compiled are entered by the first test
that compiles them, so a test file counts as a whole where its tests do not.
"""

import ast
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.mutants.copy import Copy, numerical_core

IMPORTS = re.compile(r"^\s*(from|import) (prng|eapu_jax|thermo)\b", re.MULTILINE)
LIMIT = 1800.0  # seconds for one test file
LISTENER = "entered.py"
LISTENING = """
import json, os, pytest
REACHED = set()
found = {}

def pytest_runtest_logstart(nodeid, location):
    REACHED.clear()
    found[nodeid] = {"seconds": 0.0, "reached": [], "passed": True}

def pytest_runtest_logreport(report):
    of_test = found[report.nodeid]
    of_test["seconds"] += report.duration
    of_test["passed"] &= report.passed
    of_test["reached"] = sorted(REACHED)

def pytest_sessionfinish(session):
    with open(os.environ["REACHED"], "w") as file:
        json.dump(found, file)
"""


class Test(NamedTuple):
    """One test as it ran on the core as it is."""

    name: str
    seconds: float
    reached: frozenset[str]

    @property
    def file(self) -> str:
        """The file that holds it."""
        return self.name.split("::")[0]


def measured(copy: Copy, path: Path, say: Callable[[str], None]) -> list[Test]:
    """All passing tests of the core; read from `path` where measured before."""
    known = json.loads(path.read_text()) if path.exists() else {}
    digest = {file: _digest(copy.read(file)) for file in _test_files(copy)}
    known = {f: run for f, run in known.items() if run["digest"] == digest.get(f)}
    missing = [file for file in digest if file not in known]
    if missing:
        (copy.root / LISTENER).write_text(LISTENING)
        plain = {file: copy.read(file) for file in numerical_core(copy.root)}
        for file, source in plain.items():
            copy.write(file, _listening(file, source))
        for file in missing:
            known[file] = {"digest": digest[file], "tests": _run(copy, file)}
            replace(path, json.dumps(known))
            tests = known[file]["tests"].values()
            taken = sum(test["seconds"] for test in tests)
            say(f"measured {file}: {len(tests)} tests, {taken:.0f} s")
        for file, source in plain.items():
            copy.write(file, source)
    return list(_tests(known))


def replace(path: Path, text: str) -> None:
    """Write a file as a whole or not at all."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    os.replace(fresh, path)


def _tests(known: dict) -> Iterator[Test]:
    for run in known.values():
        for name, test in run["tests"].items():
            if test["passed"]:
                yield Test(name, test["seconds"], frozenset(test["reached"]))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _test_files(copy: Copy) -> list[str]:
    """Test files that name the core, and modules of it with examples."""
    tests = sorted(copy.root.glob("tests/test_*.py"))
    names = [
        str(p.relative_to(copy.root)) for p in tests if IMPORTS.search(p.read_text())
    ]
    return names + [f for f in numerical_core(copy.root) if ">>>" in copy.read(f)]


def _run(copy: Copy, file: str) -> dict:
    out = copy.root / "reached.json"
    out.unlink(missing_ok=True)
    os.environ["REACHED"] = str(out)
    copy.run([file], LIMIT, ["-p", "entered"])
    return json.loads(out.read_text()) if out.exists() else {}


def _listening(file: str, source: str) -> str:
    """The module, saying which of its functions are entered."""
    tree = ast.parse(source)
    for name, node in _functions(tree, ""):
        said = f"__import__('entered').REACHED.add({f'{file}:{name}'!r})"
        documented = ast.get_docstring(node) is not None
        node.body.insert(documented, ast.parse(said).body[0])
    return ast.unparse(ast.fix_missing_locations(tree))


def _functions(node: ast.AST, around: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    for child in ast.iter_child_nodes(node):
        name = around
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            name = f"{around}.{child.name}".lstrip(".")
        if isinstance(child, ast.FunctionDef):
            yield name, child
        yield from _functions(child, name)
