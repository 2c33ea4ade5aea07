"""What is refused before anything is computed."""

from collections.abc import Iterable

import numpy as np

from experiments.catalogue import suggest
from experiments.store import StoreError
from experiments.sweep.lane import BadFunction, Facts, facts_of
from experiments.sweep.point import NoSuchField
from experiments.sweep.shelf import Shelf
from experiments.sweep.study import Study

__all__ = ["BAD_INPUT", "checked", "require_chunk"]

BAD_INPUT = (NoSuchField, BadFunction, StoreError)
"""Not the failure of one point: the sweep cannot go on."""


def checked(study: Study) -> dict[int, Facts]:
    """Trace until every axis has been seen to matter; what was learned on the way.

    Raises:
        ValueError: on an axis or output that does not exist.
    """
    traced, wanted = {}, {a.name for a in study.axes}
    failed = 0
    for group in study.groups:
        try:
            traced[group.number] = facts_of(study, group)
        except BAD_INPUT:
            raise
        except Exception:
            failed += 1  # the run itself says why
            continue
        if wanted <= study.read:
            break
    if traced and not failed:
        _require_read(study, wanted)
    for facts in traced.values():
        _require_outputs(study, facts.outputs)
    return traced


def require_chunk(study: Study, shelf: Shelf, chunk: int | None) -> None:
    """Refuse a chunk that is not the store's."""
    for group in study.groups:
        stored = (shelf.known_group(group.number) or {}).get("chunk", chunk)
        if chunk not in (None, stored):
            raise StoreError(
                f"chunk: stored {stored}, asked for {chunk}; "
                "leave it out to continue with the stored one"
            )


def _require_read(study: Study, wanted: Iterable[str]) -> None:
    for name in sorted(set(wanted) - study.read):
        hint = suggest(name, sorted(study.read - {"seed"}))
        raise ValueError(f"the function never reads the axis {name!r}{hint}")


def _require_outputs(study: Study, outputs) -> None:
    for kind in ("reduce", "keep", "dims", "may_be_nan"):
        for name in getattr(study, kind) or ():
            if name not in outputs:
                hint = suggest(name, sorted(outputs))
                raise ValueError(f"{kind}: no output {name!r}{hint}")
    for name, (dtype, shape) in outputs.items():
        if name in study.dims and len(study.dims[name]) != len(shape):
            raise ValueError(
                f"dims: {name!r} has {len(shape)} dimensions, got {study.dims[name]}"
            )
        for reduction in study.reduce.get(name, ()):
            reduction.init(tuple(shape), np.dtype(dtype))
