"""What a results folder holds: results to show, and what cannot be shown and why."""

import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

import xarray as xr

from experiments import EXPERIMENTS, catalogue
from experiments.claims import Claim
from experiments.commands import running
from experiments.figures.outcomes import swept
from experiments.report import commands
from experiments.report.drawing import Drawing, drawing
from experiments.results import store

__all__ = ["Gathered", "Result", "gather"]

T = TypeVar("T")


class Result(NamedTuple):
    """One stored result, judged and drawn.

    Attributes:
        name: of the experiment.
        path: of the file.
        attrs: the provenance that is stored with it.
        sizes: of its dimensions.
        title: what the experiment says in one line.
        text: what it says besides.
        reproduces: which published figure.
        drawn: the figure; None if there is none.
        claims: judged anew from the stored numbers.
        commands: what it does -> the command.
        problems: what went wrong.
    """

    name: str
    path: Path
    attrs: dict[str, Any]
    sizes: dict[str, int]
    title: str
    text: str
    reproduces: str
    drawn: Drawing | None
    claims: list[Claim]
    commands: dict[str, str]
    problems: list[str]


class Gathered(NamedTuple):
    """A results folder.

    Attributes:
        results: in the order of the catalogue, the default preset first.
        unread: file -> why it is not shown.
        failed: experiment -> the traceback of its last run.
        missing: experiment without a result -> the command that makes one.
    """

    results: list[Result]
    unread: dict[Path, str]
    failed: dict[str, str]
    missing: dict[str, str]

    @property
    def problems(self) -> list[str]:
        """What should be there and cannot be shown."""
        broken = [f"{r.path}: {why}" for r in self.results for why in r.problems]
        return [*self.unread.values(), *broken]


def gather(results: Path) -> Gathered:
    """Read, judge and draw every result of a folder.

    Raises:
        StoreError: if there is no such folder, or nothing in it.
    """
    paths = _paths(results)
    found, unread = [], {}
    for path in sorted(paths, key=lambda p: (len(p.stem), p.name)):
        try:
            found.append(_result(path, store.load(path)))
        except store.StoreError as e:
            unread[path] = str(e)
    order = {name: i for i, name in enumerate(EXPERIMENTS)}
    found.sort(key=lambda result: order[result.name])
    there = {result.name for result in found}
    return Gathered(
        results=found,
        unread=unread,
        failed={n: log for n in EXPERIMENTS if (log := _failure(results, n))},
        missing={n: commands.rerun(n, results) for n in EXPERIMENTS if n not in there},
    )


def _paths(results: Path) -> list[Path]:
    make = commands.rerun("NAME", results)
    if not results.is_dir():
        kind = "is not a folder" if results.exists() else "does not exist"
        raise store.StoreError(f"results = {results}: {kind}; results come from {make}")
    paths = [path for path in results.glob("*.nc") if path.is_file()]
    if not paths and not any(_failure(results, name) for name in EXPERIMENTS):
        raise store.StoreError(
            f"results = {results}: no result in it; make one: {make}"
        )
    return paths


def _failure(results: Path, name: str) -> str:
    path = results / f"{name}.error.txt"
    if not path.is_file():
        return ""
    return path.read_text(encoding="utf-8", errors="replace").strip() or "no traceback"


def _result(path: Path, dataset: xr.Dataset) -> Result:
    name, problems = _name(path, dataset), []
    module = _try("module", lambda: catalogue.find(name), None, problems)
    sweep = dataset.attrs.get("scale") == "sweep"
    drawn, claims, again = None, [], {}
    if module:
        figure = partial(running.figure, name, dataset)
        drawn = _try("figure", lambda: drawing(figure()), None, problems)
        again = _try("command", lambda: _again(path, module, dataset), {}, problems)
    if module and not sweep:
        claims = _try("claims", lambda: module.claims(dataset), [], problems)
    title, text = _words(module, name)
    return Result(
        name=name,
        path=path,
        attrs=dict(dataset.attrs),
        sizes={str(d): n for d, n in dataset.sizes.items()},
        title=title,
        text=_swept(dataset) if sweep else text,
        reproduces=getattr(module, "REPRODUCES", ""),
        drawn=drawn,
        claims=claims,
        commands=again,
        problems=problems,
    )


def _name(path: Path, dataset: xr.Dataset) -> str:
    name = str(dataset.attrs.get("experiment", ""))
    if name not in EXPERIMENTS:
        known = ", ".join(EXPERIMENTS)
        problem = f"is of experiment {name!r}, which is unknown: there are {known}"
        raise store.StoreError(f"{path} {problem}")
    return name


def _try(what: str, make: Callable[[], T], otherwise: T, problems: list[str]) -> T:
    """One broken result must not hide the others: any exception is only noted."""
    try:
        return make()
    except Exception as e:
        problems.append(f"{what} failed: {type(e).__name__}: {e}")
        return otherwise


def _words(module: ModuleType | None, name: str) -> tuple[str, str]:
    """Title and text from the module's docstring."""
    said = inspect.cleandoc(getattr(module, "__doc__", None) or name)
    title, _, text = said.partition("\n\n")
    return title, text


def _swept(dataset: xr.Dataset) -> str:
    """What a sweep went over, and how its figure is read."""
    names = ", ".join(f"{d} ({dataset.sizes[d]})" for d in swept(dataset))
    if not names:
        return "One point: how its chips are distributed."
    return (
        f"Swept: {names}. Every outcome as the median over the chips and their middle "
        "half; a second axis makes one line per value, or a map of the median."
    )


def _again(path: Path, module: ModuleType, dataset: xr.Dataset) -> dict[str, str]:
    name, attrs = str(dataset.attrs["experiment"]), dataset.attrs
    if attrs.get("scale") == "sweep":
        make = commands.again(str(attrs["command"]), path.parent)
    else:
        make = commands.rerun(name, path.parent, module, attrs)
    return {"Draw it again": commands.redraw(name, path), "Compute it again": make}
