"""Bias of diffrax solvers on the RLC board, against the exact map."""

from collections.abc import Mapping
from typing import Annotated, Any

import jax
import numpy as np
import xarray as xr

from chipsweep import Keys
from experiments.claims import nothing_published as claims  # noqa: F401
from experiments.contract import Seeded, Sweep, base_of
from experiments.thermodynamic import errors
from experiments.thermodynamic.solver_bias import bias, needed, off
from experiments.thermodynamic.solvers import EXACT, SOLVERS, nominal, system, voltages
from experiments.thermodynamic.spu_solvers_figure import plot as plot
from experiments.validate import (
    Checked,
    Count,
    Distinct,
    Plural,
    Positive,
    Seed,
    bounds,
    one_of,
)

DIMS = {"covariance": ("cell", "other")}
UNITS = {"covariance": "V²"}
REPRODUCES = "SPU: which solver may simulate it (no published figure)"

Samples = Annotated[int, bounds(10, 2**31 - 1)]


class Simulation(Checked):
    """What one simulated board depends on; any number may be swept.

    Attributes:
        batch: root of the matrix: another batch, another.
        solver: of diffrax, by name, or "exact map".
        quality: of a cell alone; sqrt(LC) is 1 µs.
        interval: between samples, µs.
        steps: of the solver, per sample (structural).
        n_samples: the first quarter is thrown away (structural).
    """

    batch: Seed = 0
    solver: Annotated[str, one_of(EXACT, *SOLVERS)] = "Heun"
    quality: Positive = 3.0
    interval: Positive = 0.5
    steps: Count = 4
    n_samples: Samples = 1000


class Config(Seeded):
    """An ideal board of eight cells, sqrt(LC) of a cell alone 1 µs.

    Attributes:
        qualities: of a cell alone.
        interval: between samples, µs.
        most_steps: per sample; the fewest are a quarter.
        n_steps: how many step sizes between.
        n_chips: simulated side by side, as a check.
        n_samples: of each chip.
        check_steps: per sample, in the simulation.
        solvers: of diffrax, by name.
    """

    qualities: Distinct[Positive] = (3.0, 30.0)
    interval: Positive = 0.5
    most_steps: Annotated[float, bounds(2, 2**24)] = 4096.0
    n_steps: Plural = 57
    n_chips: Count = 64
    n_samples: Samples = 1000
    check_steps: Count = 4
    solvers: Distinct[Annotated[str, one_of(*SOLVERS)]] = tuple(SOLVERS)


PRESETS = {
    "smoke": Config(
        qualities=(3.0,),
        most_steps=8.0,
        n_steps=3,
        n_chips=2,
        n_samples=20,
        solvers=("Euler", "ShOULD"),
    ),
    "large": Config(n_chips=1024, n_samples=4000),
}


def defaults(config: Config) -> Simulation:
    """What one simulated board depends on."""
    at: Any = {"quality": config.qualities[0], "steps": config.check_steps}
    return base_of(Simulation, config, batch=config.seed, **at)


def simulate(point: Any, chip: Any, keys: Keys, trace: bool = False) -> dict[str, Any]:
    """Run one `Simulation` of an ideal board; chips differ by their noise alone.

    Returns:
        `covariance` of its voltages, V^2, and the relative `error` of that; the mean
        of the covariances over chips shows the bias of the solver. If traced also the
        voltages `v`, V, `(n_samples, d)`.
    """
    del chip
    board, target = nominal(point.batch, point.quality)
    made = system(point.solver, board, point.interval)
    v = voltages(keys.chip, made, point)
    late = v[point.n_samples // 4 :]
    covariance = late.T @ late / len(late)
    error = errors.relative_error(covariance, target)
    return {"error": error, "covariance": covariance} | ({"v": v} if trace else {})


def sweeps(config: Config) -> dict[str, Sweep]:
    """Simulations as a check; the bias at each step, by linear algebra."""
    solvers = [EXACT, *config.solvers]
    base, axes, n = defaults(config), {"solver": solvers}, config.n_chips
    runs = config.sweep(simulate, base, axes=axes, chips=n, dims=DIMS)
    steps = np.geomspace(0.25, config.most_steps, config.n_steps)
    axes = {"solver": solvers, "quality": config.qualities, "steps": steps}
    of: Any = {"outputs": {"bias": float}, "may_be_nan": ("bias",)}
    laws = config.sweep(bias, vars(base), axes=axes, **of)
    return {"runs": runs, "laws": laws}


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Bias by step, the steps that are needed, and the bias that was simulated."""
    law = found["laws"].bias.isel(chip=0, seed=0, drop=True).load()
    covariance = found["runs"].covariance.isel(seed=0)
    covariance = covariance.transpose("solver", "chip", ...).to_numpy().astype(float)
    board, target = nominal(config.seed, config.qualities[0])
    seen = np.eye(len(target))
    simulated = [off(c.mean(0), seen, np.asarray(target)) for c in covariance]
    late = config.n_samples - config.n_samples // 4
    # the simulations err by about as much as so many samples in a row
    of = board.linear(), target, (config.n_chips * late,), config.interval
    noise = jax.jit(errors.error_law, static_argnums=(2, 3))(*of)["statistical"]
    return xr.Dataset(
        {
            "bias": law,
            "simulated_bias": ("solver", simulated),
            "noise": float(noise[0]),
            "needed": needed(law),
        }
    ).assign_attrs(
        data=(
            f"an ideal board of 8 cells, sqrt(LC) = 1 µs, a sample every "
            f"{config.interval:g} µs; ASSUMED: a random M-matrix; bias by linear "
            f"algebra in double precision; {config.n_chips} chips simulated"
        ),
        check_steps=config.check_steps,
        check_quality=config.qualities[0],
    )
