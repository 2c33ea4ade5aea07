"""The sweep: every chunk that is missing is computed and kept, then all is laid out."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from experiments.catalogue import find
from experiments.sweep.ask import Indices, study
from experiments.sweep.design import Design
from experiments.sweep.plan import Plan
from experiments.sweep.reductions import Reduction
from experiments.sweep.resources import Resources
from experiments.sweep.run import plan_of, run
from experiments.sweep.watch import Watch

__all__ = ["plan", "sweep"]


def sweep(
    function: Callable | str,
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
    host: bool = False,
    store: str | Path | None = None,
    chunk: int | None = None,
    devices: int | None = None,
    budget: int | None = None,
    longest: float = 60.0,
    process: tuple[int, int] | None = None,
    patience: float = 60.0,
    watch: Watch | None = None,
) -> xr.Dataset:
    """Evaluate a function of (point, chip, key) for every point, chip and seed.

    Args:
        function: `function(point, chip, key) -> dict of arrays`, pure. `point`
            holds the values of axes and base and the index of the seed, `chip`
            is the index of the chip (draw its hardware from it), `key` the dice
            of this chip with this seed. Or the name of an experiment whose
            module has such a function, `one_chip`; the base is its `Config().base()`.
        axes: name -> values. Numbers are mapped, anything else is compiled value
            by value; `Structural([...])` says so of numbers, `Range` leaves the
            values to the design.
        chips: how many, or which.
        seeds: how many, or which.
        design: `Grid()` (by default), `Zip()`, `Random(n)`, `Sobol(n)`.
        base: other fields of the point, a mapping or a Config.
        key: root of all dice.
        common: the same dice at every point (common random numbers).
        dims: output -> names of its dimensions. Vectors get "step".
        reduce: output -> reductions over chips and seeds, instead of all values.
        keep: outputs to keep chip by chip; those not reduced when None.
        may_be_nan: outputs where NaN does not mean that the chip diverged.
        host: the function is plain Python: called lane by lane, its key is a
            `numpy.random.Generator`.
        store: folder for finished chunks; the same call continues from there.
        chunk: lanes per device and call; measured when None.
        devices: local devices to use; all when None.
        budget: bytes per device; half of the free memory when None.
        longest: seconds that a call may take, as far as `chunk` can help it.
        process: index of this process and number of all that fill the store;
            as the launcher says when None.
        patience: seconds to wait for what other processes may be about to finish
            before it is computed here.
        watch: sees the plan, the progress and the chunks.

    Returns:
        The outputs over (axes..., chip, seed, own dimensions), the reductions
        over (axes..., own dimensions), `reason` (why a value is missing),
        `computed` (chips per point). `attrs["failures"]` tells what went wrong.

    Raises:
        ValueError: on bad input, before anything is computed; and if no point
            can be computed at all.
        StoreError: if `store` is that of another sweep, damaged, or full.

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
    if isinstance(function, str):
        function, base = experiment(function, base)
    asked = study(
        function,
        axes,
        chips=chips,
        seeds=seeds,
        design=design,
        base=base,
        key=key,
        common=common,
        dims=dims,
        reduce=reduce,
        keep=keep,
        may_be_nan=may_be_nan,
        host=host,
    )
    resources = Resources(
        chunk=chunk,
        devices=devices,
        budget=budget,
        longest=longest,
        process=process,
        patience=patience,
    )
    return run(asked, resources, store, watch)


def plan(
    function: Callable | str,
    axes: Mapping[str, Any],
    *,
    base: Any = None,
    store: str | Path | None = None,
    chunk: int | None = None,
    devices: int | None = None,
    budget: int | None = None,
    measure: bool = False,
    **asked: Any,
) -> Plan:
    """What `sweep` with the same arguments is going to do. Nothing is written.

    Args:
        function: as in `sweep`; so are all others.
        axes: what is swept.
        base: other fields of the point.
        store: looked into for finished chunks.
        chunk: lanes per device and call.
        devices: local devices to use.
        budget: bytes per device.
        measure: compile every program and time one chunk of each; else the first
            program is compiled, for its memory.
        **asked: of `sweep`.

    Example:
        >>> def nothing(point, chip, key):
        ...     return {"x": point.noise}
        >>> plan(nothing, {"noise": [0.0, 0.1]}, chips=3, devices=1).lanes
        6
    """
    if isinstance(function, str):
        function, base = experiment(function, base)
    resources = Resources(chunk=chunk, devices=devices, budget=budget)
    return plan_of(study(function, axes, base=base, **asked), resources, store, measure)


def experiment(name: str, base: Any) -> tuple[Callable, Any]:
    """The pure function of an experiment, and the fields that it reads.

    Raises:
        ValueError: if the experiment has none.
    """
    module = find(name)
    if hasattr(module, "simulate"):
        start = module.defaults(module.Config()) if base is None else base
        return module.simulate, start
    if not hasattr(module, "one_chip"):
        raise ValueError(
            f"{name} has no `one_chip(point, chip, key)`: "
            "run all of it over a grid with "
            f"`python -m experiments grid {name} --grid FIELD=VALUE,...`"
        )
    return module.one_chip, module.Config().base() if base is None else base
