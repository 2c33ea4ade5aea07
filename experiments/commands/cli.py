"""Run, sweep, judge and report experiments.

`EAPU_JAX_TRACEBACK=1` in the environment shows where an error came from.
"""

import functools
import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import tyro
from rich.console import Console
from rich.table import Table

from experiments import EXPERIMENTS, ON_REQUEST, catalogue
from experiments.commands import arguments
from experiments.commands.arguments import PROGRAM
from experiments.commands.endings import ended

_console = Console(markup=False, highlight=False)  # a path may hold brackets


class _Command(NamedTuple):
    """Where a command is, and what it does: nothing is imported to say so."""

    module: str
    summary: str


COMMANDS: Mapping[str, _Command] = {
    "list": _Command("", "Say what there is and what it reproduces."),
    "run": _Command("configured", "Run an experiment and draw its figure."),
    "plot": _Command(
        "plotting",
        "Draw a stored result again, without computing.",
    ),
    "sweep": _Command(
        "sweeping",
        "Simulate many chips over values of their fields.",
    ),
    "reproduce": _Command(
        "reproducing",
        "Run, draw and judge the main experiments, at reduced scale; resumes.",
    ),
    "replay": _Command("sweeping", "Compute one chip of a sweep again."),
    "peek": _Command(
        "sweeping",
        "Show what is there of a sweep, also while it runs.",
    ),
    "report": _Command(
        "reporting", "Show every claim and figure of the results on one HTML page."
    ),
    "board": _Command(
        "boarding",
        "Identify a board from its voltages, and say what inverse it will give.",
    ),
    "choose": _Command(
        "choosing",
        "Rank the update rules of a device, as `run rivals` tuned and judged them.",
    ),
    "invert": _Command(
        "inverting",
        "Invert a matrix on simulated boards, and say beforehand how far off it is.",
    ),
    "joules": _Command(
        "joules",
        "Measure the energy of a multiplication with its addition on this machine.",
    ),
    "device": _Command(
        "owning", "Fit a device to its measurements, and forecast training on it."
    ),
    "digital": _Command(
        "timing",
        "Time this machine at sampling Gaussians, for `run spu_scaling --digital`.",
    ),
}
_OF_ONE = {"run": "read", "sweep": "sweep_command", "replay": "replay_command"}
"""Commands whose flags are those of the experiment named: what reads them."""


def main(argv: list[str] | None = None) -> int:
    """Do what the arguments say; the exit status, see `commands.endings`."""
    words = sys.argv[1:] if argv is None else argv
    return ended(lambda: command(words)())


def command(
    argv: list[str], ready: Callable[[], None] = lambda: None
) -> Callable[[], int]:
    """The command, its arguments read and checked.

    Args:
        argv: the words.
        ready: called before anything heavy is imported; not for a page of help.
    """
    name, named = (argv or [""])[0], len(argv) > 1 and not argv[1].startswith("-")
    known = COMMANDS.get(name)
    if known and known.module and (named or name not in _OF_ONE):
        ready()
        module = importlib.import_module(f"experiments.commands.{known.module}")
        if name in _OF_ONE:
            words = [_of_own(name, word) for word in argv[2:]]
            return getattr(module, _OF_ONE[name])(argv[1], words, _console)
        real = {name: module.command(_console)}
    else:
        real = {"list": _list}
    read = {n: _later(real.get(n) or _unread(n)) for n in COMMANDS}
    return arguments.read(
        lambda: tyro.extras.subcommand_cli_from_dict(
            read, prog=PROGRAM, description=__doc__, args=argv
        ),
        argv,
    )


def _of_own(command: str, word: str) -> str:
    """`--device my.toml` is the crossbar of a memristor experiment."""
    flag, equals, value = word.partition("=")
    crossbar = {"run": "--crossbar", "sweep": "--base.crossbar"}.get(command)
    return f"{crossbar}{equals}{value}" if crossbar and flag == "--device" else word


def _later(do: Callable[..., int]) -> Callable[..., Callable[[], int]]:
    """The same arguments, and nothing done yet."""

    @functools.wraps(do)
    def read(*given: Any, **named: Any) -> Callable[[], int]:
        return lambda: do(*given, **named)

    return read


def _unread(name: str) -> Callable[[], int]:
    """What stands in a page of help for a command that was not asked for."""

    def show() -> int:
        names = ", ".join(EXPERIMENTS) or "none yet"
        raise ValueError(f"NAME is missing: {PROGRAM} {name} NAME; NAMEs: {names}")

    flags = f"\n\nAll flags: `{PROGRAM} {name} NAME --help`." if name in _OF_ONE else ""
    show.__doc__ = COMMANDS[name].summary + flags
    return show


def _list() -> int:
    """Say what there is and what it reproduces."""
    shown = Table("name", "reproduces", "presets", "main")
    for name in EXPERIMENTS:
        reproduces, presets = catalogue.about(name)
        main = "" if name in ON_REQUEST else "main"
        shown.add_row(name, reproduces, ", ".join(presets), main)
    _console.print(shown)
    return 0
