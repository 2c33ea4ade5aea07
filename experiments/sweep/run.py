"""A sweep from its store to its dataset, and its plan."""

import logging
from pathlib import Path

import xarray as xr

from experiments.sweep.assemble import assembled, failures
from experiments.sweep.checks import checked, require_chunk
from experiments.sweep.folder import open_folder, read_folder
from experiments.sweep.plan import Plan
from experiments.sweep.resources import Resources
from experiments.sweep.shelf import Memory, Shelf
from experiments.sweep.study import Study
from experiments.sweep.watch import Silent, Watch
from experiments.sweep.worker import Worker

__all__ = ["plan_of", "run"]

_log = logging.getLogger(__name__)


def run(
    study: Study,
    resources: Resources,
    store: str | Path | None = None,
    watch: Watch | None = None,
) -> xr.Dataset:
    """Compute what the store lacks and return everything. See `sweep`."""
    traced = {} if study.host else checked(study)
    shelf = Memory() if store is None else open_folder(store, study.manifest)
    require_chunk(study, shelf, resources.chunk)
    worker = Worker(study, resources, shelf, watch or Silent(), traced)
    worker.share()
    worker.rest()
    dataset = assembled(study, shelf, study.manifest)
    _report(study, shelf, dataset, worker.cause)
    return dataset


def plan_of(
    study: Study, resources: Resources, store: str | Path | None, measure: bool
) -> Plan:
    """The plan: with the first program compiled, or with all of them timed."""
    traced = {} if study.host else checked(study)
    shelf: Shelf = Memory()
    if store is not None and (Path(store) / "sweep.json").exists():
        shelf = read_folder(store)[0]
    worker = Worker(study, resources, shelf, Silent(), traced, dry=True)
    for group in study.groups[: None if measure else 1]:
        worker.look_at(group, measure)
    return worker.plan


def _report(
    study: Study, shelf: Shelf, dataset: xr.Dataset, cause: Exception | None
) -> None:
    """Say what failed and how to replay it; raise if that is everything."""
    errors = {g.number: shelf.failure(g.number) for g in study.groups}
    if all(error is not None for error in errors.values()):
        raise RuntimeError(f"no point can be computed: {errors[0]}") from cause
    for failure in failures(dataset):
        _log.warning(
            "failed at %s: %s\n  again: %s",
            failure["point"],
            failure["error"],
            failure["replay"],
        )
