"""What an installed wheel holds: the libraries, and nothing that could be anybody's."""

import fnmatch
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
ASKED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
TOOL = ASKED["tool"]["setuptools"]


def packages():
    """Folders with code, by the patterns that the wheel is built by."""
    found = {p.parent.relative_to(ROOT) for p in ROOT.glob("*/**/__init__.py")}
    named = {".".join(folder.parts) for folder in found if folder.parts}
    patterns = TOOL["packages"]["find"]["include"]
    return {n for n in named if any(fnmatch.fnmatch(n, p) for p in patterns)}


def test_the_wheel_holds_the_libraries_and_what_they_stand_on():
    tops = {name.partition(".")[0] for name in packages()}
    assert tops == {"prng", "eapu_jax", "thermo", "chipsweep"}


def test_files_that_are_no_code_come_along():
    for package in packages():
        folder = ROOT / package.replace(".", "/")
        others = {p.name for p in folder.iterdir() if p.is_file()} - {"py.typed"}
        data = {name for name in others if not name.endswith(".py")}
        assert data == set(TOOL["package-data"].get(package, ()))
