"""Calls computed elsewhere, by any executor, into one store."""

import concurrent.futures as futures
import threading
import time
import uuid
from collections.abc import Sequence
from typing import Any

import numpy as np

from chipsweep.files import Files
from chipsweep.preparing import Prepared, Resources, prepared
from chipsweep.progress import Progress, Watched
from chipsweep.spec import Spec

__all__ = ["computed_remotely"]

AHEAD = 256
"""Calls handed to the executor before the first of them is done."""


def computed_remotely(
    spec: Spec, store: Any, executor: Any, share: tuple[int, int],
    resources: Resources, timeout: float, progress: Progress,
) -> None:  # fmt: skip
    """Let an executor fill a store.

    Tracing, sizing and compiling are done by its workers: this process may have no
    accelerator. A call asks first whether its chunk is there, so one that is done
    twice does no harm.

    Raises:
        ValueError: without a store that workers can reach.
        TimeoutError: if no call ends within `timeout` seconds.
    """
    if store is None:
        raise ValueError("executor needs a store that its workers can reach, got None")
    name = uuid.uuid4().hex
    first = executor.submit(_prepare, name, spec, store, resources)
    _wait([first], timeout)
    missing = first.result()
    made = prepared(spec, Files.at(store), resources, may_create=False)
    frame = made.store.frame
    watched = Watched(progress, made, missing)
    waiting = missing[missing % share[1] == share[0]].tolist()
    running: dict[Any, int] = {}
    while waiting or running:
        while waiting and len(running) < AHEAD:
            number = waiting.pop(0)
            call = executor.submit(_call, name, spec, store, resources, [number])
            running[call] = number
        for done in _wait(list(running), timeout):
            number = running.pop(done)
            done.result()
            watched.add(frame.runs(number), {})


def _wait(running: list[Any], timeout: float) -> list[Any]:
    """Those that are done, at least one."""
    clock = time.monotonic()
    while True:
        done = [one for one in running if one.done()]
        if done:
            return done
        if time.monotonic() - clock > timeout:
            raise TimeoutError(
                f"no call was finished for {timeout:g} s: has the executor workers?"
            )
        if isinstance(running[0], futures.Future):
            futures.wait(running, timeout=0.2, return_when=futures.FIRST_COMPLETED)
        else:
            time.sleep(0.05)


_known: dict[str, Prepared] = {}
_lock = threading.Lock()


def _prepare(name: str, spec: Spec, store: Any, resources: Resources) -> np.ndarray:
    """On a worker: open the store; what is missing."""
    return _made(name, spec, store, resources).store.missing()


def _call(
    name: str, spec: Spec, store: Any, resources: Resources, numbers: Sequence[int]
) -> int:
    """On a worker: compute some chunks, unless they are there."""
    made = _made(name, spec, store, resources)
    wanted = [n for n in numbers if not made.store.has(n)]
    for one in made.computer.compute(wanted):
        made.store.write(one.number, one.chunk)
    return len(wanted)


def _made(name: str, spec: Spec, store: Any, resources: Resources) -> Prepared:
    """Traced, compared and compiled once per process and run of a sweep."""
    with _lock:
        if name not in _known:
            _known.clear()  # only the sweep at hand keeps its programs
            _known[name] = prepared(spec, Files.at(store), resources)
        return _known[name]
