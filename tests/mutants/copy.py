"""A private copy of the tree, in which modules are changed and tests run."""

import importlib
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("prng", "eapu_jax", "thermo", "chipsweep", "experiments", "tests")
PARTS += ("benchmarks", "docs")
FILES = ("pyproject.toml", "README.md", "CHANGELOG.md", "Makefile", "CONTRIBUTING.md")
OTHERS = ("jax", "jax.numpy", "optax", "flax.linen", "flax.nnx", "diffrax", "lineax")
OTHERS += ("equinox", "chex", "hypothesis", "scipy.stats", "scipy.linalg", "xarray")
OTHERS += ("matplotlib.pyplot", "rich.console", "tyro", "h5netcdf")
QUIET = ["-q", "-n", "0", "-p", "no:cacheprovider", "--no-header", "--tb=line"]
QUIET += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # loaded before, below


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
        """Run tests in a process of their own, for at most `limit` seconds.

        It is forked from this one, in which all that the tests import from other
        projects is loaded already, and none of our own.
        """
        start = time.monotonic()
        with tempfile.TemporaryFile("w+") as output:
            child = os.fork()
            if child == 0:
                _become_pytest(self.root, output.fileno(), [*QUIET, *options, *tests])
            code = _wait(child, start + limit)
            output.seek(0)
            return Ended(code, time.monotonic() - start, output.read())


def load_others() -> None:
    """Import what tests import from other projects, once for all runs."""
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    warnings.filterwarnings("ignore", "os.fork", RuntimeWarning)
    for name in OTHERS:
        importlib.import_module(name)


def _become_pytest(root: Path, output: int, arguments: list[str]) -> NoReturn:
    """In a forked child: run pytest on the copy, and end."""
    code = 3
    try:
        os.setsid()
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(root)
        os.environ["PYTHONPATH"] = str(root)
        away = {"", str(ROOT)}
        sys.path[:] = [str(root), *(path for path in sys.path if path not in away)]
        for name in [n for n in sys.modules if n.split(".")[0] == "tests"]:
            del sys.modules[name]
        warnings.resetwarnings()
        code = int(pytest.main(arguments))
        sys.stdout.flush()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _wait(child: int, until: float) -> int | None:
    """The exit code of a child; None if it had to be ended."""
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None
