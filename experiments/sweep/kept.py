"""From what a chunk computed to what is kept of it."""

import json
from collections.abc import Mapping, Sequence

import numpy as np

from experiments.sweep.record import Record
from experiments.sweep.reductions import Lanes
from experiments.sweep.reductions.base import State
from experiments.sweep.study import Group, Study

__all__ = ["DIVERGED", "FAILED", "MISSING", "OK", "kept_of", "unpacked"]

OK, DIVERGED, FAILED, MISSING = range(4)
Error = tuple[int, str]  # lane of the chunk, what went wrong


def kept_of(
    study: Study,
    group: Group,
    lanes: np.ndarray,
    outputs: Mapping[str, np.ndarray],
    errors: Sequence[Error] = (),
) -> Record:
    """What the store keeps of a chunk: reasons, kept outputs, states, errors.

    Args:
        study: what is kept.
        group: that the lanes belong to.
        lanes: their numbers, without the padding.
        outputs: `(lanes, ...)` each.
        errors: of the lanes whose function raised.
    """
    point, chip, seed = study.where(group, lanes)
    reason = _reasons(study, outputs, len(lanes))
    reason[[lane for lane, _ in errors]] = FAILED
    told = [[int(point[i]), int(chip[i]), int(seed[i]), text] for i, text in errors]
    lines = "\n".join(map(json.dumps, told)).encode()
    record = {"reason": reason, "errors": np.frombuffer(lines, np.uint8)}
    record |= {f"raw/{name}": outputs[name] for name in study.kept(outputs)}
    for p in np.unique(point) if study.reduce else ():
        mine = np.flatnonzero((point == p) & (reason == OK))
        who = np.array(study.chips)[chip[mine]], np.array(study.seeds)[seed[mine]]
        for name, reductions in study.reduce.items():
            seen = Lanes(outputs[name][mine], *who)
            for number, reduction in enumerate(reductions):
                empty = reduction.init(seen.values.shape[1:], seen.values.dtype)
                for entry, value in reduction.update(empty, seen).items():
                    record[f"state/{name}/{number}/{p}/{entry}"] = value
    return record


def unpacked(record: Record) -> dict[tuple[str, int, int], State]:
    """The states in a record, by output, number of the reduction, and point."""
    states: dict[tuple[str, int, int], State] = {}
    for key, value in record.items():
        if key.startswith("state/"):
            _, name, number, point, entry = key.split("/")
            states.setdefault((name, int(number), int(point)), {})[entry] = value
    return states


def _reasons(study: Study, outputs: Mapping[str, np.ndarray], n: int) -> np.ndarray:
    """Diverged: a number that is not finite where it has to be."""
    sound = np.ones(n, bool)
    for name, values in outputs.items():
        if name not in study.may_be_nan and values.dtype.kind in "fc":
            sound &= np.isfinite(values).reshape(n, -1).all(1)
    return np.where(sound, OK, DIVERGED).astype(np.int8)
