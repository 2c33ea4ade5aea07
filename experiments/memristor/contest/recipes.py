"""Tuned recipes, device by rule: what `rivals` found, as a table to start from."""

import csv
import io
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from experiments.memristor.contest.entrants import SGD
from experiments.memristor.training import Training, thresholds
from experiments.results import store

SHIPPED = Path(__file__).with_name("recipes.csv")
"""Of `python -m experiments run rivals`; its first line says of which commit."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to train a network on a device by a rule, and what came of it.

    Attributes:
        network: of `rivals`.
        device: name in `eapu_jax.presets`.
        rule: see `experiments.learning.rules`.
        optimizer: before the rule.
        learning_rate: of the optimizer.
        strength: the rule's own number, in units of its usual value.
        threshold: what a rule with a step takes for it, weight units.
        accuracy: on test images, median over chips.
        low: quarter of the chips below it.
        high: quarter of the chips above it.
        writes: of a cell in a step, mean.
        worst: writes of the most written cell in a step, median over chips.
        joules: of the training, by the constants of `eapu_jax.cost`.
        bits: that optimizer and rule keep for a weight.
        unbeaten: whether no rule is both more accurate and sparing of energy.
    """

    network: str
    device: str
    rule: str
    optimizer: str
    learning_rate: float
    strength: float
    threshold: float
    accuracy: float
    low: float
    high: float
    writes: float
    worst: float
    joules: float
    bits: float
    unbeaten: bool


_TEXTS = ("network", "device", "rule", "optimizer")
_COLUMNS = [f.name for f in fields(Recipe)]


def recipes(dataset: xr.Dataset) -> list[Recipe]:
    """What a result of `rivals` recommends, the most accurate rules first."""
    return sorted(
        _all_of(dataset), key=lambda r: (r.network, r.device, -r.accuracy, r.joules)
    )


def _all_of(dataset: xr.Dataset) -> Iterator[Recipe]:
    names = ("network", "device", "rule")
    for at in itertools.product(*(dataset[name].values for name in names)):
        network, device, rule = map(str, at)
        one = dataset.sel(dict(zip(names, at, strict=True)))
        if not one.accuracy.notnull().any():
            continue  # the device cannot carry it
        low, middle, high = one.accuracy.quantile([0.25, 0.5, 0.75]).values
        strength = float(one.strength)
        threshold, _ = thresholds(Training(crossbar=device))
        yield Recipe(
            network=network,
            device=device,
            rule=rule,
            optimizer="sgd" if rule in SGD else "adam",
            learning_rate=float(one.learning_rate),
            strength=strength,
            threshold=float(threshold),
            accuracy=float(middle),
            low=float(low),
            high=float(high),
            writes=float(one.update_ratio.median()),
            worst=float(1 / one.lifetime_worst.median().fillna(np.inf)),
            joules=float(one.joules.median()),
            bits=float(one.bits.median()),
            unbeaten=bool(one.unbeaten_energy),
        )


def write(path: str | Path, rows: Iterable[Recipe], origin: str) -> None:
    """Write a table of recipes; its first line says where the numbers come from."""
    text = io.StringIO()
    text.write(f"# {origin}\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in rows:
        writer.writerow([_plain(getattr(row, name)) for name in _COLUMNS])
    store.write_atomically(path, text.getvalue().encode())


def read(path: str | Path = SHIPPED) -> tuple[list[Recipe], str]:
    """The recipes that `write` wrote, and where they come from.

    Raises:
        StoreError: if the file is something else.
    """
    try:
        first, *lines = store.read_file(Path(path)).decode().splitlines()
        table = csv.DictReader(lines, strict=True)
        if not first.startswith("# ") or table.fieldnames != _COLUMNS:
            raise ValueError(f"its columns are not {', '.join(_COLUMNS)}")
        return [_recipe(row) for row in table], first[2:]
    except (KeyError, TypeError, ValueError, OSError, csv.Error) as e:
        raise store.StoreError(f"{path} is not a table of recipes ({e})") from e


def _recipe(row: dict[str, str]) -> Recipe:
    read = {
        name: value if name in _TEXTS else float(value)
        for name, value in row.items()
        if name != "unbeaten"
    }
    made: Any = read | {"unbeaten": {"True": True, "False": False}[row["unbeaten"]]}
    return Recipe(**made)


def _plain(value) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
