"""Directed searches: optuna proposes points in batches, a sweep computes each batch."""

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from experiments.sweep.axes import Axis, read_axes
from experiments.sweep.design import Listed
from experiments.sweep.engine import sweep
from experiments.sweep.halving import column, scores_of

__all__ = ["directed"]


def directed(
    function: Callable,
    axes: Mapping[str, Any],
    *,
    score: str,
    batches: int,
    batch: int = 8,
    largest: bool = True,
    over: Callable[[np.ndarray], float] = np.median,
    optuna_study: Any = None,
    seed: int = 0,
    store: str | Path | None = None,
    **asked: Any,
) -> Any:
    """Let optuna look for the best point; needs the extra `search`.

    A batch of proposals is one sweep, so mapped axes are still computed at once.
    With a store and the same seed, an interrupted search proposes the same points
    again and reads back what it had.

    Args:
        function: as in `sweep`.
        axes: `Range` is a continuous parameter, values are a choice.
        score: an output with one number per chip.
        batches: rounds.
        batch: points per round.
        largest: whether large is good.
        over: the score of a point, from those of its chips.
        optuna_study: to continue; a new one (TPE) when None.
        seed: of the new one's sampler.
        store: folder; each batch has its own folder in it.
        **asked: of `sweep`.

    Returns:
        The optuna study.

    Raises:
        ImportError: if optuna is not installed, with what to install.
    """
    optuna = _optuna()
    read = read_axes(axes)
    goal = "maximize" if largest else "minimize"
    searched = optuna_study or optuna.create_study(
        direction=goal, sampler=optuna.samplers.TPESampler(seed=seed)
    )
    for i in range(batches):
        trials = [searched.ask() for _ in range(batch)]
        points = tuple(_proposed(trial, read) for trial in trials)
        found = sweep(
            function,
            {a.name: column(a, points) for a in read},
            design=Listed(points),
            store=None if store is None else Path(store) / f"batch-{i:04}",
            **asked,
        )
        failed = optuna.trial.TrialState.FAIL
        scores = scores_of(found[score], over, largest)
        for trial, value in zip(trials, scores, strict=True):
            if np.isfinite(value):
                searched.tell(trial, float(value))
            else:
                searched.tell(trial, state=failed)
    return searched


def _proposed(trial: Any, axes: tuple[Axis, ...]) -> dict[str, Any]:
    point = {}
    for axis in axes:
        if axis.range is not None:
            r = axis.range
            point[axis.name] = trial.suggest_float(axis.name, r.low, r.high, log=r.log)
        else:
            index = trial.suggest_categorical(axis.name, list(range(len(axis.values))))
            point[axis.name] = axis.values[index]
    return point


def _optuna() -> Any:
    try:
        return importlib.import_module("optuna")
    except ImportError as e:
        raise ImportError(
            "a directed search needs optuna: pip install 'eapu-jax[search]'"
        ) from e
