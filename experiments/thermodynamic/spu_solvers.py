"""Bias of diffrax solvers on the RLC board, against the exact map."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import jax
import jax.random as jr
import numpy as np
import xarray as xr

from experiments.claims import Claim
from experiments.thermodynamic import errors
from experiments.thermodynamic.solver_bias import bias, needed, off
from experiments.thermodynamic.solvers import (
    EXACT,
    SOLVERS,
    nominal,
    system,
    voltages,
)
from experiments.thermodynamic.spu_solvers_figure import plot as plot
from experiments.validate import (
    Count,
    Distinct,
    Plural,
    Positive,
    Seed,
    bounds,
    check,
    one_of,
)
from experiments.work import Work

REPRODUCES = "SPU: which solver may simulate it (no published figure)"
MINUTES = 0.6

Samples = Annotated[int, bounds(10, 2**31 - 1)]


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """What one simulated board depends on; any number may be swept.

    Attributes:
        batch: root of the matrix: another batch, another.
        solver: of diffrax, by name, or "exact map".
        quality: of a cell alone; sqrt(LC) is 1 us.
        interval: between samples, us.
        steps: of the solver, per sample (structural).
        n_samples: the first quarter is thrown away (structural).
    """

    batch: Seed = 0
    solver: Annotated[str, one_of(EXACT, *SOLVERS)] = "Heun"
    quality: Positive = 3.0
    interval: Positive = 0.5
    steps: Count = 4
    n_samples: Samples = 1000

    __post_init__ = check


@dataclass(frozen=True, kw_only=True)
class Config:
    """An ideal board of eight cells, sqrt(LC) of a cell alone 1 us.

    Attributes:
        seed: of the matrix and the noise.
        qualities: of a cell alone.
        interval: between samples, us.
        most_steps: per sample; the fewest are a quarter.
        n_steps: how many step sizes between.
        n_chips: simulated side by side, as a check.
        n_samples: of each chip.
        check_steps: per sample, in the simulation.
        solvers: of diffrax, by name.
    """

    seed: Seed = 0
    qualities: Distinct[Positive] = (3.0, 30.0)
    interval: Positive = 0.5
    most_steps: Annotated[float, bounds(2, 2**24)] = 4096.0
    n_steps: Plural = 57
    n_chips: Count = 64
    n_samples: Samples = 1000
    check_steps: Count = 4
    solvers: Distinct[Annotated[str, one_of(*SOLVERS)]] = tuple(SOLVERS)

    __post_init__ = check

    def base(self) -> Simulation:
        """What one simulated board depends on."""
        return Simulation(
            batch=self.seed,
            quality=self.qualities[0],
            interval=self.interval,
            steps=self.check_steps,
            n_samples=self.n_samples,
        )


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


def one_chip(point: Any, chip: Any, key: Any, trace: bool = False) -> dict[str, Any]:
    """Simulate one ideal board.

    Args:
        point: fields of `Simulation`.
        chip: not used: ideal boards are all alike.
        key: of the noise.
        trace: also return the voltages, V, `(n_samples, d)`.

    Returns:
        `covariance` of its voltages, V^2, and the relative `error` of that; the mean
        of the covariances over chips shows the bias of the solver.
    """
    del chip
    board, target = nominal(point.batch, point.quality)
    made = system(point.solver, board, point.interval)
    v = voltages(key, made, point.solver, point.interval, point.n_samples, point.steps)
    late = v[point.n_samples // 4 :]
    covariance = late.T @ late / len(late)
    error = errors.relative_error(covariance, target)
    return {"error": error, "covariance": covariance} | ({"v": v} if trace else {})


def run(config: Config, work: Work | None = None) -> xr.Dataset:
    """Bias of each solver at each step, by linear algebra; then simulations."""
    work = work or Work()
    names = [EXACT, *config.solvers]
    work.expect(2 * len(names))
    law = partial(
        bias,
        batch=config.seed,
        qualities=config.qualities,
        interval=config.interval,
        steps=np.geomspace(0.25, config.most_steps, config.n_steps),
    )
    biases = [work.part(f"{n}, bias", partial(law, n)) for n in names]
    runs = [work.part(f"{n}, run", partial(_simulated, config, n)) for n in names]
    solvers = xr.DataArray(names, dims="solver", name="solver")
    whole = xr.merge([xr.concat(biases, solvers), xr.concat(runs, solvers)])
    return whole.assign(needed=needed(whole.bias)).assign_attrs(
        data=(
            f"an ideal board of 8 cells, sqrt(LC) = 1 us, a sample every "
            f"{config.interval:g} us; ASSUMED: a random M-matrix; bias by linear "
            f"algebra in double precision; {config.n_chips} chips simulated"
        ),
        check_steps=config.check_steps,
        check_quality=config.qualities[0],
    )


def _simulated(config: Config, name: str) -> xr.Dataset:
    """Chips side by side: their covariance as a check."""
    board, target = nominal(config.seed, config.qualities[0])
    n, chips = config.n_samples, jr.split(jr.key(config.seed), config.n_chips)
    made = system(name, board, config.interval)

    @jax.jit
    @jax.vmap
    def sample(key):
        return voltages(key, made, name, config.interval, n, config.check_steps)

    v = np.asarray(sample(chips), float)[:, n // 4 :]
    with np.errstate(all="ignore"):  # a solver may have diverged
        found = np.einsum("cti,ctj->ij", v, v) / (v.shape[0] * v.shape[1])
    return xr.Dataset(
        {
            "simulated_bias": ((), off(found, np.eye(len(found)), np.asarray(target))),
            "noise": ((), _noise(config, v.shape[0] * v.shape[1])),
        }
    )


def _noise(config: Config, n_samples: int) -> float:
    """Statistical error of so many samples in a row: about that of many short runs."""
    board, target = nominal(config.seed, config.qualities[0])
    law = jax.jit(
        lambda board: errors.error_law(
            board.linear(), target, (n_samples,), config.interval
        )
    )(board)
    return float(law.statistical[0])


def claims(dataset: xr.Dataset) -> list[Claim]:
    """None: nothing was published about solvers."""
    del dataset
    return []
