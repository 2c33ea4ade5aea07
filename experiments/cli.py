"""The command line: `python -m experiments --help`."""

import contextlib
import dataclasses
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

from experiments import EXPERIMENTS, catalogue, provenance, report, running, store
from experiments.claims import table
from experiments.formats import DataError
from experiments.progress import display
from experiments.sweep import command, grid, parse_axis
from experiments.work import Work

_PROGRAM = "python -m experiments"
_console = Console()
_errors = Console(stderr=True)

Results = Annotated[Path, tyro.conf.arg(help="folder of the results")]
Grid = Annotated[
    tyro.conf.UseAppendAction[tuple[str, ...]],
    tyro.conf.arg(
        metavar="FIELD=VALUE,...",
        help="values of one field, a tuple's items joined by colons; once per field",
    ),
]


def main(argv: list[str] | None = None) -> int:
    """Do what the arguments say; the exit status.

    0: done; 1: something failed; 2: the arguments make no sense; 130: stopped
    by Ctrl-C, finished parts are kept.
    """
    argv = sys.argv[1:] if argv is None else argv
    try:
        return _command(argv)()
    except ValueError as e:
        _errors.print(f"error: {e}", markup=False, highlight=False, soft_wrap=True)
        return 1 if isinstance(e, store.StoreError | DataError) else 2
    except FileNotFoundError as e:
        _errors.print(f"error: {e}", markup=False, highlight=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        _errors.print("stopped; finished parts are kept, the same command resumes")
        return 130


def _command(argv: list[str]) -> Callable[[], int]:
    """The command, its arguments read and checked."""
    if len(argv) > 1 and not argv[1].startswith("-"):
        if argv[0] == "sweep":
            return lambda: command.sweep_chips(argv[1], argv[2:], _console)
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
    return lambda: tyro.extras.subcommand_cli_from_dict(
        commands, prog=_PROGRAM, description=__doc__, args=argv
    )


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
    if dataset.attrs.get("experiment", name) != name:
        raise ValueError(f"{path} is a result of {dataset.attrs['experiment']}")
    if dataset.attrs.get("code_hash") != provenance.code_hash(module.__name__):
        _console.print(f"{path} was computed by another version of the code")
    _say("figure", running.draw(name, dataset, path.with_suffix("")))
    return 0


def _reproduce(
    results: Results = Path("results"),
    only: Annotated[
        tuple[str, ...], tyro.conf.arg(help="these experiments; all by default")
    ] = (),
    preset: Annotated[str, tyro.conf.arg(help="of every experiment")] = "default",
) -> int:
    """Run, draw and judge every experiment, at reduced scale; resumes."""
    for name in only:
        catalogue.config(catalogue.find(name), preset)
    with display(_console) as shown:
        outcome = running.reproduce(only or EXPERIMENTS, preset, results, shown)
    _console.print(table(outcome.claims))
    judged = running.claims_path(results, preset)
    _say("claims", [judged] if outcome.claims else [])
    _say("figure", outcome.figures)
    for name, problem in outcome.failures.items():
        _console.print(f"failed: {name}: {problem}", markup=False, soft_wrap=True)
        again = f"run {name} --preset {preset} --results {results}"
        _console.print(f"  rerun: {_PROGRAM} {again}", highlight=False, soft_wrap=True)
    try:
        _report(results)
    except Exception as e:  # the results are there, and count
        told = f"no report: {type(e).__name__}: {e}"
        _console.print(told, markup=False, highlight=False, soft_wrap=True)
    return 1 if outcome.failures else 0


def _report(results: Results = Path("results")) -> int:
    """Show every claim and figure of the results on one HTML page."""
    written = report.write(results)
    _say("report", [written.path])
    for problem in written.problems:
        _console.print(f"not shown: {problem}", markup=False, soft_wrap=True)
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
    arguments: Any = tyro.cli(
        dataclasses.make_dataclass("Arguments", fields),
        prog=f"{_PROGRAM} {command} {name}",
        description=about,
        args=argv,
    )
    if command == "run":
        return lambda: _run(name, arguments)
    return lambda: _grid(name, arguments, argv)


def _run(name: str, arguments: Any) -> int:
    results, config = arguments.results, arguments.config
    with display(_console) as shown, shown.follow(name) as follow:
        dataset = running.run(name, config, results, follow)
    path = running.result_path(results, name, config)
    figures = running.draw(name, dataset, path.with_suffix(""))
    _console.print(table({name: catalogue.find(name).claims(dataset)}))
    _say("result", [path])
    _say("figure", figures)
    return 0


def _grid(name: str, arguments: Any, argv: list[str]) -> int:
    config, results = arguments.config, store.require_writable(arguments.results)
    axes = dict(parse_axis(type(config), text) for text in arguments.grid)
    if len(axes) < len(arguments.grid):
        raise ValueError(f"grid = {arguments.grid}: a field is given twice")
    with display(_console) as shown, shown.follow(name) as follow:
        work = Work(folder=results / name, config=config, report=follow)
        dataset = grid(name, config, axes, work)
    dataset = provenance.stamped(dataset, name=name, config=config, scale="sweep")
    swept = provenance.text_hash(f"{arguments.grid}{provenance.config_json(config)}")
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
        _console.print(f"{kind}: {path}", highlight=False, soft_wrap=True)


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
