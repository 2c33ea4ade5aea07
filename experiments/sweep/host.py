"""Plain Python computes chunks, lane by lane."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from experiments.sweep.kept import Error
from experiments.sweep.lane import named
from experiments.sweep.point import NoSuchField, Point
from experiments.sweep.study import Group, Study, fields_of

__all__ = ["Host"]


class Host:
    """Plain Python, lane by lane; a lane that raises is a missing value.

    The function's key is a `numpy.random.Generator`.
    """

    at_once = 1
    spent = 0.0
    CHUNK = 64

    def __init__(self, study: Study, group: Group, chunk: int | None, decide, known):
        """Prepare nothing; outputs are known after the first sound lane."""
        self.study, self.group, self._decide = study, group, decide
        self.chunk = int(known["chunk"] if known else chunk or self.CHUNK)
        self.facts: Mapping[str, Any] = known or {}

    def start(self, chunks):
        """Wait for `finish`."""
        return chunks

    def finish(self, started):
        """Compute."""
        return [self._chunk(lanes) for lanes in started]

    def _chunk(self, lanes: np.ndarray) -> tuple[dict[str, np.ndarray], list[Error]]:
        rows, errors = [], []
        for i, where in enumerate(
            zip(*self.study.where(self.group, lanes), strict=True)
        ):
            try:
                rows.append(self._lane(*map(int, where)))
            except NoSuchField:
                raise
            except Exception as e:
                rows.append(None)
                errors.append((i, f"{type(e).__name__}: {e}"))
        self._learn(next((r for r in rows if r is not None), None), errors)
        blank = {k: np.zeros(s, d) for k, (d, s) in self.facts["outputs"].items()}
        full = [row or blank for row in rows]
        stacked = {
            k: np.stack([r[k] for r in full]).astype(blank[k].dtype) for k in blank
        }
        return stacked, errors

    def _lane(self, point: int, chip: int, seed: int) -> dict[str, np.ndarray]:
        study = self.study
        who = (study.key, study.seeds[seed], study.chips[chip])
        dice = np.random.default_rng(who if study.common else (*who, point))
        values = {**fields_of(study.base), **study.layout.points[point]}
        told = Point({**values, "seed": study.seeds[seed]}, study.read)
        outputs = study.function(told, study.chips[chip], dice)
        return {k: np.asarray(v) for k, v in named_plainly(outputs).items()}

    def _learn(self, row, errors) -> None:
        """The first sound lane shows what all of them return."""
        if self.facts:
            return
        if row is None:
            raise RuntimeError(f"every lane of the first chunk failed: {errors[0][1]}")
        outputs = {k: [v.dtype.str, list(v.shape)] for k, v in row.items()}
        proposed = {"chunk": self.chunk, "outputs": outputs, "program": "host"}
        self.facts = self._decide(proposed)


def named_plainly(outputs: Any) -> dict[str, Any]:
    """As `named`, without making jax arrays."""
    plain = dict(outputs) if isinstance(outputs, Mapping) else outputs._asdict()
    return named({k: np.asarray(v) for k, v in plain.items()})
