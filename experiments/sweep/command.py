"""The sweep engine on the command line: `sweep NAME --chips N`, `replay`, `peek`."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
import xarray as xr
from rich.console import Console

from experiments import catalogue, provenance, store
from experiments.sweep.assemble import failures, partial
from experiments.sweep.axes import Structural
from experiments.sweep.design import Design, Grid, Random, Sobol, Zip
from experiments.sweep.engine import experiment, sweep
from experiments.sweep.grid import parse_axis
from experiments.sweep.live import on_terminal
from experiments.sweep.processes import Place, own_device, place
from experiments.sweep.replay import replay
from experiments.sweep.shelf import read_folder
from experiments.sweep.study import study_from

__all__ = ["Asked", "peek", "replay_lane", "sweep_chips"]

Points = Annotated[
    tyro.conf.UseAppendAction[tuple[str, ...]],
    tyro.conf.arg(metavar="FIELD=VALUE", help="value of an axis; once per axis"),
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Asked:
    """A sweep over chips.

    Attributes:
        chips: per point.
        grid: FIELD=VALUE,VALUE,... of what one training reads; once per field.
        structural: fields whose numbers are compiled value by value.
        seeds: per chip.
        key: root of all dice.
        design: all combinations, value by value, or points drawn from the values.
        points: how many to draw.
        chunk: chips per device and call; measured when 0.
        process: INDEX/COUNT of this process among those that share the work; as
            the launcher says when empty.
        draw: output to draw while it is computed; the first when empty.
        results: folder of the results; the store lies there too.
    """

    chips: int
    grid: Annotated[
        tyro.conf.UseAppendAction[tuple[str, ...]],
        tyro.conf.arg(metavar="FIELD=VALUE,..."),
    ] = ()
    structural: tuple[str, ...] = ()
    seeds: int = 1
    key: int = 0
    design: Literal["grid", "zip", "random", "sobol"] = "grid"
    points: int = 64
    chunk: int = 0
    process: str = ""
    draw: str = ""
    results: Path = Path("results")


def sweep_chips(name: str, argv: Sequence[str], console: Console) -> int:
    """`sweep NAME --chips N`: the engine; the exit status.

    Processes that a launcher started together share the work. The same command
    continues from the store, whatever stopped it.
    """
    prog = f"python -m experiments sweep {name}"
    asked = tyro.cli(Asked, prog=prog, args=list(argv))
    _, base = experiment(name, None)
    axes: dict[str, Any] = dict(parse_axis(type(base), t) for t in asked.grid)
    if len(axes) < len(asked.grid):
        raise ValueError(f"grid = {asked.grid}: a field is given twice")
    for field in asked.structural:
        if field not in axes:
            raise ValueError(f"structural = {field!r}: not part of the grid")
        axes[field] = Structural(axes[field])
    own_device()
    process = Place.parse(asked.process) if asked.process else place()
    module = catalogue.find(name)
    code = provenance.code_hash(module.__name__)
    what = dataclasses.replace(asked, process="", draw="", results=Path())
    stem = provenance.text_hash(f"{what}{code}{provenance.config_json(base)}")
    folder = store.require_writable(asked.results) / name / f"chips-{stem}"
    with on_terminal(console, asked.draw or None) as watch:
        dataset = sweep(
            name,
            axes,
            chips=asked.chips,
            seeds=asked.seeds,
            key=asked.key,
            design=_design(asked),
            chunk=asked.chunk or None,
            store=folder,
            process=(process.index, process.count),
            watch=watch,
        )
    path = asked.results / f"{name}-chips-{stem}.nc"
    if process.index == 0 or not path.exists():
        store.save(dataset, path)
        _told(dataset, console)
        console.print(f"result: {path}", highlight=False, soft_wrap=True)
        console.print(f"store: {folder}", highlight=False, soft_wrap=True)
    return 1 if failures(dataset) else 0


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
    known = study_from(read_folder(where)[1], strict=False)
    if not point and not known.axes:
        point = 0
    dataset = replay(where, point, chip=chip, seed=seed)
    console = Console()
    console.print(dataset)
    if file is not None:
        console.print(f"result: {store.save(dataset, file)}", soft_wrap=True)
    return 0


def _told(dataset: xr.Dataset, console: Console) -> None:
    console.print(dataset)
    for failure in failures(dataset):
        console.print(f"failed: {failure['error']}", markup=False, soft_wrap=True)
        console.print(f"  again: {failure['replay']}", markup=False, soft_wrap=True)


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
