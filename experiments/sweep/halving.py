"""Successive halving: many points for a short time, the best for longer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from experiments.sweep.axes import Axis, Structural, read_axes
from experiments.sweep.design import Design, Grid, Listed
from experiments.sweep.engine import sweep
from experiments.sweep.labels import shown
from experiments.sweep.study import fields_of

__all__ = ["Rung", "halving"]


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One round.

    Attributes:
        chips: per point.
        steps: value of the field that sets the length of a run.
        keep: points that go on to the next rung; ignored in the last.
    """

    chips: int
    steps: int
    keep: int = 1

    def __post_init__(self):
        for name in ("chips", "steps", "keep"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} = {getattr(self, name)}: at least 1")


def halving(
    function: Callable,
    axes: Mapping[str, Any],
    rungs: Sequence[Rung],
    *,
    score: str,
    largest: bool = True,
    steps: str = "steps",
    over: Callable[[np.ndarray], float] = np.median,
    design: Design | None = None,
    base: Mapping[str, Any] | None = None,
    store: str | Path | None = None,
    **asked: Any,
) -> xr.Dataset:
    """Search the axes for the best point, spending most where it is promising.

    Every rung is a sweep: its chips are the first of the next rung's, with the
    same dice, so points are compared on common random numbers; with a store, an
    interrupted search continues.

    Args:
        function: as in `sweep`; it reads the length of its run as `point[steps]`.
        axes: what is searched.
        rungs: the rounds, cheapest first.
        score: an output with one number per chip.
        largest: whether large is good.
        steps: name of the field that sets the length.
        over: the score of a point, from those of its chips. A chip that diverged
            counts as the worst.
        design: of the first rung.
        base: other fields of the point.
        store: folder; each rung has its own folder in it.
        **asked: of `sweep`.

    Returns:
        Over `point` (of the first rung) and `rung`: `score`, NaN where a point was
        out. `attrs["best"]` is the number of the best point.

    Example:
        >>> def bowl(point, chip, key):
        ...     return {"loss": (point.x - 0.3) ** 2 / point.steps}
        >>> rungs = [Rung(chips=1, steps=1, keep=2), Rung(chips=2, steps=4)]
        >>> found = halving(
        ...     bowl, {"x": [0.0, 0.25, 0.5, 1.0]}, rungs, score="loss", largest=False
        ... )
        >>> found.x.values[found.attrs["best"]].item()
        0.25
    """
    if not rungs:
        raise ValueError("rungs = (): at least one")
    fields = {**fields_of(base), steps: 0}
    read = read_axes(axes, fields)
    points = (design or Grid()).lay_out(read).points
    alive = list(range(len(points)))
    scores = np.full((len(points), len(rungs)), np.nan)
    for i, rung in enumerate(rungs):
        found = sweep(
            function,
            {a.name: column(a, [points[p] for p in alive]) for a in read},
            design=Listed(tuple(points[p] for p in alive)),
            base={**fields, steps: rung.steps},
            chips=rung.chips,
            store=None if store is None else Path(store) / f"rung-{i}",
            **asked,
        )
        scores[alive, i] = scores_of(found[score], over, largest)
        order = np.argsort(
            -scores[alive, i] if largest else scores[alive, i], kind="stable"
        )
        if i < len(rungs) - 1:
            alive = sorted(alive[j] for j in order[: rung.keep])
        else:
            alive = [alive[j] for j in order]
    coords = {a.name: ("point", [shown(p[a.name]) for p in points]) for a in read}
    data = {"score": (("point", "rung"), scores)}
    return xr.Dataset(data, coords=coords, attrs={"best": alive[0]})


def column(axis: Axis, points: Sequence[Mapping[str, Any]]) -> Any:
    """The distinct values of an axis among some points."""
    values: list[Any] = []
    for point in points:
        if not any(point[axis.name] is v or point[axis.name] == v for v in values):
            values.append(point[axis.name])
    return Structural(values) if axis.structural else values


def scores_of(values: xr.DataArray, over: Callable, largest: bool) -> np.ndarray:
    flat = values.values.reshape(values.sizes["point"], -1).astype(float)
    worst = -np.inf if largest else np.inf
    return np.array([over(row) for row in np.where(np.isnan(flat), worst, flat)])
