"""`run NAME`: every field of an experiment's Config is a flag."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.console import Console

from experiments import catalogue
from experiments.commands import arguments, preset, running
from experiments.commands.progress import display, say
from experiments.report import lines

__all__ = ["Results", "read"]

Results = Annotated[Path, tyro.conf.arg(help="folder of the results")]


def read(name: str, argv: list[str], console: Console) -> Callable[[], int]:
    """`run NAME` with its arguments read and checked."""
    module = catalogue.find(name)
    start = preset.wanted(argv)
    config = catalogue.config(module, start)
    fields = [
        ("config", tyro.conf.OmitArgPrefixes[module.Config], config),
        ("results", Results, Path("results")),
        preset.field(module, start),
    ]
    given = arguments.flags(fields, f"run {name}", module.REPRODUCES, argv)
    return lambda: _run(name, given, console)


def _run(name: str, given: Any, console: Console) -> int:
    with display(console) as live:
        path, figures, claims = running.shown(name, given.config, given.results, live)
    lines.show({name: claims}, console)
    say(console, "result", [path])
    say(console, "figure", figures)
    return 0
