"""What a reader should believe of the contest, in one sentence computed from it."""

import numpy as np
import xarray as xr

from experiments.memristor.contest.entrants import kind

NEAR = 0.01
"""Accuracy below the best rule that counts as the same."""


def belief(dataset: xr.Dataset) -> str:
    """How often each camp comes near the best rule, at what memory and wear.

    A camp is as good as its best rule, case by case; a case is a network on a device.
    """
    middle = dataset.accuracy.median("chip")
    on_arrays = [r for r in dataset.rule.values if kind(r) != "digital"]
    best = middle.sel(rule=on_arrays).max("rule")
    counted, n = [], int(best.notnull().sum())
    for title, rules in _camps(on_arrays).items():
        near = middle.sel(rule=rules).max("rule") >= best - NEAR
        bits = dataset.bits.sel(rule=rules).median("chip").min("rule").median()
        counted.append(f"{title} in {int(near.sum())} (bits: {float(bits):.0f})")
    text = f"within a point of the best rule on an array, of {n} cases: "
    return text + ", ".join(counted) + _wear(dataset)


def _camps(rules: list[str]) -> dict[str, list[str]]:
    camps = {
        "EaPU": ["eapu"],
        "mixed precision": ["mixed_precision"],
        "the best rule with several arrays": [r for r in rules if kind(r) == "several"],
        "noisy backpropagation": ["noisy"],
    }
    present = {t: [r for r in of if r in rules] for t, of in camps.items()}
    return {title: of for title, of in present.items() if of}


def _wear(dataset: xr.Dataset) -> str:
    if not {"eapu", "mixed_precision"} <= {*dataset.rule.values}:
        return ""
    writes = dataset.update_ratio.median("chip")
    ratio = writes.sel(rule="mixed_precision") / writes.sel(rule="eapu")
    low, high = np.nanmin(ratio), np.nanmax(ratio)
    return f"; mixed precision writes {low:.2g} to {high:.2g} times as often as EaPU"
