"""When a board pays: time and energy of sampling and inverting, against d and duty.

Nothing here is a draw: closed forms of `thermo.scaling`, over bands of the constants
that nobody has published. The digital side is an RTX A6000, as published, or the
machine that was timed by `python -m experiments digital`.
"""

import itertools
from collections.abc import Mapping
from dataclasses import fields, replace
from functools import partial
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from chipsweep import Keys
from experiments.claims import Claim, above, judged, within_reach
from experiments.contract import Seeded, Sweep, base_of, listed
from experiments.thermodynamic import digital
from experiments.thermodynamic.machine import PRESS, REVIEW
from experiments.thermodynamic.spu_scaling_figure import (
    CROSSOVER,
    LARGE,
    SLOW_RATE,
    TIMES,
)
from experiments.thermodynamic.spu_scaling_figure import plot as plot
from experiments.validate import (
    Ascending,
    Checked,
    NonNegative,
    Positive,
    bounds,
)
from thermo import scaling

REPRODUCES = "SPU: time and energy of sampling against d, beside an RTX A6000"
DIMS = {"elasticity": ("quantity", "constant")}
VARIED = (
    "n_samples", "bits", "channel_rate", "settling", "interval",
    "digital_factor_rate", "digital_product_rate", "digital_overhead",
)  # fmt: skip
"""Constants that a time of sampling depends on."""
Duty = Annotated[float, bounds(1e-9, 0.999)]
SIZES = sorted({*np.geomspace(8, 1e5, 42).round().tolist(), CROSSOVER, LARGE})


class Constants(Checked):
    """Of board and machine; labels and sources: `thermo.scaling.SOURCES`.

    Attributes:
        n_samples: N of a task (INFERRED: 10,000).
        bits: of a number sent to or from the board.
        channel_rate: to and from the board, bit/s.
        settling: of the board, s.
        interval: between two samples of the board, s.
        power: of the board at work, without cells and converters, W (ASSUMED).
        cell_power: of each cell, W.
        conversion_energy: of each number to or from the board, J (ASSUMED).
        accumulation_rate: of products added up for a covariance, flop/s (ASSUMED).
    """

    n_samples: Positive = 1e4
    bits: Positive = 16.0
    channel_rate: Positive = 1.25e12
    settling: NonNegative = 1e-5
    interval: Positive = 1e-6
    power: Positive = 10.0
    cell_power: NonNegative = 1e-5
    conversion_energy: NonNegative = 3e-9
    accumulation_rate: Positive = 2e13


class Run(Constants):
    """What one task depends on.

    Attributes:
        dimension: d.
        duty: part of its time that the board works.
        error: relative, of an inverse.
        speed: factor on the rates of the digital machine.
        digital_factor_rate: of its factorisations, flop/s.
        digital_product_rate: of its products, flop/s.
        digital_normal_time: of its normals, s each; 0 leaves them out.
        digital_overhead: of each of its tasks, s.
        digital_power: at work, W.
        digital_idle: between tasks, W.
    """

    dimension: Positive = 1e4
    duty: Duty = 0.1
    error: Positive = 0.1
    speed: Positive = 1.0
    digital_factor_rate: Positive = 1e13
    digital_product_rate: Positive = 2e13
    digital_normal_time: NonNegative = 0.0
    digital_overhead: NonNegative = 2e-4
    digital_power: Positive = 300.0
    digital_idle: NonNegative = 22.0


class Config(Seeded, Constants):
    """Tasks over dimensions, and bands over what is not known.

    Attributes:
        digital: "a6000", or the file of a machine that was timed.
        dimensions: d, ascending.
        many_samples: N, the band; ascending.
        channel_rates: bit/s, the band; ascending.
        powers: of the board, W, the band (ASSUMED: a chip to a board with an FPGA);
            ascending.
        speeds: of the digital machine, relative, the band; ascending.
        errors: relative, of inverses, ascending.
        duties: part of its time that the board works, ascending.
        duty_dimensions: d of tasks for which the duty varies, ascending.
    """

    digital: str = "a6000"
    dimensions: Ascending[Positive] = tuple(SIZES)
    many_samples: Ascending[Positive] = (1e3, 1e4, 1e5)
    channel_rates: Ascending[Positive] = (SLOW_RATE, 1.25e12)
    powers: Ascending[Positive] = (1.0, 10.0, 30.0)
    speeds: Ascending[Positive] = (0.75, 1.0, 1.25)
    errors: Ascending[Positive] = (0.01, 0.1)
    duties: Ascending[Duty] = tuple(np.geomspace(1e-6, 0.9, 49).tolist())
    duty_dimensions: Ascending[Positive] = (100.0, 1000.0, 1e4)

    def __post_init__(self):
        """Check every field; a timed machine must be there."""
        super().__post_init__()
        if self.digital != digital.PUBLISHED:
            problem = digital.problem(self.digital)
            self.require(not problem, "digital", problem)


PRESETS = {
    "smoke": Config(dimensions=(8.0, 3000.0, 1e4), duties=(1e-3, 0.5)),
    "large": Config(
        many_samples=tuple(np.geomspace(1e3, 1e6, 13).tolist()),
        channel_rates=tuple(np.geomspace(SLOW_RATE, 1.25e13, 13).tolist()),
        powers=(0.1, 1.0, 10.0, 30.0, 100.0),
    ),
}


def defaults(config: Config) -> Run:
    """What one task depends on; a timed machine adds up the products, too."""
    if config.digital == digital.PUBLISHED:
        return base_of(Run, config)
    timed = digital.load(config.digital)
    adds = {"accumulation_rate": timed.product_rate}
    return base_of(Run, config, **timed.constants(), **adds)


def _both(point: Any) -> tuple[scaling.Board, scaling.Machine]:
    """The board and the machine of a point."""
    own = {f.name for f in fields(scaling.Board)} & set(Constants.__annotations__)
    board = scaling.Board(**{name: getattr(point, name) for name in own})
    slow = jnp.asarray(point.digital_normal_time)
    machine = scaling.Machine(
        factor_rate=point.digital_factor_rate * point.speed,
        product_rate=point.digital_product_rate * point.speed,
        normal_rate=jnp.where(slow > 0, 1 / jnp.where(slow > 0, slow, 1), jnp.inf),
        overhead=point.digital_overhead,
        power=point.digital_power,
        idle=point.digital_idle,
    )
    return board, machine


def simulate(point: Any, chip: Any, keys: Keys) -> dict[str, Any]:
    """Time and energy of one task on both machines.

    Returns:
        `board_time`, `digital_time`, s, and `board_energy`, `digital_energy`, J, of
        sampling; `crossover`: dimensions above which the board is faster;
        `power_bound`: W that it may draw; `standby`: W that it may draw between tasks
        at this duty; `inverse`, `inverse_on_board`: times that the digital inverse
        takes longer, if products are added up digitally, and on the board.
    """
    del chip, keys
    board, machine = _both(point)
    d, n = point.dimension, point.n_samples
    ours, theirs = (scaling.sampling(of, d, n) for of in (board, machine))
    rate = point.duty / ours.seconds
    adds = replace(board, accumulation_rate=jnp.inf)
    return {
        "board_time": ours.seconds,
        "digital_time": theirs.seconds,
        "board_energy": ours.joules,
        "digital_energy": theirs.joules,
        "crossover": scaling.crossover(board, machine, n),
        "power_bound": scaling.break_even_power(board, machine, d, n),
        "standby": scaling.standby_budget(board, machine, d, n, rate),
        "inverse": scaling.inversion_speedup(board, machine, d, point.error).seconds,
        "inverse_on_board": scaling.inversion_speedup(
            adds, machine, d, point.error
        ).seconds,
    }


def elasticities(point: Any, chip: Any, keys: Keys) -> dict[str, Any]:
    """By how many percent the anchors move if a constant grows by one percent.

    Returns:
        `elasticity` of the crossover and of the speed-up at the dimension, by constant;
        0 where there is no crossover.
    """
    del chip, keys

    def anchors(logs: jax.Array) -> tuple[jax.Array, jax.Array]:
        grown = zip(VARIED, logs, strict=True)
        moved: Any = _Moved(
            point, {n: getattr(point, n) * jnp.exp(x) for n, x in grown}
        )
        board, machine = _both(moved)
        faster = scaling.speedup(board, machine, point.dimension, moved.n_samples)
        crossing = scaling.crossover(board, machine, moved.n_samples)
        both = jnp.stack([crossing, faster.seconds])
        return both, both

    slopes, values = jax.jacfwd(anchors, has_aux=True)(jnp.zeros(len(VARIED)))
    return {"elasticity": slopes / jnp.where(values > 0, values, 1)[:, None]}


class _Moved:
    """A point with some of its fields changed."""

    def __init__(self, point: Any, changes: Mapping[str, Any]):
        self._point, self._changes = point, changes

    def __getattr__(self, name: str) -> Any:
        changes = self._changes
        return changes[name] if name in changes else getattr(self._point, name)


def _axis(values: tuple[float, ...], own: float) -> tuple[float, ...]:
    """A band with the value that is drawn as a line in it."""
    return tuple(sorted({*values, own}))


def _grids(config: Config) -> dict[str, dict[str, tuple[float, ...]]]:
    """What is varied, panel by panel: name -> axes."""
    base, speeds = defaults(config), config.speeds
    if config.digital != digital.PUBLISHED:
        speeds = digital.load(config.digital).speeds()
    band = {
        "n_samples": _axis(config.many_samples, base.n_samples),
        "channel_rate": _axis(config.channel_rates, base.channel_rate),
        "speed": _axis(speeds, base.speed),
    }
    large = {"dimension": (LARGE,)}
    idle = {"digital_idle": _axis((0.0,), base.digital_idle)}
    tasks = {"dimension": config.duty_dimensions, "duty": config.duties}
    powers = {"power": _axis(config.powers, base.power)}
    return {
        "sizes": {"dimension": config.dimensions, **band, **powers},
        "rates": {**large, **band, "channel_rate": _axis(RATES, SLOW_RATE)},
        "duties": {**tasks, **idle},
        "inverses": {"error": config.errors, "dimension": config.dimensions},
    }


def sweeps(config: Config) -> dict[str, Sweep]:
    """All grids, one after another, as one program compiles; and elasticities."""
    grids = (
        [dict(zip(axes, at, strict=True)) for at in itertools.product(*axes.values())]
        for axes in _grids(config).values()
    )
    base = defaults(config)
    points = listed(base, list(itertools.chain(*grids)))
    large = replace(base, dimension=LARGE)
    return {
        "points": config.sweep(simulate, base, **points),
        "elasticities": config.sweep(elasticities, large, dims=DIMS),
    }


def _cut(config: Config, found: xr.Dataset) -> dict[str, xr.Dataset]:
    """The grids that `sweeps` has put one after another."""
    found, start, grids = found.isel(seed=0, chip=0).load(), 0, {}
    for name, axes in _grids(config).items():
        shape = tuple(map(len, axes.values()))
        end = start + int(np.prod(shape))
        part = {
            output: ([*axes], values.values[start:end].reshape(shape))
            for output, values in found.data_vars.items()
        }
        coords = {axis: list(values) for axis, values in axes.items()}
        grids[name] = xr.Dataset(part, coords)
        start = end
    return grids


RATES = tuple(np.geomspace(1e10, 1e14, 41).tolist())
"""bit/s."""
BAND = ("n_samples", "channel_rate", "speed")


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Times and energies with their bands; what holds where the anchors do."""
    base = defaults(config)
    grids = _cut(config, found["points"])
    sizes, rates = grids["sizes"], grids["rates"].isel(dimension=0, drop=True)
    own = {name: getattr(base, name) for name in (*BAND, "power")}
    at = sizes.sel(own)
    faster, cheaper = _gain(sizes, "time"), _gain(sizes, "energy")
    one_power = sizes.isel(power=0, drop=True)
    dataset = xr.Dataset(
        {
            "board_time": _ends(one_power.board_time, BAND),
            "digital_time": _ends(one_power.digital_time, BAND),
            "speedup": _ends(faster.isel(power=0, drop=True), BAND),
            "saving": cheaper.sel({n: own[n] for n in BAND}, drop=True),
            "saving_band": _ends(cheaper, (*BAND, "power")),
            "power_bound": _ends(one_power.power_bound, BAND),
            "crossover": one_power.crossover.isel(dimension=0, drop=True),
            "at_large": _gain(rates, "time").rename(channel_rate="rate"),
            "standby": grids["duties"].standby.rename(dimension="task"),
            "elasticity": found["elasticities"].elasticity.isel(seed=0, chip=0).load(),
        }
    )
    for name in ("inverse", "inverse_on_board"):
        dataset[name] = grids["inverses"][name]
    middle = at[["board_time", "digital_time", "power_bound"]].drop_vars([*own])
    dataset = dataset.merge(middle.rename({n: f"own_{n}" for n in middle}))
    dataset["own_speedup"] = faster.sel(own, drop=True)
    dataset = dataset.assign_coords(
        quantity=["crossover", "speed-up"], constant=[*VARIED], end=["low", "high"]
    )
    if config.digital != digital.PUBLISHED:
        timed = digital.load(config.digital)
        dataset["measured"] = "measured_size", list(timed.seconds)
        dataset = dataset.assign_coords(measured_size=list(timed.sizes))
    return dataset.assign_attrs(**own, data=_words(config), digital=config.digital)


def _gain(found: xr.Dataset, what: str) -> xr.DataArray:
    return found[f"digital_{what}"] / found[f"board_{what}"]


def _ends(values: xr.DataArray, over: tuple[str, ...]) -> xr.DataArray:
    return xr.concat([values.min(over), values.max(over)], "end")


def _words(config: Config) -> str:
    """Which machines, and whose constants."""
    if config.digital == digital.PUBLISHED:
        theirs = "an RTX A6000 by effective speeds INFERRED from the two anchors"
    else:
        timed = digital.load(config.digital)
        theirs = f"{timed.name}, timed here, power {timed.power_source}"
    return (
        f"closed forms of thermo.scaling, its SOURCES; digital: {theirs}; ASSUMED: "
        "power of board and converters"
    )


def claims(dataset: xr.Dataset) -> list[Claim]:
    """The published statements on time and energy; of an RTX A6000 only."""
    if dataset.attrs["digital"] != digital.PUBLISHED:
        return []
    own = {name: dataset.attrs[name] for name in BAND}
    return [_crossover(dataset, own), *_large(dataset), _energy(dataset)]


def _ours(band: xr.DataArray, own: Any) -> tuple[float, float, float]:
    return float(band.min()), float(own), float(band.max())


def _crossover(dataset: xr.Dataset, own: Mapping[str, float]) -> Claim:
    rate = own["channel_rate"]
    return judged(
        dataset,
        "sampling beats an RTX A6000 above this many dimensions (ours: INFERRED "
        f"constants chosen to meet it; {own['n_samples']:,.0f} samples, "
        f"{rate / 1e12:g} Tb/s; the band is that of samples, transfer and GPU speed)",
        REVIEW,
        _ours(dataset.crossover, dataset.crossover.sel(own)),
        partial(within_reach, CROSSOVER),
        published=CROSSOVER,
        unit="dimensions",
    )


def _large(dataset: xr.Dataset) -> list[Claim]:
    if LARGE not in dataset.dimension:
        return []
    slow = dataset.at_large.sel(rate=SLOW_RATE).max()
    return [
        judged(
            dataset,
            f"{TIMES:g} times faster than an RTX A6000 at d = 10,000 (ours: INFERRED "
            f"constants chosen to meet it; with {SLOW_RATE / 1e9:g} Gb/s, STATED for a "
            f"sister machine, at most {float(slow):.1f} in the band)",
            PRESS,
            _ours(
                dataset.speedup.sel(dimension=LARGE),
                dataset.own_speedup.sel(dimension=LARGE),
            ),
            partial(within_reach, TIMES),
            published=TIMES,
            unit="x",
        )
    ]


def _energy(dataset: xr.Dataset) -> Claim:
    bound = dataset.own_power_bound.min()
    own = dataset.saving.sel(power=dataset.attrs["power"]).min()
    return judged(
        dataset,
        "less energy than an RTX A6000 at every dimension (ours: times less, where it "
        f"is least; a board of {dataset.attrs['power']:g} W, ASSUMED; it holds below "
        f"{float(bound):.1f} W; host and standby left out)",
        PRESS,
        _ours(dataset.saving_band, own),
        partial(above, 1.0),
        unit="x",
    )
