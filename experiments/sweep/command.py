"""The sweep engine on the command line: `sweep NAME`, `replay`, `peek`."""

import dataclasses
import os
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
import xarray as xr
from rich.console import Console

from experiments import arguments, catalogue, provenance, store, style
from experiments.sweep.assemble import failures, partial
from experiments.sweep.axes import Structural
from experiments.sweep.design import Design, Grid, Random, Sobol, Zip
from experiments.sweep.engine import experiment, sweep
from experiments.sweep.folder import read_folder
from experiments.sweep.grid import parse_axis
from experiments.sweep.live import on_terminal
from experiments.sweep.manifest import study_to_read
from experiments.sweep.processes import Place, own_device, place
from experiments.sweep.reductions import Moments, Quantiles
from experiments.sweep.replay import replay
from experiments.sweep_figure import plot
from experiments.validate import refuse_unless

__all__ = ["Asked", "peek", "replay_lane", "sweep_chips", "without"]

_PLACES = ("--results", "--process", "--draw")  # change nothing in the result
_BOUNDS = {
    "chips": (1, 10**7),  # their numbers, one by one, are kept in memory
    "seeds": (1, 10**7),
    "key": (0, 2**63 - 1),
    "points": (1, 10**6),
    "chunk": (0, 2**31 - 1),
}

Points = Annotated[
    tyro.conf.UseAppendAction[tuple[str, ...]],
    tyro.conf.arg(metavar="FIELD=VALUE", help="value of an axis; once per axis"),
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Asked:
    """What is swept, and how.

    Attributes:
        chips: per point.
        grid: values of a field of one training, FIELD=VALUE,VALUE,...; once per
            field. Numbers are computed at once, anything else one by one.
        structural: fields whose numbers decide the program (a width, a length), so
            that they are compiled one by one.
        seeds: per chip.
        key: root of all dice.
        design: all combinations, value by value, or points drawn from the values.
        points: how many to draw.
        reduce: outputs of which only moments and quantiles over the chips are kept.
        chunk: chips per device and call; measured when 0.
        process: INDEX/COUNT of this process among those that share the work; as
            the launcher says when empty.
        draw: output to draw while it is computed; the first when empty.
        results: folder of the results; the store lies there too.
    """

    chips: int = 16
    grid: Annotated[
        tyro.conf.UseAppendAction[tuple[str, ...]],
        tyro.conf.arg(metavar="FIELD=VALUE,..."),
    ] = ()
    structural: tuple[str, ...] = ()
    seeds: int = 1
    key: int = 0
    design: Literal["grid", "zip", "random", "sobol"] = "grid"
    points: int = 64
    reduce: tuple[str, ...] = ()
    chunk: int = 0
    process: str = ""
    draw: str = ""
    results: Path = Path("results")

    def __post_init__(self):
        """Refuse numbers that no sweep can have."""
        for field, (low, high) in _BOUNDS.items():
            holds = low <= getattr(self, field) <= high
            refuse_unless(holds, self, field, f"must be from {low:,} to {high:,}")


def sweep_chips(name: str, argv: Sequence[str], console: Console) -> Callable[[], int]:
    """`sweep NAME`, its arguments read: simulated chips at every point.

    Processes that a launcher started together share the work. The same command
    continues from the store, whatever stopped it.
    """
    asked, base = _read(name, argv)
    axes = _axes(asked, base)
    return lambda: _sweep(name, argv, asked, base, axes, console)


def _sweep(
    name: str,
    argv: Sequence[str],
    asked: Asked,
    base: Any,
    axes: dict[str, Any],
    console: Console,
) -> int:
    own_device()
    process = Place.parse(asked.process) if asked.process else place()
    module = catalogue.find(name)
    code = provenance.code_hash(module.__name__)
    what = dataclasses.replace(asked, process="", draw="", results=Path())
    stem = provenance.text_hash(f"{what}{code}{provenance.config_json(base)}")
    folder = asked.results / name / f"sweep-{stem}"
    path = asked.results / f"{name}-sweep-{stem}.nc"
    if path.exists():
        store.load(path)  # what is not a result of ours is never overwritten
    shown = console if process.index == 0 else Console(quiet=True)
    with on_terminal(shown, asked.draw or None) as watch:
        dataset = sweep(
            name,
            axes,
            chips=asked.chips,
            seeds=asked.seeds,
            key=asked.key,
            design=_design(asked),
            base=base,
            reduce={output: (Moments(), Quantiles()) for output in asked.reduce},
            chunk=asked.chunk or None,
            store=folder,
            process=(process.index, process.count),
            watch=watch,
        )
    command = without(["python", "-m", "experiments", "sweep", name, *argv], *_PLACES)
    dataset = provenance.stamped(dataset, name=name, config=base, scale="sweep")
    dataset = dataset.assign_attrs(code_hash=code, command=shlex.join(command))
    if process.index == 0 or not path.exists():
        store.save(dataset, path)
        figures = style.save(plot(dataset), path.with_suffix(""))
        _told(dataset, shown)
        for kind, one in (("result", path), ("store", folder), *_named(figures)):
            _say(f"{kind}: {one}", console)
    return 1 if failures(dataset) else 0


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


def _read(name: str, argv: Sequence[str]) -> tuple[Asked, Any]:
    """The arguments: what is swept, and the fields of one training that stay."""
    _, base = experiment(name, None)
    fields = [
        ("asked", tyro.conf.OmitArgPrefixes[Asked], Asked()),
        ("base", type(base), base),
    ]
    about = (
        f"Simulate many chips of {name}, one training each, at every point of "
        "--grid. The fields that can be swept are those of --base.*, which "
        "otherwise stay as given. The same command continues what was stopped. "
        f"`python -m experiments grid {name} --grid FIELD=VALUE,...` runs the whole "
        "experiment at every point instead, over fields of its Config."
    )
    given: Any = arguments.read(
        lambda: tyro.cli(
            dataclasses.make_dataclass("Arguments", fields),
            prog=f"python -m experiments sweep {name}",
            description=about,
            args=list(argv),
        ),
        argv,
    )
    return given.asked, given.base


def _axes(asked: Asked, base: Any) -> dict[str, Any]:
    axes: dict[str, Any] = dict(parse_axis(type(base), text) for text in asked.grid)
    if len(axes) < len(asked.grid):
        raise ValueError(f"grid = {asked.grid}: a field is given twice")
    for field in asked.structural:
        if field not in axes:
            raise ValueError(f"structural = {field!r}: not part of the grid")
        axes[field] = Structural(axes[field])
    return axes


def _named(figures: Sequence[Path]) -> list[tuple[str, Path]]:
    return [("figure", path) for path in figures]


def peek(
    where: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(help="store")],
) -> int:
    """Show what is there of a sweep over chips, also while it runs."""
    _told(partial(where), Console())
    return 0


def replay_lane(
    where: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(help="store")],
    at: Points = (),
    chip: int = 0,
    seed: int = 0,
    file: Annotated[Path | None, tyro.conf.arg(help="save it there (.nc)")] = None,
) -> int:
    """Compute one chip of a sweep again, with everything it went through."""
    point = dict(_pair(text) for text in at)
    if len(point) < len(at):
        raise ValueError(f"at = {at}: an axis is given twice")
    if file is not None and os.path.lexists(file):
        store.load(file)  # what is not a result of ours is never overwritten
    known = study_to_read(read_folder(where)[1])
    if not point and not known.axes:
        point = 0
    dataset = replay(where, point, chip=chip, seed=seed)
    console = Console()
    console.print(dataset)
    if file is not None:
        _say(f"result: {store.save(dataset, file)}", console)
    return 0


def _told(dataset: xr.Dataset, console: Console) -> None:
    console.print(dataset)
    for failure in failures(dataset):
        _say(f"failed: {failure['error']}", console)
        _say(f"  again: {failure['replay']}", console)


def _say(text: str, console: Console) -> None:
    """In one line that can be copied, brackets and all."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _design(asked: Asked) -> Design:
    return {
        "grid": Grid(),
        "zip": Zip(),
        "random": Random(asked.points, asked.key),
        "sobol": Sobol(asked.points, asked.key),
    }[asked.design]


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"at = {text!r}: expected FIELD=VALUE")
    return name, value
