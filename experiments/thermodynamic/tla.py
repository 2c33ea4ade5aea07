"""Linear algebra by waiting: error against time of five primitives, beside theory.

Ideal boards. Eigenvalues are even from 1 to the condition number and eigenvectors
random, so time counts in the slowest relaxation; the drift of the Lyapunov equation has
an antisymmetric part besides, which mixes up to eight modes. Boards of one seed differ
by their noise alone. Up to `ROUTINES` cells answers are those of `thermo.linalg`, and
above mode by mode.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

from chipsweep import Keys, Structural
from experiments.claims import Claim, judged
from experiments.contract import Seeded, Sweep, base_of
from experiments.thermodynamic import power_laws, tla_modes
from experiments.thermodynamic.tla_figure import plot as plot
from experiments.thermodynamic.tla_laws import coefficient
from experiments.validate import (
    Ascending,
    Checked,
    Count,
    Distinct,
    Plural,
    Width,
    bounds,
    one_of,
)
from thermo import exact
from thermo.linalg import primitives as linalg

REPRODUCES = "thermodynamic linear algebra: error against time of five primitives"
DIMS: dict[str, tuple[str, ...]] = {}
PRIMITIVES = ("solve", "inverse", "lyapunov", "logdet", "expm")
GROUPS = {
    "averaged": ("solve", "logdet"),
    "sampled": ("inverse", "lyapunov"),
    "remembered": ("expm",),
}
ROUTINES = 64  # cells up to which the routines of a user are run
MIXED = 8  # modes that one block of the Lyapunov equation mixes, at most
ENOUGH = 64  # entries of an answer, from which on errors of one board average out
WAIT = float(np.log(1e4))  # of a burn-in: 1e-4 of the start is left

Condition = Annotated[float, bounds(1.0, 1e4)]
Duration = Annotated[float, bounds(1.0, 1e6)]


class Run(Checked):
    """What one answer of one board depends on.

    Attributes:
        primitive: "solve", "inverse", "lyapunov", "logdet" or "expm", of -A.
        size: d of the matrix (structural).
        condition: largest over smallest eigenvalue (of the symmetric part).
        duration: in relaxations of the slowest mode, without burn-in: averaged over,
            or, for "logdet", that one change of the board takes; not of "expm".
        reads: samples of a covariance, at equal intervals, or, for "expm", pairs of
            samples one slowest relaxation apart (structural).
        runs: of "logdet", each with a change of its own (structural).
        steps: of the matrix in each (structural).
    """

    primitive: Annotated[str, one_of(*PRIMITIVES)] = "solve"
    size: Width = 8
    condition: Condition = 2.0
    duration: Duration = 100.0
    reads: Count = 2048
    runs: Count = 4
    steps: Count = 512


class Config(Seeded):
    """Let five primitives run ever longer.

    Attributes:
        sizes: d of the matrices.
        durations: in relaxations of the slowest mode.
        pairs: of "expm", each a relaxation long; as many numbers as durations.
        condition: largest over smallest eigenvalue.
        conditions: of the second panel.
        n_boards: that average a vector or a number; below d = 64 more in proportion,
            as few errors in one answer average less.
        n_sampled: that sample a matrix, likewise.
        reads: samples of a covariance.
        runs: of "logdet".
        steps: of the matrix in each.
    """

    sizes: Distinct[Width] = (8, 64, 1000)
    durations: Ascending[Duration] = (20.0, 40.0, 80.0, 160.0)
    pairs: Ascending[Count] = (64, 256, 1024, 4096)
    condition: Condition = 2.0
    conditions: Ascending[Condition] = (1.5, 2.0, 4.0, 8.0)
    n_boards: Plural = 256
    n_sampled: Plural = 8
    reads: Count = 2048
    runs: Count = 4
    steps: Count = 512

    def __post_init__(self):
        """Check every field; a covariance of full rank needs reads."""
        super().__post_init__()
        self.require(len(self.durations) > 1, "durations", "a slope needs two")
        n = len(self.durations)
        self.require(len(self.pairs) == n, "pairs", f"as many as durations, {n}")
        most = max(self.sizes)
        self.require(self.reads >= most, "reads", f"at least the size, {most}")


PRESETS = {
    "smoke": Config(
        sizes=(4, 66), durations=(20.0, 80.0), pairs=(20, 80), conditions=(1.5, 2.0),
        n_boards=2, n_sampled=2, reads=66, runs=2, steps=16,
    ),
    "large": Config(sizes=(8, 64, 256, 1000), n_boards=2048, n_sampled=32),
}  # fmt: skip


def defaults(config: Config) -> Run:
    """What one answer depends on."""
    return base_of(Run, config, size=config.sizes[0], duration=config.durations[0])


def problem(point: Any, keys: Keys) -> dict[str, jax.Array]:
    """Rates of the modes, the right side along them, and blocks of the drift."""
    d = point.size
    side, twist = jr.split(jr.fold_in(keys.seed, 1))
    rates = 1 + (point.condition - 1) * jnp.linspace(0.0, 1.0, d)
    k = max(k for k in range(1, MIXED + 1) if d % k == 0)
    rotating = jr.normal(twist, (d // k, k, k)) / (2 * k) ** 0.5
    eye = jnp.eye(k)[None]
    noise = jnp.linspace(1.0, 2.0, d).reshape(-1, k)
    return {
        "rates": rates,
        "rhs": jr.normal(side, (d,)),
        "drift": rates.reshape(-1, k)[:, :, None] * eye + rotating - rotating.mT,
        "diffusion": noise[:, :, None] * eye,
    }


def simulate(point: Any, chip: Any, keys: Keys, trace: bool = False) -> dict[str, Any]:
    """Wait for one answer.

    Returns:
        `square`: squared error relative to the answer, of Frobenius norms; of "logdet"
        not relative; and by theory `coefficient`, what it is expected to be times the
        duration (pairs). If traced also the answer, `value`: along modes above
        `ROUTINES`.
    """
    del chip
    asked = problem(point, keys)
    routines = point.size <= ROUTINES
    value, square = (_routine if routines else _modes)(point, asked, keys)
    found = {"square": square, "coefficient": coefficient(point, asked)}
    return found | ({"value": value} if trace else {})


def _routine(point: Any, asked: dict[str, jax.Array], keys: Keys):
    """The answer of `thermo.linalg` in random coordinates, and its squared error."""
    d, key, time, reads = point.size, keys.chip, point.duration, point.reads
    turn = jnp.linalg.qr(jr.normal(keys.seed, (d, d)))[0]
    a = (turn * asked["rates"][None, :]) @ turn.T
    if point.primitive == "solve":
        b = turn @ asked["rhs"]
        value = linalg.solve(key, a, b, time, burn_in=WAIT).value
        right = turn @ (asked["rhs"] / asked["rates"])
        return value, jnp.sum((value - right) ** 2) / jnp.sum(right**2)
    if point.primitive == "logdet":
        how: Any = {"runs": point.runs, "steps": point.steps}
        value = linalg.logdet(key, a, time, **how).value
        return value, (value - jnp.sum(jnp.log(asked["rates"]))) ** 2
    if point.primitive == "inverse":
        value = linalg.inv(key, a, time, reads=reads, burn_in=WAIT).value
        right = (turn / asked["rates"][None, :]) @ turn.T
        return value, jnp.sum((value - right) ** 2) / jnp.sum(right**2)
    if point.primitive == "expm":
        value = linalg.expm(key, -a, reads, lag=1.0, shift=0.0).value
        right = (turn * jnp.exp(-asked["rates"])[None, :]) @ turn.T
        return value, jnp.sum((value - right) ** 2) / jnp.sum(right**2)
    drift, noise = (
        turn @ jax.scipy.linalg.block_diag(*asked[name]) @ turn.T
        for name in ("drift", "diffusion")
    )
    found = linalg.lyapunov(key, drift, noise, time, reads=reads, burn_in=WAIT)
    right = exact.stationary_covariance(drift, noise)
    return found.value, jnp.sum((found.value - right) ** 2) / jnp.sum(right**2)


def _modes(point: Any, asked: dict[str, jax.Array], keys: Keys):
    """The same along the modes, from equilibrium."""
    key, rates, time = keys.chip, asked["rates"], point.duration
    if point.primitive == "solve":
        off, right = tla_modes.solve(key, rates, time), asked["rhs"] / rates
        return right + off, jnp.sum(off**2) / jnp.sum(right**2)
    if point.primitive == "logdet":
        value = tla_modes.logdet(key, rates, time, point.runs, point.steps)
        return value, (value - jnp.sum(jnp.log(rates))) ** 2
    if point.primitive == "expm":
        value, right = tla_modes.expm(key, rates, point.reads)
        return value, tla_modes.square_error(value, right[:, None, None])
    drift, noise = asked["drift"], asked["diffusion"]
    if point.primitive == "inverse":
        drift = rates[:, None, None]
        noise = 2 * jnp.ones_like(drift)
    value, right = tla_modes.covariance(key, drift, noise, time, point.reads)
    return value, tla_modes.square_error(value, right)


def sweeps(config: Config) -> dict[str, Sweep]:
    """Over size and time, and over the condition number at the longest time."""
    base = defaults(config)
    middle, last = config.sizes[len(config.sizes) // 2], config.durations[-1]
    over = {"condition": config.conditions}
    found = {}
    for name, primitives in GROUPS.items():
        n = config.n_boards if name == "averaged" else config.n_sampled
        who, long = {"primitive": primitives}, {"duration": last}
        fall: dict[str, Any] = {"duration": config.durations}
        if name == "remembered":
            fall = {"reads": Structural(config.pairs)}
            long = {"reads": config.pairs[-1]}
        for size in config.sizes:
            at, many = {"size": Structural((size,))}, n * max(1, ENOUGH // size)
            # products of a batch of large matrices are far slower than one by one
            alone = size > ROUTINES and name != "averaged"
            found[f"{name}_{size}"] = config.sweep(
                simulate, base, axes=who | at | fall, chips=many,
                **({"chunk": 1} if alone else {}),
            )  # fmt: skip
        start = base_of(Run, base, size=middle, **long)
        found[f"{name}_conditions"] = config.sweep(
            simulate, start, axes=who | over, chips=n
        )
    return found


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Errors, root mean square over boards, beside theory; slopes and prefactors."""
    names = list(PRIMITIVES)
    times = [config.pairs if p == "expm" else config.durations for p in names]
    time = xr.DataArray(
        np.array(times, float), dims=("primitive", "point"), coords={"primitive": names}
    )
    falls = xr.concat([_all(found, f"_{d}") for d in config.sizes], "size")
    over = _all(found, "_conditions")
    theory = np.sqrt(falls.coefficient / time)
    last = time.isel(point=-1, drop=True)
    dataset = xr.Dataset(
        {
            "time": time,
            "error": falls.rms,
            "theory": theory,
            "condition_error": over.rms * np.sqrt(last),
            "condition_theory": np.sqrt(over.coefficient),
            "prefactor": np.sqrt(((falls.rms / theory) ** 2).mean("point")),
            "slope": power_laws.slope(falls.rms, time, "point"),
        }
    )
    return dataset.assign_attrs(
        middle=config.sizes[len(config.sizes) // 2], condition=config.condition,
        data=(
            f"ideal boards, {config.n_boards} for each point of solve and ln det, "
            f"{config.n_sampled} of the others, more at small d ({config.reads:,} "
            f"reads of a covariance); ln det: {config.runs} runs of {config.steps:,} "
            "steps; "
            f"above d = {ROUTINES} mode by mode; time without burn-in; ASSUMED: "
            f"eigenvalues even from 1 to {config.condition:g}"
        ),
    )  # fmt: skip


def _all(found: Mapping[str, xr.Dataset], end: str) -> xr.Dataset:
    """Error, root mean square over boards, and theory of all primitives."""
    parts = []
    for name in GROUPS:
        one = found[f"{name}{end}"].isel(seed=0, drop=True).load().astype(float)
        rms = np.sqrt(one.square.mean("chip"))
        part = xr.Dataset({"rms": rms, "coefficient": one.coefficient.isel(chip=0)})
        if end != "_conditions":
            along = "reads" if name == "remembered" else "duration"
            part = part.rename({along: "point"}).drop_vars("point")
        parts.append(part.drop_vars("chip", errors="ignore"))
    whole: Any = xr.concat(parts, "primitive", coords="minimal", compat="override")
    return whole.sel(primitive=list(PRIMITIVES))


THEORY = "theory of linear boards (derived here)"
EXPONENTIAL = "thermodynamic matrix exponentials (arXiv 2311.12759), its simulation"


def claims(dataset: xr.Dataset) -> list[Claim]:
    """Slopes and prefactors, over sizes, against theory; the published rate of expm."""
    rows = []
    for name in PRIMITIVES:
        at = dataset.sel(primitive=name)
        for words, found, wanted, tolerance in (
            ("error falls as time to the power", at.slope, -0.5, 0.05),
            ("error over that of theory", at.prefactor, 1.0, 0.1),
        ):
            rows.append(
                judged(
                    dataset,
                    f"{name}: {words} (ours: all sizes within {tolerance:g})",
                    THEORY,
                    power_laws.ends(found),
                    power_laws.near(wanted, tolerance),
                    published=wanted,
                )
            )
    slope = dataset.slope.sel(primitive="expm")
    return [
        *rows,
        judged(
            dataset,
            "the error of a matrix exponential falls as lags to the power (ours: d "
            f"from {int(dataset['size'].min())} to {int(dataset['size'].max())})",
            EXPONENTIAL,
            power_laws.ends(slope),
            power_laws.near(-0.5, 0.05),
            published=-0.5,
        ),
    ]
