"""`reproduce`: the main experiments run, drawn and judged."""

import contextlib
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console

from experiments import EXPERIMENTS, ON_REQUEST, catalogue
from experiments.commands import reporting, running
from experiments.commands.arguments import PROGRAM
from experiments.commands.configured import Results
from experiments.commands.progress import display, say
from experiments.report import lines

_MAIN: tuple[str, ...] = ("main",)
_ALL: tuple[str, ...] = ("all",)
_N_MAIN = len(EXPERIMENTS) - len(ON_REQUEST)
_WHICH = f"these experiments; main: the {_N_MAIN} that `list` marks so; or all"


def command(console: Console) -> Callable[..., int]:
    """The command, which prints on a console."""

    def reproduce(
        results: Results = Path("results"),
        only: Annotated[tuple[str, ...], tyro.conf.arg(help=_WHICH)] = _MAIN,
        preset: Annotated[str, tyro.conf.arg(help="of every experiment")] = "default",
    ) -> int:
        """Run, draw and judge the main experiments, at reduced scale; resumes."""
        names = _wanted(only)
        _require_preset(names, preset)
        with display(console) as shown:
            outcome = running.reproduce(names, preset, results, shown)
        lines.show(outcome.claims, console)
        judged = running.claims_path(results, preset)
        say(console, "claims", [judged] if outcome.claims else [])
        say(console, "figure", outcome.figures)
        for name, problem in outcome.failures.items():
            console.print(f"failed: {name}: {problem}", soft_wrap=True)
            again = ["run", name, "--preset", preset, "--results", str(results)]
            console.print(f"  rerun: {PROGRAM} {shlex.join(again)}", soft_wrap=True)
        try:
            reporting.command(console)(results)
        except Exception as e:  # the results are there, and count
            console.print(f"no report: {type(e).__name__}: {e}", soft_wrap=True)
        return 1 if outcome.failures else 0

    return reproduce


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
