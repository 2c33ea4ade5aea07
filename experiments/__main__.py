"""`python -m experiments`."""

import os
import sys
from collections.abc import Callable

from experiments.commands import endings


def _load() -> Callable[[], int]:
    # XLA's notes on its compilation cache would bury the progress display; real
    # failures come as exceptions. It must be set before jax is loaded.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from experiments.commands import cli

    return cli.command(sys.argv[1:], _ready)


def _ready() -> None:
    from experiments.commands import machine

    machine.prepare()


if __name__ == "__main__":
    sys.exit(endings.process(_load))
