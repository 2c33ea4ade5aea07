"""Sweeps on the command line: `sweep NAME`, `replay NAME`, `peek`."""

import contextlib
import dataclasses
import json
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
import xarray as xr
from rich.console import Console

import chipsweep
from chipsweep import Moments, Quantiles, Structural
from experiments import catalogue
from experiments.commands import arguments, preset
from experiments.commands.arguments import PROGRAM
from experiments.commands.axis_words import read_axis
from experiments.commands.field_units import with_units
from experiments.commands.progress import say
from experiments.commands.terminal import on_terminal
from experiments.figures import style
from experiments.figures.sweep_figure import plot
from experiments.results import provenance, store

__all__ = ["Asked", "command", "replay_command", "sweep_command", "without"]

_ELSEWHERE = ("--results", "--store", "--share", "--cluster", "--draw")
"""Change nothing in the result."""

_ABOUT_REPAIR = (
    "read every byte, and take out the chunks that are not what was written: the same "
    "sweep then computes them again"
)

Repeated = tyro.conf.UseAppendAction[tuple[str, ...]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Asked:
    """What is swept, and how.

    Attributes:
        chips: per point.
        grid: values of a field of one run, FIELD=VALUE,VALUE,...; once per field.
            Numbers are computed at once, anything else one by one.
        structural: fields whose numbers decide the program (a width, a length), so
            that they are compiled one by one.
        seeds: per chip.
        key: root of all random draws.
        design: all combinations, value by value, or points drawn from the values.
        points: how many to draw.
        reduce: outputs of which only moments and quantiles over the chips are kept.
    """

    chips: int = 16
    grid: Annotated[Repeated, tyro.conf.arg(metavar="FIELD=VALUE,...")] = ()
    structural: tuple[str, ...] = ()
    seeds: int = 1
    key: int = 0
    design: Literal["grid", "zip", "random", "sobol", "latin"] = "grid"
    points: int = 64
    reduce: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Where:
    """Who computes, and where it is kept; nothing here changes a random draw.

    Attributes:
        chunk: runs per device and call; measured when 0.
        share: I/N: only part I of N, for job arrays, whenever each starts; a last run
            without it makes up what others left.
        cluster: scheduler of dask.distributed, its address or its file.
        store: another place for the runs, "s3://..." too.
        draw: output to draw while it is computed; the first when empty.
        results: folder of the results; the store lies there too.
    """

    chunk: int = 0
    share: str = ""
    cluster: str = ""
    store: str = ""
    draw: str = ""
    results: Path = Path("results")


@dataclasses.dataclass(frozen=True, kw_only=True)
class At:
    """Which run.

    Attributes:
        at: value of an axis, FIELD=VALUE; once per axis.
        chip: index of the chip.
        seed: index of the seed.
        file: save it there (.nc).
    """

    at: Annotated[Repeated, tyro.conf.arg(metavar="FIELD=VALUE")] = ()
    chip: int = 0
    seed: int = 0
    file: Path | None = None


def sweep_command(
    name: str, argv: Sequence[str], console: Console
) -> Callable[[], int]:
    """`sweep NAME`: simulated chips at every point; arguments read and checked.

    The same command continues from the store, whatever stopped it.
    """
    given, spec = _read("sweep", name, argv, _ABOUT_SWEEP)
    share = _share(given.where.share)
    resources = chipsweep.Resources(chunk=given.where.chunk or None)
    words = without(["python", "-m", "experiments", "sweep", name, *argv], *_ELSEWHERE)

    def compute() -> int:
        provenance.commit()  # that of the code which is about to run
        stem = f"{name}-sweep-{chipsweep.identity(spec)}"
        path = store.require_writable(given.where.results) / f"{stem}.nc"
        kept: Any = given.where.store or path.parent / name / f"{stem}.zarr"
        if path.exists():
            store.load(path)  # what is not a result of ours is never overwritten
        console.print(f"{name}: {spec.runs} runs, compiled first", soft_wrap=True)
        with (
            on_terminal(console, given.where.draw or None) as progress,
            _executor(given.where.cluster) as executor,
        ):
            dataset = chipsweep.run(
                spec,
                store=kept,
                executor=executor,
                share=share,
                resources=resources,
                progress=progress,
            )
        again = shlex.join(without(argv, "--share", "--cluster", "--draw"))
        _told(dataset, console, f"{PROGRAM} replay {name} {again}")
        console.print(f"store: {kept}", highlight=False, soft_wrap=True)
        if (dataset.reason == chipsweep.REASONS.index("not computed")).any():
            console.print("parts are missing: the last run goes without --share")
            return 0
        _save(dataset.load(), name, given.base, spec, words, path, console)
        return 1 if chipsweep.failures(dataset) else 0

    return compute


def _save(dataset, name, base, spec, words, path: Path, console: Console) -> None:
    """The result and its figure."""
    whole = provenance.stamped(
        with_units(dataset, type(base), getattr(catalogue.find(name), "UNITS", {})),
        name=name,
        config=base,
        scale="sweep",
        programs={"sweep": chipsweep.identity(spec)},
    )
    whole = whole.assign_attrs(command=shlex.join(words))
    say(console, "result", [store.save(whole, path)])
    say(console, "figure", style.save(plot(whole), path.with_suffix("")))


def replay_command(
    name: str, argv: Sequence[str], console: Console
) -> Callable[[], int]:
    """`replay NAME`: the words of a sweep, and --at, --chip, --seed: that run again."""
    given, spec = _read("replay", name, argv, _ABOUT_REPLAY, ("run", At()))
    point: Any = dict(_pair(text) for text in given.run.at)
    if len(point) < len(given.run.at):
        raise ValueError(f"at = {given.run.at}: a field is given twice")

    def compute() -> int:
        if given.run.file is not None and given.run.file.exists():
            store.load(given.run.file)  # only a result of ours is replaced
        stem = f"{name}-sweep-{chipsweep.identity(spec)}"
        kept = given.where.results / name / f"{stem}.zarr"
        dataset = chipsweep.replay(
            spec,
            point if spec.axes else 0,
            chip=given.run.chip,
            seed=given.run.seed,
            store=given.where.store or (kept if kept.exists() else None),
            chunk=given.where.chunk or None,
        )
        console.print(dataset)
        if given.run.file is not None:
            say(console, "result", [store.save(dataset, given.run.file)])
        return 0

    return compute


def command(console: Console) -> Callable[..., int]:
    """`peek`, which prints on a console."""

    def peek(
        where: Annotated[tyro.conf.Positional[str], tyro.conf.arg(help="store")],
        repair: Annotated[bool, tyro.conf.arg(help=_ABOUT_REPAIR)] = False,
    ) -> int:
        """Show what is there of a sweep, also while it runs."""
        for key in chipsweep.damaged(where, remove=True) if repair else ():
            console.print(f"damaged: {key}", markup=False, soft_wrap=True)
        dataset = chipsweep.opened(where)
        name = json.loads(dataset.attrs["sweep"])["function"]
        _told(dataset, console, f"chipsweep.replay of {name}")
        return 0

    return peek


def without(argv: Sequence[str], *flags: str) -> list[str]:
    """Words of a command without some flags and their values.

    Example:
        >>> without(["sweep", "toy", "--results", "/tmp/a", "--chips=3"], "--results")
        ['sweep', 'toy', '--chips=3']
    """
    kept, skip = [], False
    for word in argv:
        if skip or word.partition("=")[0] in flags:
            skip = word in flags
            continue
        kept.append(word)
    return kept


_ABOUT_SWEEP = (
    "Simulate many chips of {name}, one run each, at every point of --grid. The fields "
    "that can be swept are those of --base.*, which otherwise stay as given, or as "
    "--preset has them. The same command continues what was stopped."
)
_ABOUT_REPLAY = (
    "Compute one chip of a sweep of {name} again, with everything it went through. "
    "Give the words of the sweep, and which run: --at FIELD=VALUE for every axis."
)


def _read(
    command: str, name: str, argv: Sequence[str], about: str, *more: tuple[str, Any]
) -> tuple[Any, chipsweep.Spec]:
    """The arguments, and what they decide of the numbers."""
    module: Any = catalogue.find(name)
    start = preset.wanted(argv)
    base = module.defaults(catalogue.config(module, start))
    groups = [("asked", Asked()), ("where", Where()), *more]
    fields = [(n, tyro.conf.OmitArgPrefixes[type(x)], x) for n, x in groups]
    fields += [preset.field(module, start), ("base", type(base), base)]
    about = about.format(name=name)
    given = arguments.flags(fields, f"{command} {name}", about, argv)
    asked = given.asked
    spec = chipsweep.specify(
        module.simulate,
        _axes(asked, given.base),
        chips=asked.chips,
        seeds=asked.seeds,
        key=asked.key,
        design=_design(asked),
        base=given.base,
        dims=getattr(module, "DIMS", {}),
        reduce={output: (Moments(), Quantiles()) for output in asked.reduce},
    )
    if given.where.chunk > spec.runs:
        raise ValueError(
            f"chunk must be at most the {spec.runs} runs of the sweep, "
            f"got {given.where.chunk}"
        )
    return given, spec


def _axes(asked: Asked, base: Any) -> dict[str, Any]:
    axes: dict[str, Any] = dict(read_axis(type(base), text) for text in asked.grid)
    if len(axes) < len(asked.grid):
        raise ValueError(f"grid = {asked.grid}: a field is given twice")
    for field in asked.structural:
        if field not in axes:
            raise ValueError(f"structural = {field!r}: not part of the grid")
        axes[field] = Structural(axes[field])
    return axes


def _design(asked: Asked) -> Any:
    made: dict[str, Callable[[], Any]] = {
        "grid": chipsweep.Grid,
        "zip": chipsweep.Zip,
        "random": lambda: chipsweep.Random(asked.points, asked.key),
        "sobol": lambda: chipsweep.Sobol(asked.points, asked.key),
        "latin": lambda: chipsweep.Latin(asked.points, asked.key),
    }
    return made[asked.design]()


def _share(text: str) -> tuple[int, int] | None:
    """Part and parts: "3/32"."""
    if not text:
        return None
    found = re.fullmatch("([0-9]+)/([0-9]+)", text)
    if found is None:
        raise ValueError(f"share = {text!r}: expected PART/PARTS, such as 0/32")
    part, parts = map(int, found.groups())
    if not part < parts <= 10**6:
        raise ValueError(f"share = {text!r}: PART must be below PARTS, at most 10**6")
    return part, parts


@contextlib.contextmanager
def _executor(cluster: str) -> Iterator[Any]:
    """The workers of a scheduler of dask.distributed."""
    if not cluster:
        yield None
        return
    try:
        from distributed import Client
    except ImportError as e:
        raise ValueError(
            f"cluster = {cluster!r} needs dask: pip install 'eapu-jax[cluster]'"
        ) from e
    how = "scheduler_file" if Path(cluster).exists() else "address"
    where: dict[str, Any] = {how: cluster}
    with Client(**where) as client:
        yield client.get_executor()


def _told(dataset: xr.Dataset, console: Console, replay: str) -> None:
    console.print(dataset)
    for one in chipsweep.failures(dataset):
        at = " ".join(shlex.join(["--at", f"{k}={v}"]) for k, v in one["point"].items())
        again = f"{replay} {at} --chip {one['chip']} --seed {one['seed']}"
        console.print(f"failed: {one['error']}", markup=False, soft_wrap=True)
        console.print(f"  again: {again}", markup=False, soft_wrap=True)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"at = {text!r}: expected FIELD=VALUE")
    return name, value
