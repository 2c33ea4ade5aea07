"""Run, keep, draw and judge experiments: what the commands do."""

import traceback
from collections.abc import Collection
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import xarray as xr
from matplotlib.figure import Figure

import chipsweep
from experiments import catalogue
from experiments.claims import Claim, read_csv, write_csv
from experiments.commands.progress import Display, Report, Reporting
from experiments.figures import style
from experiments.figures.sweep_figure import plot as plot_sweep
from experiments.results import provenance, store

__all__ = [
    "Reproduction",
    "claims_path",
    "draw",
    "figure",
    "reproduce",
    "result_path",
    "run",
    "shown",
]


class Reproduction(NamedTuple):
    """What `reproduce` leaves behind.

    Attributes:
        claims: per experiment.
        figures: every file drawn.
        failures: experiment -> what went wrong.
    """

    claims: dict[str, list[Claim]]
    figures: list[Path]
    failures: dict[str, str]


def result_path(results: Path, name: str, config: Any) -> Path:
    """`NAME.nc` for the default config, `NAME-PRESET.nc`, else `NAME-HASH.nc`.

    So no run overwrites the result of another config.
    """
    preset = _preset(catalogue.find(name), config)
    end = {"default": "", None: f"-{provenance.config_hash(config)}"}
    return results / f"{name}{end.get(preset, f'-{preset}')}.nc"


def claims_path(results: Path, preset: str) -> Path:
    """The table of claims of one scale."""
    return results / ("claims.csv" if preset == "default" else f"claims-{preset}.csv")


def run(
    name: str, config: Any, results: Path, report: Report = lambda step: None
) -> xr.Dataset:
    """The result of one config; runs that are in the stores are read back.

    Raises:
        StoreError: before computing, if `results` cannot be written or holds
            something else under the result's name.
    """
    provenance.commit()  # that of the code which is about to run
    module = catalogue.find(name)
    path = result_path(store.require_writable(results), name, config)
    # what is not a result of ours is never overwritten
    kept = store.load(path) if path.exists() else None
    preset = _preset(module, config)
    scale = {"default": "reduced", None: "custom"}.get(preset, str(preset))
    found, programs = _swept(module, config, results / name, report)
    dataset = provenance.stamped(
        module.derive(config, found),
        name=name,
        config=config,
        scale=scale,
        programs=programs,
    )
    if kept is not None and _same(kept, dataset):
        return kept
    return store.load(store.save(dataset, path))


def _same(kept: xr.Dataset, made: xr.Dataset) -> bool:
    """Whether nothing but when it was made has changed."""
    decisive = ("config_hash", "programs", "scale")
    return made.equals(kept) and all(
        made.attrs[name] == kept.attrs.get(name) for name in decisive
    )


def _swept(
    module: Any, config: Any, folder: Path, report: Report
) -> tuple[dict[str, xr.Dataset], dict[str, str]]:
    """All sweeps of an experiment, each continued from its store, and their identity.

    A store is named by the identity of its sweep: what was computed by another
    program, or for another config, is never read.
    """
    asked = module.sweeps(config)
    found, programs = {}, {}
    for number, (label, one) in enumerate(asked.items()):
        spec = one.spec
        programs[label] = chipsweep.identity(spec)
        found[label] = chipsweep.run(
            spec,
            store=folder / f"{label}-{programs[label]}.zarr",
            resources=chipsweep.Resources(chunk=one.chunk),
            progress=Reporting(report, label, number, len(asked)),
        )
    return found, programs


def figure(name: str, dataset: xr.Dataset) -> Figure:
    """The experiment's own figure; that of a sweep for a sweep."""
    if dataset.attrs.get("scale") == "sweep":
        return plot_sweep(dataset)
    return catalogue.find(name).plot(dataset)


def draw(name: str, dataset: xr.Dataset, stem: Path) -> list[Path]:
    """Draw a result; the files, `stem.pdf` and `stem.png`."""
    return style.save(figure(name, dataset), stem)


def reproduce(
    names: Collection[str], preset: str, results: Path, display: Display
) -> Reproduction:
    """Run, draw and judge every experiment; one that fails does not stop the rest.

    Writes `NAME.nc`, `NAME.pdf`, `NAME.png` and `claims.csv` into `results` (for
    another preset `NAME-PRESET.nc` and so on), and the traceback of a failure
    into `NAME.error.txt`. Claims of experiments that are not among `names` stay
    in the table.
    """
    made = Reproduction({}, [], {})
    judged = claims_path(store.require_writable(results), preset)
    others = {n: c for n, c in read_csv(judged).items() if n not in names}
    for i, name in enumerate(names, 1):
        display.console.rule(f"{i} of {len(names)}: {name}", align="left")
        log = results / f"{name}.error.txt"
        try:
            module = catalogue.find(name)
            config = catalogue.config(module, preset)
            display.console.print(module.REPRODUCES, markup=False, highlight=False)
            _, figures, claims = shown(name, config, results, display)
        except Exception as e:
            made.failures[name] = f"{type(e).__name__}: {e}"
            store.write_atomically(log, traceback.format_exc().encode())
            failed = f"{name} failed, see {log}; going on"
            display.console.print(failed, style="red", markup=False, soft_wrap=True)
            continue
        log.unlink(missing_ok=True)
        made.figures.extend(figures)
        made.claims[name] = claims
        write_csv(judged, {**others, **made.claims})
    return made


def shown(
    name: str, config: Any, results: Path, display: Display
) -> tuple[Path, list[Path], list[Claim]]:
    """Run, draw and judge one config: its result, its figures, its claims."""
    with display.follow(name) as report:
        dataset = run(name, config, results, report)
    path = result_path(results, name, config)
    figures = draw(name, dataset, path.with_suffix(""))
    return path, figures, catalogue.find(name).claims(dataset)


def _preset(module: ModuleType, config: Any) -> str | None:
    same = (name for name, c in catalogue.presets(module).items() if c == config)
    return next(same, None)
