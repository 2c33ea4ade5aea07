"""Whatever a package imports is declared: an install without tests still runs."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = {"prng", "eapu_jax", "thermo", "chipsweep", "experiments", "benchmarks", "tests"}
EXTRAS = {
    "prng": (),
    "eapu_jax": ("flax",),
    "thermo": (),
    "chipsweep": ("search",),
    "experiments": ("experiments", "search", "cluster", "excel"),
    "benchmarks": ("experiments", "bench"),
    "tests": ("experiments", "search", "cluster", "bench", "test"),
}


def imported(package):
    """Top-level names that any file of a package imports, wherever in the file."""
    found = set()
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(str(node.module).partition(".")[0])
    return found - OURS - sys.stdlib_module_names


def declared(extras):
    """Distributions that an install with these extras asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    known = project["optional-dependencies"]
    lines = [*project["dependencies"], *(x for extra in extras for x in known[extra])]
    parts = [re.match(r"([\w.-]+)(?:\[(\w+)\])?", line) for line in lines]
    names = {normal(part[1]): part[2] for part in parts if part}
    own = names.pop(project["name"], None)  # one extra of ours that includes another
    return set(names) | (declared([own]) if own else set())


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("package", EXTRAS)
def test_every_import_of_a_package_is_declared(package):
    owners, wanted = packages_distributions(), declared(EXTRAS[package])
    undeclared = {
        module
        for module in imported(package)
        if not wanted & {normal(owner) for owner in owners.get(module, [module])}
    }
    assert not undeclared


def test_the_lock_holds_every_declared_distribution():
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    locked = {normal(line.partition("==")[0]) for line in lines if "==" in line}
    assert declared(("experiments", "bench", "test")) <= locked
