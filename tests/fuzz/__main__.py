"""Try bad inputs of every part of the project, and tell what was not refused.

`python -m tests.fuzz [--seed S] [--count N]`: at least N in all, shared among the
parts. Prints counts and every fault; exits with 1 where there is one.
"""

import argparse
import importlib
import importlib.util
import sys

from tests import conftest  # noqa: F401  the strictest jax there is

PARTS = ("eapu", "cost", "thermo", "experiments", "command_line")


def main() -> int:
    """Run all parts that there are; 1 if any has a fault."""
    parser = argparse.ArgumentParser("python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=2000, help="inputs in all")
    parser.add_argument("--only", choices=PARTS, help="one part")
    asked = parser.parse_args()
    parts = [part for part in PARTS if asked.only in (None, part) and _exists(part)]
    each, faults = -(-asked.count // len(parts)), 0
    for part in parts:
        module = importlib.import_module(f"tests.fuzz.{part}")
        found = 0
        for fault in module.faults(asked.seed, each):
            found += 1
            print(f"{part}: {fault}", flush=True)
        print(f"{part}: {each} bad inputs, {found} faults", flush=True)
        faults += found
    print(f"all: {each * len(parts)} bad inputs, {faults} faults")
    return int(faults > 0)


def _exists(part: str) -> bool:
    return importlib.util.find_spec(f"tests.fuzz.{part}") is not None


if __name__ == "__main__":
    sys.exit(main())
