"""When a board pays: time and energy of sampling and inverting, against d and duty.

Nothing here is a draw: closed forms of `thermo.scaling`, over bands of the constants
that nobody has published. The digital side is an RTX A6000, as published, or the
machine that was timed by `python -m experiments digital`.
"""

import itertools
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import xarray as xr

from experiments.contract import Seeded, Sweep, base_of, listed
from experiments.thermodynamic import digital
from experiments.thermodynamic.spu_scaling_claims import BAND
from experiments.thermodynamic.spu_scaling_claims import claims as claims
from experiments.thermodynamic.spu_scaling_figure import (
    CROSSOVER,
    LARGE,
    SLOW_RATE,
)
from experiments.thermodynamic.spu_scaling_figure import plot as plot
from experiments.thermodynamic.spu_scaling_task import DIMS as DIMS
from experiments.thermodynamic.spu_scaling_task import (
    VARIED,
    Constants,
    Duty,
    Run,
    elasticities,
)
from experiments.thermodynamic.spu_scaling_task import simulate as simulate
from experiments.validate import Ascending, Positive

REPRODUCES = "SPU: time and energy of sampling against d, beside an RTX A6000"
SIZES = sorted({*np.geomspace(8, 1e5, 42).round().tolist(), CROSSOVER, LARGE})


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
