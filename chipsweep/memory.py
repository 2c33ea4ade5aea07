"""How many runs fit, from what the compiler says a few of them need; and if none do."""

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

import jax

from chipsweep.stages import Staged

PROBE = 32
WORKING_SET = 8 * 2**20
"""Bytes per device on a CPU: beyond its caches more runs at once gain nothing."""
NEAR = 4
"""A program that takes this part of what is wanted is wide enough: compiling costs."""
MOST = 65_536
_SHARE = 0.5  # of the free memory, for all devices of this machine together


class OutOfMemory(MemoryError):
    """What does not fit, in words that say what to lower."""


@contextlib.contextmanager
def saying_what_to_lower() -> Iterator[None]:
    """Turn what jax, the device or NumPy raise for want of memory into our words.

    Raises:
        OutOfMemory: instead, from what was raised.

    Example:
        >>> with saying_what_to_lower():
        ...     raise MemoryError("9 GB")
        Traceback (most recent call last):
        chipsweep.memory.OutOfMemory: out of memory: lower chunk (runs per device and \
call), or what one run holds at once; finished chunks are kept (9 GB)
    """
    try:
        yield
    except Exception as e:
        wanting = isinstance(e, MemoryError) or "RESOURCE_EXHAUSTED" in str(e)
        if not wanting or isinstance(e, OutOfMemory):
            raise
        lower = "lower chunk (runs per device and call), or what one run holds at once"
        text = str(e).strip() or type(e).__name__
        raise OutOfMemory(
            f"out of memory: {lower}; finished chunks are kept ({text})"
        ) from e


def needed(compiled: Any) -> int:
    """Bytes that one call of a compiled program takes on each device."""
    if isinstance(compiled, Staged):
        compiled = compiled.program
    found = compiled.memory_analysis()
    if found is None:  # a backend that does not tell
        return 0
    given = found.argument_size_in_bytes + found.output_size_in_bytes
    return int(found.temp_size_in_bytes + given - found.alias_size_in_bytes)


def default_budget(n_devices: int) -> int:
    """Bytes per device: half of what is free now."""
    stats = jax.local_devices()[0].memory_stats() or {}
    if "bytes_limit" in stats:
        return int(_SHARE * (stats["bytes_limit"] - stats.get("bytes_in_use", 0)))
    return int(_SHARE * _free() / n_devices)


def choose(
    need: Callable[[int], int],
    runs: int,
    n_parallel: int,
    budget: int,
    working_set: int | None = None,
) -> int:
    """Runs per call and device.

    A program for a few runs is asked how much it needs, then the widest within what
    is wanted. Widths are evened out so that all calls are full.

    Args:
        need: runs per device -> bytes per device; compiles a program.
        runs: in all.
        n_parallel: devices.
        budget: bytes per device.
        working_set: bytes per device that are enough; the budget when None.

    Raises:
        OutOfMemory: if one run alone does not fit.
    """
    chunk = _evened(runs, n_parallel, PROBE)
    while chunk > 1 and need(chunk) > budget:
        chunk //= 2
    if need(chunk) > budget:
        few = f"one run needs {need(chunk)} bytes, {budget} are free"
        raise OutOfMemory(f"{few}: lower what a run holds at once, or close others")
    wanted = min(budget, working_set or budget)
    if need(chunk) * NEAR >= wanted:
        return chunk
    fits = _power(wanted / max(need(chunk) / chunk, 1))
    wider = _evened(runs, n_parallel, min(fits, MOST))
    while wider > chunk and need(wider) > budget:
        wider //= 2
    return max(wider, chunk)


def narrower(chunk: int, took: float, longest: float) -> int:
    """Runs that take no longer than they may, if `chunk` of them took so long.

    Example:
        >>> narrower(32, took=80.0, longest=10.0), narrower(1, 80.0, 10.0)
        (4, 1)
    """
    return chunk if took <= longest else _power(chunk * longest / took)


def _evened(runs: int, n_parallel: int, widest: int) -> int:
    """At most `widest` per call, and the same in all calls as far as it goes."""
    calls = -(-runs // (widest * n_parallel))
    return -(-runs // (calls * n_parallel))


def _power(x: float) -> int:
    """The largest power of two that is at most `x`, at least 1."""
    return 1 << max(int(x).bit_length() - 1, 0)


def _free() -> int:
    """Bytes of memory that are free, as far as the system tells."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            told = dict(line.split(":") for line in lines)
        return int(told["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):  # not Linux
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (OSError, ValueError, AttributeError):
        return 4 * 2**30
