"""Seconds of calls that take turns, and the line that reports them."""

import operator
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

_HOLDS = {"<=": operator.le, ">=": operator.ge}


def interleaved(calls: dict[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Median CPU seconds of each call, taking turns, after one warm-up.

    Taking turns makes another load on the machine fall on all of them alike. Of a
    call on a GPU the seconds are the clock's: the CPU only waits.
    """
    on_cpu = jax.default_backend() == "cpu"
    clock = time.process_time if on_cpu else time.perf_counter
    took: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(repeats + 1):
        for name, call in calls.items():
            start = clock()
            jax.block_until_ready(call())
            if turn:
                took[name].append(clock() - start)
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
