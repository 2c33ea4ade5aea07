"""`run` and `grid`: every field of an experiment's Config is a flag."""

import dataclasses
import itertools
import shlex
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import tyro
from rich.console import Console

from experiments import arguments, catalogue, provenance, running, store
from experiments.progress import display, say
from experiments.report import lines
from experiments.sweep import command, grid, parse_axis
from experiments.sweep.grid import points
from experiments.work import Work

__all__ = ["PROGRAM", "Results", "read"]

PROGRAM = "python -m experiments"
Results = Annotated[Path, tyro.conf.arg(help="folder of the results")]
Grid = Annotated[
    tyro.conf.UseAppendAction[tuple[str, ...]],
    tyro.conf.arg(
        metavar="FIELD=VALUE,...",
        help="values of one field, a tuple's items joined by colons; once per field",
    ),
]


def read(verb: str, name: str, argv: list[str], console: Console) -> Callable[[], int]:
    """`run` and `grid`: every field of the experiment's Config is a flag."""
    module = catalogue.find(name)
    preset = _wanted_preset(argv)
    config = catalogue.config(module, preset)
    config_type = tyro.conf.OmitArgPrefixes[module.Config]
    fields: list[Any] = [
        ("config", config_type, config),
        ("results", Results, Path("results")),
        ("preset", _preset_flag(module), preset),
    ]
    about = f"{module.REPRODUCES}\n\nAbout {module.MINUTES:g} min, two cores."
    if verb == "grid":
        fields.append(("grid", Grid, ()))
        about = (
            f"Run all of {name} at every point of --grid, over any fields of its "
            f"Config, one after another: each takes as long as `run {name}`. To "
            f"sweep what one chip depends on, `sweep {name}` is the faster way."
        )
    given: Any = arguments.read(
        lambda: tyro.cli(
            dataclasses.make_dataclass("Arguments", fields),
            prog=f"{PROGRAM} {verb} {name}",
            description=about,
            args=argv,
        ),
        argv,
    )
    if verb == "run":
        return lambda: _run(name, given, console)
    axes = _axes(given)
    return lambda: _grid(name, given, axes, argv, console)


def _run(name: str, given: Any, console: Console) -> int:
    results, config = given.results, given.config
    with display(console) as shown, shown.follow(name) as follow:
        dataset = running.run(name, config, results, follow)
    path = running.result_path(results, name, config)
    figures = running.draw(name, dataset, path.with_suffix(""))
    lines.show({name: catalogue.find(name).claims(dataset)}, console)
    say(console, "result", [path])
    say(console, "figure", figures)
    return 0


def _axes(given: Any) -> dict[str, list[Any]]:
    """The fields of a grid and their values, every point of it checked."""
    axes = dict(parse_axis(type(given.config), text) for text in given.grid)
    if len(axes) < len(given.grid):
        raise ValueError(f"grid = {given.grid}: a field is given twice")
    points(given.config, axes)
    return axes


def _grid(
    name: str,
    given: Any,
    axes: dict[str, list[Any]],
    argv: list[str],
    console: Console,
) -> int:
    config, results = given.config, store.require_writable(given.results)
    with display(console) as shown, shown.follow(name) as follow:
        work = Work(folder=results / name, config=config, report=follow)
        dataset = grid(name, config, axes, work)
    dataset = provenance.stamped(dataset, name=name, config=config, scale="sweep")
    swept = provenance.text_hash(f"{given.grid}{provenance.config_json(config)}")
    words = command.without(["grid", name, *argv], "--results")
    dataset.attrs["command"] = f"{PROGRAM} {shlex.join(words)}"
    path = store.save(dataset, results / f"{name}-grid-{swept}.nc")
    console.print(dataset)
    say(console, "result", [path])
    say(console, "figure", running.draw(name, dataset, path.with_suffix("")))
    return 0


def _wanted_preset(argv: list[str]) -> str:
    """The preset must be known before the flags are: it sets their defaults."""
    for flag, value in itertools.pairwise([*argv, ""]):
        if flag == "--preset":
            return value
        if flag.startswith("--preset="):
            return flag.partition("=")[2]
    return "default"


def _preset_flag(module: ModuleType) -> Any:
    known = ", ".join(catalogue.presets(module))
    help_text = f"start from one of {known}; flags change it"
    return Annotated[str, tyro.conf.arg(help=help_text)]
