"""Run, sweep, judge and report experiments.

`EAPU_JAX_TRACEBACK=1` in the environment shows where an error came from.
"""

import contextlib
import functools
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.console import Console
from rich.table import Table

from experiments import EXPERIMENTS, ON_REQUEST, catalogue, report
from experiments.commands import (
    arguments,
    boarding,
    choosing,
    configured,
    inverting,
    joules,
    owning,
    running,
    sweeping,
    timing,
)
from experiments.commands.arguments import PROGRAM
from experiments.commands.configured import Results
from experiments.commands.endings import ended
from experiments.commands.progress import display, say
from experiments.report import lines
from experiments.results import store

_console = Console(markup=False, highlight=False)  # a path may hold brackets
_MAIN: tuple[str, ...] = ("main",)
_ALL: tuple[str, ...] = ("all",)


_WHICH = f"these experiments, all, or main: all but {', '.join(ON_REQUEST)}"


def main(argv: list[str] | None = None) -> int:
    """Do what the arguments say; the exit status, see `commands.endings`."""
    words = sys.argv[1:] if argv is None else argv
    return ended(lambda: _command(words)())


def _command(argv: list[str]) -> Callable[[], int]:
    """The command, its arguments read and checked."""
    if len(argv) > 1 and not argv[1].startswith("-") and argv[0] in ("run", "sweep"):
        argv = [*argv[:2], *(_of_own(argv[0], word) for word in argv[2:])]
    if len(argv) > 1 and not argv[1].startswith("-"):
        of_one = {
            "run": configured.read,
            "sweep": sweeping.sweep_command,
            "replay": sweeping.replay_command,
        }
        if argv[0] in of_one:
            return of_one[argv[0]](argv[1], argv[2:], _console)
    commands = {
        "list": _list,
        "run": _usage("run", "Run an experiment and draw its figure."),
        "plot": _plot,
        "sweep": _usage("sweep", "Simulate many chips over values of their fields."),
        "reproduce": _reproduce,
        "replay": _usage("replay", "Compute one chip of a sweep again."),
        "peek": sweeping.peek,
        "report": _report,
        "board": boarding.command(_console),
        "choose": choosing.command(_console),
        "invert": inverting.command(_console),
        "joules": joules.command(_console),
        "device": owning.command(_console),
        "digital": timing.command(_console),
    }
    read = {name: _later(do) for name, do in commands.items()}
    return arguments.read(
        lambda: tyro.extras.subcommand_cli_from_dict(
            read, prog=PROGRAM, description=__doc__, args=argv
        ),
        argv,
    )


def _of_own(command: str, word: str) -> str:
    """`--device my.toml` is the crossbar of a memristor experiment."""
    flag, equals, value = word.partition("=")
    crossbar = {"run": "--crossbar", "sweep": "--base.crossbar"}[command]
    return f"{crossbar}{equals}{value}" if flag == "--device" else word


def _later(do: Callable[..., int]) -> Callable[..., Callable[[], int]]:
    """The same arguments, and nothing done yet."""

    @functools.wraps(do)
    def read(*given: Any, **named: Any) -> Callable[[], int]:
        return lambda: do(*given, **named)

    return read


def _usage(command: str, summary: str) -> Callable[[], int]:
    def show() -> int:
        names = ", ".join(EXPERIMENTS) or "none yet"
        raise ValueError(f"NAME is missing: {PROGRAM} {command} NAME; NAMEs: {names}")

    show.__doc__ = f"{summary}\n\nAll flags: `{PROGRAM} {command} NAME --help`."
    return show


def _list() -> int:
    """Say what there is and what it reproduces."""
    shown = Table("name", "reproduces", "presets")
    for name in EXPERIMENTS:
        module = catalogue.find(name)
        known = ", ".join(catalogue.presets(module))
        shown.add_row(name, module.REPRODUCES, known)
    _console.print(shown)
    return 0


def _plot(
    name: Annotated[tyro.conf.Positional[str], tyro.conf.arg(help="experiment")],
    results: Results = Path("results"),
    file: Annotated[Path | None, tyro.conf.arg(help="another result")] = None,
) -> int:
    """Draw a stored result again, without computing."""
    module = catalogue.find(name)
    path = file or running.result_path(results, name, module.Config())
    dataset = store.load(path)
    of = dataset.attrs.get("experiment")
    if of != name:
        raise ValueError(f"{path} is a result of {of or 'none'}, not of {name}")
    say(_console, "figure", running.draw(name, dataset, path.with_suffix("")))
    return 0


def _reproduce(
    results: Results = Path("results"),
    only: Annotated[tuple[str, ...], tyro.conf.arg(help=_WHICH)] = _MAIN,
    preset: Annotated[str, tyro.conf.arg(help="of every experiment")] = "default",
) -> int:
    """Run, draw and judge the main experiments, at reduced scale; resumes."""
    names = _wanted(only)
    _require_preset(names, preset)
    with display(_console) as shown:
        outcome = running.reproduce(names, preset, results, shown)
    lines.show(outcome.claims, _console)
    judged = running.claims_path(results, preset)
    say(_console, "claims", [judged] if outcome.claims else [])
    say(_console, "figure", outcome.figures)
    for name, problem in outcome.failures.items():
        _console.print(f"failed: {name}: {problem}", soft_wrap=True)
        again = ["run", name, "--preset", preset, "--results", str(results)]
        _console.print(f"  rerun: {PROGRAM} {shlex.join(again)}", soft_wrap=True)
    try:
        _report(results)
    except Exception as e:  # the results are there, and count
        _console.print(f"no report: {type(e).__name__}: {e}", soft_wrap=True)
    return 1 if outcome.failures else 0


def _wanted(only: tuple[str, ...]) -> list[str]:
    main = [name for name in EXPERIMENTS if name not in ON_REQUEST]
    named = {_MAIN: main, _ALL: [*EXPERIMENTS]}
    names = named.get(only, [*only])
    for name in names:
        catalogue.require(name)
    if not names or len(set(names)) < len(names):
        raise ValueError(f"only = {names}: at least one, none of them twice")
    return names


def _require_preset(names: list[str], preset: str) -> None:
    """Refuse it before anything is written; what does not import fails later."""
    for name in names:
        with contextlib.suppress(ImportError):
            catalogue.config(catalogue.find(name), preset)


def _report(results: Results = Path("results")) -> int:
    """Show every claim and figure of the results on one HTML page."""
    written = report.write(results)
    say(_console, "report", [written.path])
    for problem in written.problems:
        _console.print(f"not shown: {problem}", soft_wrap=True)
    return 1 if written.problems else 0
