"""Bias and cost of diffrax solvers on the RLC board, against the exact map."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import diffrax as dfx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from experiments import style
from experiments.claims import Claim
from experiments.thermodynamic import errors, machine
from experiments.thermodynamic.stationary_bias import linear_step, stationary
from experiments.work import Work
from thermo import checks, propagate
from thermo.langevin import LangevinModes, langevin_modes
from thermo.simulate import simulate

REPRODUCES = "SPU: which solver may simulate it (no published figure)"
MINUTES = 0.6

SOLVERS: dict[str, Callable[[], Any]] = {
    "Euler": dfx.Euler,
    "Heun": dfx.Heun,
    "SEA": dfx.SEA,
    "SRA1": dfx.SRA1,
    "ShARK": dfx.ShARK,
    "ALIGN": dfx.ALIGN,
    "ShOULD": dfx.ShOULD,
    "QUICSORT": dfx.QUICSORT,
}
UNDERDAMPED = ("ALIGN", "ShOULD", "QUICSORT")
"""Want one friction per particle: they run on the modes of a board of equal cells, and
not on boards whose R, L or noise differ from cell to cell."""
EXACT = "exact map"
REFERENCE = {
    3.0: dict(zip(SOLVERS, (157, 1.1, 157, 1.4, 1.4, 1.2, 0.7, 0.8), strict=True)),
    30.0: dict(zip(SOLVERS, (1516, 3.7, 1516, 3.9, 3.9, 1.2, 1.6, 1.5), strict=True)),
}
"""Steps per sample for 1 % of bias, measured earlier by other code on another board."""
BIAS = 0.01


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

    batch: int = 0
    solver: str = "Heun"
    quality: float = 3.0
    interval: float = 0.5
    steps: int = 4
    n_samples: int = 1000

    def __post_init__(self):
        """Refuse what cannot be run, before anything is computed."""
        checks.non_negative("batch", self.batch)
        for name in ("quality", "interval", "steps"):
            checks.positive(name, getattr(self, name))
        known = (EXACT, *SOLVERS)
        if self.solver not in known:
            raise ValueError(f"solver = {self.solver!r}: one of {known}")
        _require_samples(self.n_samples)


def _require_samples(n: int) -> None:
    if n < 10:
        raise ValueError(f"n_samples = {n}: at least 10")


@dataclass(frozen=True, kw_only=True)
class Config:
    """An ideal board of eight cells, sqrt(LC) of a cell alone 1 us.

    Attributes:
        seed: of the matrix and the noise.
        qualities: of a cell alone.
        interval: between samples, us.
        most_steps: per sample; the fewest are a quarter.
        n_steps: how many step sizes between.
        n_chips: simulated side by side, for cost and as a check.
        n_samples: of each chip.
        check_steps: per sample, in the simulation.
        solvers: of diffrax, by name.
    """

    seed: int = 0
    qualities: tuple[float, ...] = (3.0, 30.0)
    interval: float = 0.5
    most_steps: float = 4096.0
    n_steps: int = 57
    n_chips: int = 64
    n_samples: int = 1000
    check_steps: int = 4
    solvers: tuple[str, ...] = tuple(SOLVERS)

    def __post_init__(self):
        """Refuse what cannot be run, before anything is computed."""
        for name in ("qualities", "interval", "n_chips", "check_steps"):
            checks.positive(name, getattr(self, name))
        unknown = set(self.solvers) - set(SOLVERS)
        if unknown or not self.solvers:
            raise ValueError(f"solvers = {self.solvers}: some of {tuple(SOLVERS)}")
        if not self.most_steps > 1 or self.n_steps < 2:
            raise ValueError(
                f"most_steps = {self.most_steps}, n_steps = {self.n_steps}: at least 2"
            )
        _require_samples(self.n_samples)

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

Training = Config().base
"""Makes the point from which a sweep over chips starts."""


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
    board, target = _nominal(point.batch, point.quality)
    system = _system(point.solver, board, point.interval)
    v = _voltages(
        key, system, point.solver, point.interval, point.n_samples, point.steps
    )
    late = v[point.n_samples // 4 :]
    covariance = late.T @ late / len(late)
    error = errors.relative_error(covariance, target)
    return {"error": error, "covariance": covariance} | ({"v": v} if trace else {})


def run(config: Config, work: Work | None = None) -> xr.Dataset:
    """Bias of each solver at each step, by linear algebra; then simulations, timed."""
    work = work or Work()
    names = [EXACT, *config.solvers]
    work.expect(2 * len(names))
    biases = [work.part(f"{n}, bias", partial(_bias, config, n)) for n in names]
    runs = [work.part(f"{n}, run", partial(_simulated, config, n)) for n in names]
    solvers = xr.DataArray(names, dims="solver", name="solver")
    whole = xr.merge([xr.concat(biases, solvers), xr.concat(runs, solvers)])
    needed = _needed(whole.bias)
    return whole.assign(
        needed=needed, cost_per_sample=whole.cost * needed
    ).assign_attrs(
        data=(
            f"an ideal board of 8 cells, sqrt(LC) = 1 us, a sample every "
            f"{config.interval:g} us; ASSUMED: a random M-matrix; bias by linear "
            f"algebra in double precision; cost measured on this machine, "
            f"{config.n_chips} chips at once"
        ),
        check_steps=config.check_steps,
        check_quality=config.qualities[0],
    )


def _nominal(batch: int, quality: float):
    """sqrt(LC) = 1 us: RC = Q us."""
    return machine.nominal(jr.key(batch), machine.N_CELLS, quality, quality)


def _system(name: str, board, interval):
    """What the solver, or the exact map, is given."""
    if name == EXACT:
        return propagate.propagator(board, interval)
    return langevin_modes(board) if name in UNDERDAMPED else board


def _voltages(key, system, name: str, interval, n: int, steps: int):
    """`n` samples of one board, V."""
    if name == EXACT:
        return propagate.trajectory(key, system, n)
    ts = interval * jnp.arange(n + 1, dtype=jnp.float32)
    return simulate(key, board=system, ts=ts, solver=SOLVERS[name](), steps=steps).v[1:]


def _bias(config: Config, name: str) -> xr.Dataset:
    """Relative error of the stationary voltage covariance."""
    steps = np.geomspace(0.25, config.most_steps, config.n_steps)
    law = jax.jit(_exact_law if name == EXACT else partial(_solver_law, name))
    rows = []
    for quality in config.qualities:
        board, _ = _nominal(config.seed, quality)
        with jax.enable_x64(name != EXACT):
            dtype = jnp.float32 if name == EXACT else jnp.float64
            board = jax.tree.map(lambda x, t=dtype: jnp.asarray(x, t), board)
            system = langevin_modes(board) if name in UNDERDAMPED else board
            made = law(system, jnp.asarray(config.interval / steps, dtype))
            capacitance = np.asarray(board.capacitance(), float)
            read = _readout(system)
        made = [np.asarray(x, float) for x in made]
        found = [stationary(*m) for m in zip(*made, strict=True)]
        rows.append([_off(s, read, np.linalg.inv(capacitance)) for s in found])
    coords = {"quality": list(config.qualities), "steps": steps}
    return xr.Dataset({"bias": (("quality", "steps"), np.array(rows))}, coords)


def _exact_law(board, dts):
    """Of the propagator in single precision, as it is used."""

    def one(dt):
        p = propagate.propagator(board, dt)
        return p.step, p.noise @ p.noise.T

    return jax.lax.map(one, dts)


def _solver_law(name: str, system, dts):
    """Of a solver, in double precision."""
    step = partial(linear_step, system, SOLVERS[name](), _rest(system))
    return jax.lax.map(step, dts)


def _off(states: np.ndarray, read: np.ndarray, target: np.ndarray) -> float:
    """Relative error of the voltages' covariance; infinite if there is none."""
    if not np.all(np.isfinite(states)):
        return np.inf
    difference = read @ states @ read.T - target
    return float(np.linalg.norm(difference) / np.linalg.norm(target))


def _rest(system):
    if isinstance(system, LangevinModes):
        return system.rest()
    return jnp.zeros(system.linear().drift.shape[0], system.noise.dtype)


def _readout(system) -> np.ndarray:
    """From the flat state to the voltages."""
    if isinstance(system, LangevinModes):
        return np.asarray(jnp.concatenate([0 * system.basis, system.basis], axis=1))
    return np.asarray(system.linear().readout)


def _simulated(config: Config, name: str) -> xr.Dataset:
    """Chips side by side: their covariance as a check, and the time of a step."""
    board, target = _nominal(config.seed, config.qualities[0])
    n, chips = config.n_samples, jr.split(jr.key(config.seed), config.n_chips)
    system = _system(name, board, config.interval)

    @jax.jit
    @jax.vmap
    def sample(key):
        return _voltages(key, system, name, config.interval, n, config.check_steps)

    v = np.asarray(sample(chips), float)[:, n // 4 :]
    with np.errstate(all="ignore"):  # a solver may have diverged
        found = np.einsum("cti,ctj->ij", v, v) / (v.shape[0] * v.shape[1])
    start = time.process_time()
    jax.block_until_ready(sample(chips))
    spent = time.process_time() - start
    taken = n * config.n_chips * (1 if name == EXACT else config.check_steps)
    return xr.Dataset(
        {
            "simulated_bias": ((), _off(found, np.eye(len(found)), np.asarray(target))),
            "noise": ((), _noise(config, v.shape[0] * v.shape[1])),
            "cost": ((), 1e6 * spent / taken, {"units": "core us per chip and step"}),
        }
    )


def _noise(config: Config, n_samples: int) -> float:
    """Statistical error of so many samples in a row: about that of many short runs."""
    board, target = _nominal(config.seed, config.qualities[0])
    law = jax.jit(
        lambda board: errors.error_law(
            board.linear(), target, (n_samples,), config.interval
        )
    )(board)
    return float(law.statistical[0])


def _needed(bias: xr.DataArray) -> xr.DataArray:
    """Fewest steps per sample from which on the bias stays below `BIAS`."""
    ordered = bias.transpose("solver", "quality", "steps").to_numpy()
    logs = np.log(np.clip(ordered, 1e-12, 1e6))
    steps = np.log(bias.steps.to_numpy())

    def first(row: np.ndarray) -> float:
        above = np.flatnonzero(row > np.log(BIAS))
        if not len(above):
            return float(np.exp(steps[0]))
        i = above[-1]
        if i + 1 == len(row):
            return np.nan
        share = (row[i] - np.log(BIAS)) / (row[i] - row[i + 1])
        return float(np.exp(steps[i] + share * (steps[i + 1] - steps[i])))

    needed = np.apply_along_axis(first, -1, logs)
    needed[list(bias.solver.to_numpy()).index(EXACT)] = 1.0
    return xr.DataArray(needed, dims=("solver", "quality"))


@style.styled
def plot(dataset: xr.Dataset) -> Figure:
    """Bias against steps; steps and time for a bias of 1 %."""
    figure = Figure(figsize=(10.5, 7.4))
    axes = figure.subplots(2, 2)
    ends = dataset.quality.to_numpy()[[0, -1]]
    for ax, quality in zip(axes[0], ends, strict=True):
        _draw_bias(ax, dataset, quality)
    axes[0, 1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    _draw_needed(axes[1, 0], dataset)
    _draw_cost(axes[1, 1], dataset)
    style.caption(figure, dataset)
    return figure


def _look(i: int) -> dict:
    """Colours repeat after six; lines then change. Wide ones lie under others."""
    colours = ("black", *style.COLOURS)
    wide = {"linewidth": 4, "alpha": 0.4} if i in (1, 4) else {}
    return {"color": colours[i % 7], "linestyle": "-" if i < 7 else "--"} | wide


def _label(name: str) -> str:
    return f"{name} (single precision)" if name == EXACT else name


def _draw_bias(ax, dataset: xr.Dataset, quality: float) -> None:
    for i, name in enumerate(dataset.solver.to_numpy()):
        bias = 100 * dataset.bias.sel(solver=name, quality=quality)
        ax.plot(dataset.steps, bias.where(bias < 1e4), **_look(i), label=_label(name))
        if quality == dataset.check_quality and name != EXACT:
            x, y = dataset.check_steps, 100 * dataset.simulated_bias.sel(solver=name)
            ax.plot(x, y, "o", color=_look(i)["color"], markerfacecolor="none")
    ax.plot(
        [], [], "o", color="0.3", markerfacecolor="none", label="simulated (diffrax)"
    )
    if quality == dataset.check_quality:
        noise = 100 * float(dataset.noise.mean())
        ax.annotate(
            f"noise of the simulation: {noise:.1f} %",
            (dataset.check_steps, noise),
            (14, -3),
            textcoords="offset points",
            fontsize=7,
        )
    ax.axhline(100 * BIAS, color="0.5", linestyle=":", linewidth=1)
    ax.set(xscale="log", yscale="log", ylim=(1e-6, 1e3), title=f"Q = {quality:g}")
    ax.set(xlabel="steps per sample", ylabel="bias of the covariance (%)")


def _draw_needed(ax, dataset: xr.Dataset) -> None:
    names = list(dataset.solver.to_numpy())
    place = np.arange(len(names))
    for i, quality in enumerate(dataset.quality.to_numpy()):
        needed = dataset.needed.sel(quality=quality)
        shift = 0.2 if i else -0.2
        ax.bar(place + shift, needed, 0.38, label=f"Q = {quality:g}")
        if quality in REFERENCE:
            known = [REFERENCE[quality][name] for name in names[1:]]
            label = None if i else "other code, other board"
            look = {"color": "black", "markerfacecolor": "none", "label": label}
            ax.plot(place[1:] + shift, known, "s", **look)
    ax.set_xticks(place, names, rotation=30, ha="right")
    ax.set(yscale="log", ylabel="steps per sample for 1 % bias")
    ax.set_title("Steps")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.legend()


def _draw_cost(ax, dataset: xr.Dataset) -> None:
    names = list(dataset.solver.to_numpy())
    place = np.arange(len(names))
    ax.plot(place, dataset.cost, "_", color="black", markersize=18, label="one step")
    for i, quality in enumerate(dataset.quality.to_numpy()):
        cost = dataset.cost_per_sample.sel(quality=quality)
        shift = 0.2 if i else -0.2
        label = f"one sample at 1 % bias, Q = {quality:g}"
        ax.bar(place + shift, cost, 0.38, label=label)
    ax.set_xticks(place, names, rotation=30, ha="right")
    ax.set(
        yscale="log",
        ylim=(0.1, 1e5),
        ylabel="core time per chip (us)",
        title="Cost (exact map: no bias)",
    )
    ax.yaxis.set_major_formatter("{x:g}")
    ax.legend()


def claims(dataset: xr.Dataset) -> list[Claim]:
    """None: nothing was published about solvers."""
    del dataset
    return []
