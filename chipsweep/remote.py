"""Calls computed elsewhere, by any executor, into one store."""

import queue
import threading
import uuid
from typing import Any, NamedTuple

import numpy as np

from chipsweep.compute import Computer
from chipsweep.files import Files
from chipsweep.preparing import Resources, prepared
from chipsweep.progress import Progress, Watched
from chipsweep.spec import Spec
from chipsweep.store import Store

AHEAD = 256
"""Calls handed to the executor before the first of them is done."""


def computed_remotely(
    spec: Spec, store: Any, executor: Any, share: tuple[int, int],
    resources: Resources, timeout: float, progress: Progress | None,
) -> tuple[Store, Computer]:  # fmt: skip
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
    job = _Job(uuid.uuid4().hex, spec, store, resources)
    ended: queue.SimpleQueue[Any] = queue.SimpleQueue()
    _submitted(executor, ended, _missing, job)
    missing = _next(ended, timeout).result()
    made = prepared(spec, Files.at(store), resources, may_create=False)
    watched = Watched(progress, made[0].frame, missing)
    waiting = missing[missing % share[1] == share[0]].tolist()[::-1]
    running: dict[Any, int] = {}
    while waiting or running:
        while waiting and len(running) < AHEAD:
            number = waiting.pop()
            running[_submitted(executor, ended, _call, job, number)] = number
        done = _next(ended, timeout)
        done.result()
        watched.chunk(running.pop(done), {})
    return made


def _submitted(executor: Any, ended: queue.SimpleQueue, *call: Any) -> Any:
    """A call that says itself when it is done: nobody asks it over and over."""
    future = executor.submit(*call)
    future.add_done_callback(ended.put)
    return future


def _next(ended: queue.SimpleQueue, timeout: float) -> Any:
    """A call that is done."""
    try:
        return ended.get(timeout=timeout)
    except queue.Empty:
        raise TimeoutError(
            f"no call was finished for {timeout:g} s: has the executor workers?"
        ) from None


class _Job(NamedTuple):
    """What a worker is told; `name` is new at every run."""

    name: str
    spec: Spec
    store: Any
    resources: Resources


_known: dict[str, tuple[Store, Computer]] = {}
_lock, _beginning = threading.Lock(), threading.Lock()


def _missing(job: _Job) -> np.ndarray:
    """On a worker: open the store; what is to be computed."""
    return _opened(job)[0].missing()


def _call(job: _Job, number: int) -> None:
    """On a worker: compute a chunk, unless it is there.

    A worker with two threads begins a call while it waits for another, or writes it.
    """
    kept, computer = _opened(job)
    if not kept.has(number):
        with _beginning:
            started = computer.start([number])
        for chunk in computer.finish(started):
            kept.write(chunk)


def _opened(job: _Job) -> tuple[Store, Computer]:
    """Traced, compared and compiled once per process and run of a sweep."""
    with _lock:
        if job.name not in _known:
            _known.clear()  # only the sweep at hand keeps its programs
            _known[job.name] = prepared(job.spec, Files.at(job.store), job.resources)
        return _known[job.name]
