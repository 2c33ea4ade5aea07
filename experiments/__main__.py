"""`python -m experiments`."""

import os
import sys
from collections.abc import Callable

from experiments.commands import endings


def _load() -> Callable[[], int]:
    # XLA's notes on its compilation cache would bury the progress display; real
    # failures come as exceptions. It must be set before jax is loaded.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from experiments.commands import cli, machine

    machine.prepare()
    return cli.main


if __name__ == "__main__":
    sys.exit(endings.process(_load))
