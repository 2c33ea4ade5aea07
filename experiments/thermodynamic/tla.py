"""Linear algebra by waiting: error against time of four primitives, beside theory.

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

REPRODUCES = "thermodynamic linear algebra: error against time of four primitives"
DIMS: dict[str, tuple[str, ...]] = {}
PRIMITIVES = ("solve", "inverse", "lyapunov", "logdet")
SAMPLED = ("inverse", "lyapunov")
ROUTINES = 64  # cells up to which the routines of a user are run
MIXED = 8  # modes that one block of the Lyapunov equation mixes, at most
ENOUGH = 64  # entries of an answer, from which on errors of one board average out
WAIT = float(np.log(1e4))  # of a burn-in: 1e-4 of the start is left

Condition = Annotated[float, bounds(1.0, 1e4)]
Duration = Annotated[float, bounds(1.0, 1e6)]


class Run(Checked):
    """What one answer of one board depends on.

    Attributes:
        primitive: "solve", "inverse", "lyapunov" or "logdet".
        size: d of the matrix (structural).
        condition: largest over smallest eigenvalue (of the symmetric part).
        duration: in relaxations of the slowest mode, without burn-in: averaged over,
            or, for "logdet", that one change of the board takes.
        reads: samples of a covariance, at equal intervals (structural).
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
    """Let four primitives run ever longer.

    Attributes:
        sizes: d of the matrices.
        durations: in relaxations of the slowest mode.
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
    condition: Condition = 2.0
    conditions: Ascending[Condition] = (1.5, 2.0, 4.0, 8.0)
    n_boards: Plural = 512
    n_sampled: Plural = 8
    reads: Count = 2048
    runs: Count = 4
    steps: Count = 512

    def __post_init__(self):
        """Check every field; a covariance of full rank needs reads."""
        super().__post_init__()
        self.require(len(self.durations) > 1, "durations", "a slope needs two")
        most = max(self.sizes)
        self.require(self.reads >= most, "reads", f"at least the size, {most}")


PRESETS = {
    "smoke": Config(
        sizes=(3, 4), durations=(20.0, 80.0), conditions=(1.5, 2.0), n_boards=4,
        n_sampled=2, reads=64, steps=32,
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
        not relative. If traced also the answer, `value`: along modes above `ROUTINES`.
    """
    del chip
    asked = problem(point, keys)
    routines = point.size <= ROUTINES
    value, square = (_routine if routines else _modes)(point, asked, keys)
    return {"square": square} | ({"value": value} if trace else {})


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
    drift, noise = asked["drift"], asked["diffusion"]
    if point.primitive == "inverse":
        drift = rates[:, None, None]
        noise = 2 * jnp.ones_like(drift)
    value, right = tla_modes.covariance(key, drift, noise, time, point.reads)
    return value, tla_modes.square_error(value, right)


def law(point: Any, chip: Any, keys: Keys) -> dict[str, Any]:
    """What theory says: `coefficient`, the expected `square` times the duration."""
    del chip
    return {"coefficient": coefficient(point, problem(point, keys))}


def sweeps(config: Config) -> dict[str, Sweep]:
    """Over size and time, and over the condition number at the longest time."""
    base = defaults(config)
    middle, last = config.sizes[len(config.sizes) // 2], config.durations[-1]
    long = base_of(Run, base, size=middle, duration=last)
    fall = {"duration": config.durations}
    over = {"condition": config.conditions}
    averaged = tuple(p for p in PRIMITIVES if p not in SAMPLED)
    groups = {"averaged": (averaged, config.n_boards)}
    groups |= {"sampled": (SAMPLED, config.n_sampled)}
    found = {}
    for name, (primitives, n) in groups.items():
        who = {"primitive": primitives}
        for size in config.sizes:
            at, many = {"size": Structural((size,))}, n * max(1, ENOUGH // size)
            found[f"{name}_{size}"] = config.sweep(
                simulate, base, axes=who | at | fall, chips=many
            )
        found[f"{name}_conditions"] = config.sweep(
            simulate, long, axes=who | over, chips=n
        )
    who = {"primitive": PRIMITIVES}
    sizes = {"size": Structural(config.sizes)}
    found["law"] = config.sweep(law, base, axes=who | sizes)
    found["law_conditions"] = config.sweep(law, long, axes=who | over)
    return found


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Errors, root mean square over boards, beside theory; slopes and prefactors."""
    falls = xr.concat([_rms(found, f"_{d}") for d in config.sizes], "size")
    conditions = _rms(found, "_conditions")
    laws = {
        end: found[f"law{end}"].coefficient.isel(chip=0, seed=0, drop=True).load()
        for end in ("", "_conditions")
    }
    theory = np.sqrt(laws[""] / falls.duration)
    last = config.durations[-1]
    dataset = xr.Dataset(
        {
            "error": falls,
            "theory": theory,
            "condition_error": conditions,
            "condition_theory": np.sqrt(laws["_conditions"] / last),
            "prefactor": np.sqrt(((falls / theory) ** 2).mean("duration")),
            "slope": power_laws.slope(falls, "duration"),
        }
    )
    middle = config.sizes[len(config.sizes) // 2]
    return dataset.assign_attrs(
        last=last, middle=middle, condition=config.condition,
        data=(
            f"ideal boards, {config.n_boards} for each point of solve and ln det, "
            f"{config.n_sampled} of inverse and Lyapunov ({config.reads:,} reads); ln "
            f"det: {config.runs} runs of {config.steps:,} steps; time without burn-in; "
            f"ASSUMED: eigenvalues even from 1 to {config.condition:g}"
        ),
    )  # fmt: skip


def _rms(found: Mapping[str, xr.Dataset], end: str) -> xr.DataArray:
    """Over boards, all primitives in their order."""
    squares = [found[f"{g}{end}"].square.load() for g in ("averaged", "sampled")]
    rms: Any = xr.concat(
        [
            np.sqrt(s.isel(seed=0, drop=True).astype(float).mean("chip"))
            for s in squares
        ],
        "primitive",
    )
    return rms.sel(primitive=list(PRIMITIVES))


THEORY = "theory of linear boards (derived here)"


def claims(dataset: xr.Dataset) -> list[Claim]:
    """Slopes and prefactors, over sizes, against theory."""
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
    return rows
