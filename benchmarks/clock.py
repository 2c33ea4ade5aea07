"""CPU seconds of calls that take turns, and the line that reports them."""

import operator
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

_HOLDS = {"<=": operator.le, ">=": operator.ge}


def interleaved(calls: dict[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Median CPU seconds of each call, taking turns, after one warm-up.

    Taking turns makes another load on the machine fall on all of them alike.
    """
    took: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(repeats + 1):
        for name, call in calls.items():
            start = time.process_time()
            jax.block_until_ready(call())
            if turn:
                took[name].append(time.process_time() - start)
    return {name: float(np.median(times)) for name, times in took.items()}


def row(
    name: str,
    value: float,
    unit: str,
    *,
    target: str | None = None,
    floor: float | None = None,
    note: str = "",
) -> dict[str, Any]:
    """One line of the table; `target` reads "<= 2" or ">= 6"."""
    return {
        "name": name,
        "value": value,
        "unit": unit,
        "target": target,
        "floor": floor,
        "note": note,
    }


def met(line: dict[str, Any]) -> str:
    """Whether a line meets its target; empty where it has none."""
    if not line.get("target"):
        return ""
    sense, bound = line["target"].split()
    return "yes" if _HOLDS[sense](line["value"], float(bound)) else "no"
