"""Directed searches: optuna proposes points and prunes, sweeps compute them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from chipsweep.axes import Axis, read_axes
from chipsweep.designs import Listed
from chipsweep.engine import sweep


def search(
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
    chips: tuple[int, ...] = (1,),
    store: str | Path | None = None,
    **asked: Any,
) -> Any:
    """Let optuna look for the best point; needs the extra `search`.

    A batch of proposals is one sweep. With several numbers of chips, every point is
    first tried on the fewest; optuna's pruner decides which of them are worth the next
    number. With a store and the same seed, an interrupted search proposes the same
    points again and reads back what it had.

    Args:
        function: as in `sweep`.
        axes: `Range` is a continuous parameter, values are a choice.
        score: an output with one number per chip.
        batches: rounds.
        batch: points per round.
        largest: whether large is good.
        over: the score of a point, from those of its chips. A chip that diverged
            counts as the worst.
        optuna_study: to continue; a new one (TPE, median pruner) when None.
        seed: of the new one's sampler.
        chips: numbers of chips, ascending; points are pruned between them.
        store: folder; each batch has its own stores in it.
        **asked: of `sweep`.

    Returns:
        The optuna study.

    Raises:
        ImportError: if optuna is not installed, with what to install.
    """
    optuna = _optuna()
    read = read_axes(axes)
    searched = optuna_study or optuna.create_study(
        direction="maximize" if largest else "minimize",
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=batch),
    )
    for i in range(batches):
        alive = [searched.ask() for _ in range(batch)]
        points = {t.number: _proposed(t, read) for t in alive}
        for number in chips:
            of: Any = {"design": Listed(tuple(points[t.number] for t in alive))}
            of["store"] = None if store is None else Path(store) / f"{i:04}-{number}"
            found = sweep(function, axes, chips=number, **of, **asked)
            scores = _scores(found[score], over, largest)
            alive = _told(optuna, searched, alive, scores, number, number == chips[-1])
            if not alive:
                break
    return searched


def _told(optuna, searched, trials, scores, number: int, last: bool) -> list[Any]:
    """Tell optuna; the trials that go on."""
    on, state = [], optuna.trial.TrialState
    for trial, value in zip(trials, scores.tolist(), strict=True):
        if not np.isfinite(value):
            searched.tell(trial, state=state.FAIL)
            continue
        trial.report(value, number)
        if last:
            searched.tell(trial, value)
        elif trial.should_prune():
            searched.tell(trial, state=state.PRUNED)
        else:
            on.append(trial)
    return on


def _proposed(trial: Any, axes: tuple[Axis, ...]) -> dict[str, Any]:
    point = {}
    for axis in axes:
        if (r := axis.range) is not None:
            point[axis.name] = trial.suggest_float(axis.name, r.low, r.high, log=r.log)
        else:
            index = trial.suggest_categorical(axis.name, list(range(len(axis.values))))
            point[axis.name] = axis.values[index]
    return point


def _scores(values: xr.DataArray, over: Callable, largest: bool) -> np.ndarray:
    flat = values.values.reshape(values.sizes["point"], -1).astype(float)
    worst = -np.inf if largest else np.inf
    return np.array([over(row) for row in np.where(np.isnan(flat), worst, flat)])


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as e:
        raise ImportError(
            "a directed search needs optuna: pip install 'eapu-jax[search]'"
        ) from e
    return optuna
