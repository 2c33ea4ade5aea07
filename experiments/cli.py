"""Run, sweep, judge and report experiments.

`EAPU_JAX_TRACEBACK=1` in the environment shows where an error came from.
"""

import contextlib
import dataclasses
import functools
import itertools
import logging
import os
import platform
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import jax
import tyro
from rich.console import Console
from rich.table import Table

from experiments import (
    EXPERIMENTS,
    arguments,
    catalogue,
    provenance,
    report,
    running,
    store,
)
from experiments.endings import ended
from experiments.progress import display
from experiments.report import lines
from experiments.sweep import command, grid, parse_axis
from experiments.sweep.grid import points
from experiments.work import Work

_PROGRAM = "python -m experiments"
_console = Console(markup=False, highlight=False)  # a path may hold brackets
_ALL = ("all",)

Results = Annotated[Path, tyro.conf.arg(help="folder of the results")]
Grid = Annotated[
    tyro.conf.UseAppendAction[tuple[str, ...]],
    tyro.conf.arg(
        metavar="FIELD=VALUE,...",
        help="values of one field, a tuple's items joined by colons; once per field",
    ),
]


def main(argv: list[str] | None = None) -> int:
    """Do what the arguments say; the exit status, see `experiments.endings`."""
    words = sys.argv[1:] if argv is None else argv
    return ended(lambda: _command(words)())


def _command(argv: list[str]) -> Callable[[], int]:
    """The command, its arguments read and checked."""
    if len(argv) > 1 and not argv[1].startswith("-"):
        if argv[0] == "sweep":
            return command.sweep_chips(argv[1], argv[2:], _console)
        if argv[0] in ("run", "grid"):
            return _with_config(argv[0], argv[1], argv[2:])
    commands = {
        "list": _list,
        "run": _usage("run", "Run an experiment and draw its figure."),
        "plot": _plot,
        "sweep": _usage("sweep", "Simulate many chips over values of their fields."),
        "grid": _usage("grid", "Run a whole experiment over a grid of its fields."),
        "reproduce": _reproduce,
        "replay": command.replay_lane,
        "peek": command.peek,
        "report": _report,
    }
    read = {name: _later(do) for name, do in commands.items()}
    return arguments.read(
        lambda: tyro.extras.subcommand_cli_from_dict(
            read, prog=_PROGRAM, description=__doc__, args=argv
        ),
        argv,
    )


def _later(do: Callable[..., int]) -> Callable[..., Callable[[], int]]:
    """The same arguments, and nothing done yet."""

    @functools.wraps(do)
    def read(*given: Any, **named: Any) -> Callable[[], int]:
        return lambda: do(*given, **named)

    return read


def _usage(command: str, summary: str) -> Callable[[], int]:
    def show() -> int:
        names = ", ".join(EXPERIMENTS) or "none yet"
        raise ValueError(f"NAME is missing: {_PROGRAM} {command} NAME; NAMEs: {names}")

    show.__doc__ = f"{summary}\n\nAll flags: `{_PROGRAM} {command} NAME --help`."
    return show


def _list() -> int:
    """Say what there is, what it reproduces and how long it takes."""
    shown = Table("name", "reproduces", "minutes", "presets")
    for name in EXPERIMENTS:
        module = catalogue.find(name)
        known = ", ".join(catalogue.presets(module))
        shown.add_row(name, module.REPRODUCES, f"{module.MINUTES:g}", known)
    _console.print(shown)
    _console.print("Minutes: about, on two cores, with the default preset.")
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
    if dataset.attrs.get("code_hash") != provenance.code_hash(module.__name__):
        _console.print(f"{path} was computed by another version of the code")
    _say("figure", running.draw(name, dataset, path.with_suffix("")))
    return 0


def _reproduce(
    results: Results = Path("results"),
    only: Annotated[tuple[str, ...], tyro.conf.arg(help="these experiments")] = _ALL,
    preset: Annotated[str, tyro.conf.arg(help="of every experiment")] = "default",
) -> int:
    """Run, draw and judge every experiment, at reduced scale; resumes."""
    names = _wanted(only)
    _require_preset(names, preset)
    with display(_console) as shown:
        outcome = running.reproduce(names, preset, results, shown)
    lines.show(outcome.claims, _console)
    judged = running.claims_path(results, preset)
    _say("claims", [judged] if outcome.claims else [])
    _say("figure", outcome.figures)
    for name, problem in outcome.failures.items():
        _console.print(f"failed: {name}: {problem}", soft_wrap=True)
        again = ["run", name, "--preset", preset, "--results", str(results)]
        _console.print(f"  rerun: {_PROGRAM} {shlex.join(again)}", soft_wrap=True)
    try:
        _report(results)
    except Exception as e:  # the results are there, and count
        _console.print(f"no report: {type(e).__name__}: {e}", soft_wrap=True)
    return 1 if outcome.failures else 0


def _wanted(only: tuple[str, ...]) -> list[str]:
    names = list(EXPERIMENTS) if only == _ALL else list(only)
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
    _say("report", [written.path])
    for problem in written.problems:
        _console.print(f"not shown: {problem}", soft_wrap=True)
    return 1 if written.problems else 0


def _with_config(command: str, name: str, argv: list[str]) -> Callable[[], int]:
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
    if command == "grid":
        fields.append(("grid", Grid, ()))
        about = (
            f"Run all of {name} at every point of --grid, over any fields of its "
            f"Config, one after another: each takes as long as `run {name}`. To "
            f"sweep what one chip depends on, `sweep {name}` is the faster way."
        )
    given: Any = arguments.read(
        lambda: tyro.cli(
            dataclasses.make_dataclass("Arguments", fields),
            prog=f"{_PROGRAM} {command} {name}",
            description=about,
            args=argv,
        ),
        argv,
    )
    if command == "run":
        return lambda: _run(name, given)
    axes = _axes(given)
    return lambda: _grid(name, given, axes, argv)


def _run(name: str, given: Any) -> int:
    results, config = given.results, given.config
    with display(_console) as shown, shown.follow(name) as follow:
        dataset = running.run(name, config, results, follow)
    path = running.result_path(results, name, config)
    figures = running.draw(name, dataset, path.with_suffix(""))
    lines.show({name: catalogue.find(name).claims(dataset)}, _console)
    _say("result", [path])
    _say("figure", figures)
    return 0


def _axes(given: Any) -> dict[str, list[Any]]:
    """The fields of a grid and their values, every point of it checked."""
    axes = dict(parse_axis(type(given.config), text) for text in given.grid)
    if len(axes) < len(given.grid):
        raise ValueError(f"grid = {given.grid}: a field is given twice")
    points(given.config, axes)
    return axes


def _grid(name: str, given: Any, axes: dict[str, list[Any]], argv: list[str]) -> int:
    config, results = given.config, store.require_writable(given.results)
    with display(_console) as shown, shown.follow(name) as follow:
        work = Work(folder=results / name, config=config, report=follow)
        dataset = grid(name, config, axes, work)
    dataset = provenance.stamped(dataset, name=name, config=config, scale="sweep")
    swept = provenance.text_hash(f"{given.grid}{provenance.config_json(config)}")
    words = command.without(["grid", name, *argv], "--results")
    dataset.attrs["command"] = f"{_PROGRAM} {shlex.join(words)}"
    path = store.save(dataset, results / f"{name}-grid-{swept}.nc")
    _console.print(dataset)
    _say("result", [path])
    _say("figure", running.draw(name, dataset, path.with_suffix("")))
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


def _say(kind: str, paths: list[Path]) -> None:
    for path in paths:
        _console.print(f"{kind}: {path}", soft_wrap=True)


def prepare() -> None:
    """Settings that must come before jax's first computation, and messages on.

    One CPU device per core that this process may use, and a compilation cache
    in the user's cache folder unless `JAX_COMPILATION_CACHE_DIR` names another.
    """
    logging.basicConfig(format="%(message)s")
    logging.getLogger("experiments").setLevel(logging.INFO)
    able = getattr(os, "sched_getaffinity", None)
    cores = len(able(0)) if able else os.cpu_count() or 1
    if "xla_force_host_platform_device_count" not in os.environ.get("XLA_FLAGS", ""):
        jax.config.update("jax_num_cpu_devices", cores)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        with contextlib.suppress(store.StoreError):  # then without a cache
            cache = store.user_cache() / f"xla-{_processor()}"
            jax.config.update(
                "jax_compilation_cache_dir", str(store.require_writable(cache))
            )


def _processor() -> str:
    """A name for what this processor can do: machine code is kept apart by it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    able = {line for line in lines if line.startswith(("flags", "Features"))}
    return provenance.text_hash(f"{platform.machine()} {sorted(able)}")
