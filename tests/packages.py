"""The wheel on Python 3.11 to 3.13, each with the lowest and newest libraries allowed.

`make packages` builds the wheel and runs this; it needs uv. An environment that fails,
or a Python that uv does not find, ends it with an error after all were tried.
"""

import itertools
import subprocess
import sys
import tempfile
from pathlib import Path

PYTHONS = ("3.11", "3.12", "3.13")
RESOLUTIONS = ("lowest-direct", "highest")
SMOKE = Path(__file__).with_name("smoke.py").resolve()


def command(python: str, resolution: str, wheel: Path) -> list[str]:
    """One environment with the wheel alone, and what must run in it."""
    words = (
        f"uv run --isolated --no-project --python {python} --resolution {resolution}"
    )
    return [*words.split(), "--with", str(wheel), "python", "-I", str(SMOKE)]


def main() -> None:
    """Try all six; say what each found."""
    wheel = max(Path("dist").glob("*.whl"), key=lambda p: p.stat().st_mtime).resolve()
    failed = []
    for python, resolution in itertools.product(PYTHONS, RESOLUTIONS):
        with tempfile.TemporaryDirectory() as elsewhere:
            words = command(python, resolution, wheel)
            done = subprocess.run(
                words, cwd=elsewhere, capture_output=True, text=True, check=False
            )
        last = (done.stdout if done.returncode == 0 else done.stderr).strip()
        print(f"Python {python}, {resolution}: {last.splitlines()[-1]}", flush=True)
        failed += [(python, resolution)] * (done.returncode != 0)
    if failed:
        sys.exit(f"{len(failed)} of 6 environments failed")


if __name__ == "__main__":
    main()
