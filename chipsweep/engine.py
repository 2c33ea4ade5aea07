"""Millions of runs of one pure function, with the device always busy."""

import concurrent.futures
import itertools
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import xarray as xr

from chipsweep import dataset as datasets
from chipsweep.checks import whole
from chipsweep.compute import Computer
from chipsweep.designs import Design
from chipsweep.files import Files
from chipsweep.memory import saying_what_to_lower
from chipsweep.preparing import Resources, prepared, require_some
from chipsweep.progress import Progress, Watched
from chipsweep.reductions import Reduction
from chipsweep.remote import computed_remotely
from chipsweep.spec import Indices, Spec, specify
from chipsweep.store import Store

_log = logging.getLogger(__name__)


def sweep(
    function: Callable,
    axes: Mapping[str, Any],
    *,
    chips: Indices = 1,
    seeds: Indices = 1,
    design: Design | None = None,
    base: Any = None,
    key: int = 0,
    common: bool = True,
    dims: Mapping[str, Sequence[str]] | None = None,
    reduce: Mapping[str, Reduction | Sequence[Reduction]] | None = None,
    keep: Sequence[str] | None = None,
    may_be_nan: Sequence[str] = (),
    outputs: Mapping[str, Any] | None = None,
    store: Any = None,
    executor: Any = None,
    share: tuple[int, int] | None = None,
    chunk: int | None = None,
    devices: int | None = None,
    memory_limit: int | None = None,
    max_call_seconds: float = 60.0,
    timeout: float = 600.0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Evaluate a function at every point, chip and seed, in compiled calls.

    A result is a function of the arguments up to `outputs`: nothing else changes a
    random draw, and `chunk` alone changes roundings. With a store, whatever stopped a
    sweep, the same call continues; a store answers for its own program only.

    Args:
        function: `function(point, chip, key) -> dict of arrays`. `point` has the axes
            and the fields of `base`; `chip` is the index of the chip; `key` is that
            chip's random key, or, if the parameter is called `keys`, both `Keys`: of
            the seed and of the chip.
        axes: name -> values, `Structural` or `Range`. Numbers are mapped;
            anything else is compiled value by value.
        chips: how many, or which.
        seeds: how many, or which.
        design: which points of the axes; all of them when None.
        base: other fields of the point: a mapping or a dataclass.
        key: root of all random draws, 0 to 2**31 - 1.
        common: whether all points share their draws.
        dims: output -> names of its dimensions.
        reduce: output -> reductions over chips and seeds, instead of every value.
        keep: outputs kept run by run all the same.
        may_be_nan: outputs in which NaN does not mean that the chip diverged.
        outputs: what a plain-Python function returns, `{"y": float, "state": str,
            "curve": (float, (8,))}`. It is then called run by run, its key is a
            `numpy.random.Generator`, and a run that raises is a missing value.
        store: path, address ("s3://...") or zarr store; in memory when None.
        executor: any `concurrent.futures.Executor` (of dask: `client.get_executor()`)
            that computes calls elsewhere, into the same store; here when None. A
            worker with two threads begins one call while it writes another.
        share: `(i, n)`: only chunks `i`, `i + n`, ... for job arrays: whenever each
            of them starts, together they are all. A last run, without it, makes up
            what a lost one has left.
        chunk: runs per device and call; measured when None.
        devices: local devices to use; all when None.
        memory_limit: bytes per device; half of the free memory when None.
        max_call_seconds: that a call may take, as far as `chunk` can help it.
        timeout: seconds without a finished call after which an executor is given up.
        progress: sees the plan, the pace and the chunks.

    Returns:
        The outputs over (axes..., chip, seed, own dimensions), lazy where there is a
        store; the reductions over (axes..., own dimensions); `reason` (why a value is
        missing), `computed` (runs per point). `chipsweep.failures` tells what went
        wrong. Whole numbers and booleans come as floats, so that a gap can be NaN.

    Raises:
        ValueError: on bad input, before anything is computed.
        RuntimeError: if no point can be computed at all.
        StoreError: if `store` is that of another sweep, damaged, or full.
        MemoryError: if it does not fit, naming what to lower; what is finished is kept.
        TimeoutError: if nobody computes.

    Example:
        >>> import jax
        >>> def settle(point, chip, key):
        ...     return {"x": point.mean + point.noise * jax.random.normal(key)}
        >>> found = sweep(settle, {"mean": [0.0, 1.0], "noise": [0.0, 0.1]}, chips=3)
        >>> dict(found.x.sizes)
        {'mean': 2, 'noise': 2, 'chip': 3, 'seed': 1}
        >>> found.x.sel(noise=0.0).values.ravel().tolist()
        [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]
    """
    spec = specify(
        function, axes, chips=chips, seeds=seeds, design=design, base=base, key=key,
        common=common, dims=dims, reduce=reduce, keep=keep, may_be_nan=may_be_nan,
        outputs=outputs,
    )  # fmt: skip
    resources = Resources(
        chunk=chunk, devices=devices, memory_limit=memory_limit,
        max_call_seconds=max_call_seconds,
    )  # fmt: skip
    return run(spec, store=store, executor=executor, share=share,
               resources=resources, timeout=timeout, progress=progress)  # fmt: skip


def run(
    spec: Spec,
    *,
    store: Any = None,
    executor: Any = None,
    share: tuple[int, int] | None = None,
    resources: Resources | None = None,
    timeout: float = 600.0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compute what the store lacks, and return everything. See `sweep`."""
    resources, share = resources or Resources(), _share(share)
    with saying_what_to_lower():
        if executor is not None:
            kept, computer = computed_remotely(
                spec, store, executor, share, resources, timeout, progress
            )
        else:
            kept, computer = prepared(spec, Files.at(store), resources)
            _compute_here(kept, computer, share, progress)
        require_some(spec, computer.errors)
    found = datasets.opened(kept.files, spec.reduce)
    for failure in datasets.failures(found):
        _log.warning(
            "failed at %s: %s\n  again: %s",
            failure["point"], failure["error"], failure["replay"],
        )  # fmt: skip
    return found.load() if store is None else found


def _compute_here(
    store: Store, computer: Computer, share: tuple[int, int], progress: Progress | None
) -> None:
    """One thread computes, one writes, and the device waits for neither."""
    missing = store.missing()
    watched = Watched(progress, store.frame, missing)
    missing = missing[missing % share[1] == share[0]]
    step = computer.n_devices
    calls = [missing[i : i + step].tolist() for i in range(0, len(missing), step)]
    writes: list[concurrent.futures.Future] = []
    with concurrent.futures.ThreadPoolExecutor(1) as writer:
        begun = itertools.chain(map(computer.start, calls), [None])
        for started, _ in itertools.pairwise(begun):  # the next one is under way
            for one in computer.finish(started):
                writes.append(writer.submit(store.write, one))
                watched.chunk(one.number, one.outputs)
            while len(writes) > 2 * step:
                writes.pop(0).result()
        for write in writes:
            write.result()


def _share(share: tuple[int, int] | None) -> tuple[int, int]:
    if share is None:
        return 0, 1
    if not isinstance(share, tuple | list) or len(share) != 2:
        raise ValueError(f"share must be (part, parts), got {share!r}")
    count = whole("parts of share", share[1], at_least=1, at_most=10**6)
    return whole("part of share", share[0], at_least=0, at_most=count - 1), count
