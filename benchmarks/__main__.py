"""All figures of merit, in a table and in `results/bench.csv`.

Runs on one core, so that CPU seconds mean the same for every contestant.
"""

import csv
import importlib
import os
import sys
from pathlib import Path

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("OMP_NUM_THREADS", "1")
if hasattr(os, "sched_setaffinity"):  # before jax counts the cores
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

from rich.console import Console
from rich.table import Table

from benchmarks.clock import met

PARTS = ("eapu", "rules", "networks", "arrays", "thermo", "solvers", "peers")
COLUMNS = ("name", "value", "unit", "target", "met", "floor", "note")
RESULT = Path("results/bench.csv")


def main(parts: list[str]) -> None:
    """Measure the parts named (all by default), print and store."""
    if {"-h", "--help"} & set(parts):
        print(__doc__, "Parts, all by default:", *PARTS)
        return
    unknown = set(parts) - set(PARTS)
    if unknown:
        sys.exit(f"no benchmark {', '.join(unknown)}: there are {', '.join(PARTS)}")
    lines = []
    for part in parts or PARTS:
        lines += importlib.import_module(f"benchmarks.{part}").rows()
    lines = [{"floor": None, "note": "", **line, "met": met(line)} for line in lines]
    show(lines)
    RESULT.parent.mkdir(exist_ok=True)
    with RESULT.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(lines)


def show(lines: list[dict]) -> None:
    """Print the table."""
    table = Table(*COLUMNS)
    for line in lines:
        numbers = {k: f"{line[k]:.3g}" for k in ("value", "floor") if line[k]}
        texts = {**line, **numbers}
        table.add_row(*(str(texts[c] or "") for c in COLUMNS))
    Console().print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
