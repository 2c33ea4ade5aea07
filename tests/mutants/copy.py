"""A private copy of the tree, in which modules are changed and tests run."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("prng", "eapu_jax", "thermo", "experiments", "tests", "benchmarks", "docs")
FILES = ("pyproject.toml", "README.md", "CHANGELOG.md", "Makefile", "CONTRIBUTING.md")
QUIET = ["-q", "-n", "0", "-p", "no:cacheprovider", "--no-header", "--tb=line"]


def numerical_core(root: Path = ROOT) -> list[str]:
    """The modules that are mutated: all that compute, presets left out."""
    found = [
        p
        for part in ("prng", "eapu_jax", "thermo")
        for p in root.glob(f"{part}/**/*.py")
    ]
    names = sorted(str(path.relative_to(root)) for path in found)
    return [name for name in names if name != "eapu_jax/presets.py"]


class Ended(NamedTuple):
    """How a run of tests ended: 0 passed, 1 failed, None timed out."""

    code: int | None
    seconds: float
    output: str


class Copy:
    """The tree as it is now, copied to `folder`."""

    def __init__(self, folder: Path):
        self.root, self._changes = folder, 0
        ignored = shutil.ignore_patterns("__pycache__", "node_modules")
        for part in PARTS:
            shutil.copytree(ROOT / part, folder / part, ignore=ignored)
        for name in FILES:
            shutil.copy(ROOT / name, folder / name)

    def read(self, file: str) -> str:
        """The text of a module."""
        return (self.root / file).read_text()

    def write(self, file: str, source: str) -> None:
        """Change a module; its time of change is new, whatever the clock says."""
        path, self._changes = self.root / file, self._changes + 1
        path.write_text(source)
        later = time.time() + 10 * self._changes  # else old bytecode may be run
        os.utime(path, (later, later))

    def run(
        self, tests: Sequence[str], limit: float, options: Sequence[str] = ()
    ) -> Ended:
        """Run tests in a process of their own, for at most `limit` seconds."""
        command = [sys.executable, "-m", "pytest", *QUIET, *options, *tests]
        paths = {"PYTHONPATH": str(self.root)}
        cache = {
            "JAX_COMPILATION_CACHE_DIR": str(self.root.parent / "compiled"),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.3",
        }
        start = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=self.root,
            env=cache | dict(os.environ) | paths,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=limit)
            code = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            output, code = process.communicate()[0], None
        return Ended(code, time.monotonic() - start, output)
