"""Matrix inversion on three boards: error against samples, its floor, what fits."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from experiments import style
from experiments.claims import Claim, above, below, both, monotone, within_reach
from experiments.population import over_chips
from experiments.thermodynamic import errors, machine
from experiments.work import Work
from thermo import checks

REPRODUCES = "SPU: 4x4 and 8x8 inverse on three boards, error against samples"
MINUTES = 0.6


@dataclass(frozen=True, kw_only=True)
class Config:
    """Inverses by the covariance of voltages, on boards with component tolerances.

    Attributes:
        seed: of matrices, boards and noise.
        sizes: of the matrices, one board population each.
        n_boards: tolerance draws; the first three stand for the published boards.
        n_samples: where the published error is read off; a run is four times as long.
        tolerance: rms spread of capacitors, R, L and noise power (ASSUMED; the default
            is the middle of what the plane leaves at this RC).
        rc: of a cell alone, us (ASSUMED).
        quality: of a cell alone (ASSUMED).
        tolerances: of the plane in which the published error is located.
        rcs: of the plane, us.
        plane_boards: boards at each point of the plane.
    """

    seed: int = 0
    sizes: tuple[int, ...] = (4, 8)
    n_boards: int = 64
    n_samples: int = machine.N_SAMPLES
    tolerance: float = 0.175
    rc: float = 1.0
    quality: float = 1.0
    tolerances: tuple[float, ...] = (
        *(0.0, 0.025, 0.05, 0.075, 0.1, 0.125, 0.15),
        *(0.175, 0.2, 0.225, 0.25, 0.275, 0.3),
    )
    rcs: tuple[float, ...] = (0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0)
    plane_boards: int = 24

    def __post_init__(self):
        """Refuse what cannot be run, before anything is computed."""
        errors.stretches(self.n_samples)
        for name in ("n_boards", "plane_boards", "rc", "quality", "sizes", "rcs"):
            checks.positive(name, getattr(self, name))
        checks.non_negative("tolerance", self.tolerance)
        checks.non_negative("tolerances", self.tolerances)
        if self.n_boards < machine.N_PUBLISHED_BOARDS:
            raise ValueError(f"n_boards = {self.n_boards}: at least 3 are published")
        if self.tolerances[0] != 0:
            raise ValueError(f"tolerances = {self.tolerances}: the first must be 0")
        for name in ("tolerances", "rcs"):
            if np.any(np.diff(getattr(self, name)) <= 0):
                raise ValueError(f"{name} = {getattr(self, name)}: must increase")


PRESETS = {
    "smoke": Config(
        sizes=(2,),
        n_boards=3,
        n_samples=480,
        tolerances=(0.0, 0.1, 0.3),
        rcs=(0.3, 1.0),
        plane_boards=2,
    ),
    "large": Config(n_boards=1024, plane_boards=256),
}


def run(config: Config, work: Work | None = None) -> xr.Dataset:
    """Simulate the boards, predict them, and scan tolerance and RC by theory."""
    work = work or Work()
    work.expect(len(config.sizes) + len(config.rcs))
    curves = [
        work.part(f"{d} x {d}", partial(_curves, config, d)) for d in config.sizes
    ]
    plane = [
        work.part(f"plane, RC {rc:g} us", partial(_column, config, rc))
        for rc in config.rcs
    ]
    sizes = xr.DataArray(list(config.sizes), dims="size", name="size")
    rcs = xr.DataArray(list(config.rcs), dims="rc", attrs={"units": "us"}, name="rc")
    whole = xr.merge([xr.concat(curves, sizes), _located(xr.concat(plane, rcs))])
    return whole.assign_attrs(
        data=(
            f"simulation at 12 MHz; ASSUMED: random M-matrices, tolerance "
            f"{config.tolerance:.1%} rms on C, R, L and noise power, "
            f"RC = {config.rc:g} us, Q = {config.quality:g}, T* known; bands: middle "
            f"half of {config.n_boards} boards"
        ),
        n_published=config.n_samples,
        assumed_rc=config.rc,
        assumed_tolerance=config.tolerance,
    )


def _curves(config: Config, d: int) -> xr.Dataset:
    """Board 0 is ideal, the others are real: measured and expected errors."""
    key_matrix, key_boards, key_noise = _keys(config, d)
    board, target = machine.nominal(key_matrix, d, config.rc, config.quality)
    tolerances = jnp.full(config.n_boards + 1, config.tolerance).at[0].set(0.0)
    boards = machine.draw(key_boards, board, tolerances)
    counts = np.array(errors.stretches(config.n_samples))
    keys = jr.split(key_noise, len(tolerances))
    measure = partial(
        errors.measure,
        n_samples=tuple(counts.tolist()),
        dt=machine.SAMPLING_INTERVAL,
    )
    found, law = over_chips(measure, in_axes=(0, 0, None))(keys, boards, target)
    mean_square = np.stack([np.mean(e**2, -1) for e in found], -1)
    each = ("board", "n_samples")
    return xr.Dataset(
        {
            "error": (each, np.sqrt(mean_square)),
            "expected": (each, law.total),
            "floor": ("board", law.floor),
            "fitted_floor": ("board", law.fitted_floor),
            "measured_floor": ("board", _straight(config, counts, mean_square)),
            "single_error": (("board", "stretch"), found[-3]),
        },
        {"board": np.arange(config.n_boards + 1), "n_samples": counts},
    )


def _keys(config: Config, d: int):
    return jr.split(jr.fold_in(jr.key(config.seed), d), 3)


def _straight(config: Config, counts, mean_square):
    """Floor by a straight line through the stretches of at least 15 RC."""
    long = counts * machine.SAMPLING_INTERVAL >= 15 * config.rc
    long[-2:] = True
    n = counts[long]
    return errors.split(n, mean_square[:, long], n[-1] / n).floor


def _column(config: Config, rc: float) -> xr.Dataset:
    """Expected errors at the published number of samples, by theory."""
    law = _plane(config, jnp.asarray(rc, jnp.float32))
    at = ("tolerance", "plane_board")
    return xr.Dataset(
        {
            "plane_floor": (at, law.floor),
            "plane_fitted_floor": (at, law.fitted_floor),
            "plane_statistical": (at, law.statistical[..., 0]),
        },
        {"tolerance": np.array(config.tolerances)},
    )


@partial(jax.jit, static_argnames="config")
def _plane(config: Config, rc):
    """Board i is the same draw at every tolerance and RC."""
    key_matrix, key_boards, _ = _keys(config, max(config.sizes))
    board, target = machine.nominal(key_matrix, max(config.sizes), rc, config.quality)

    def law(board):
        n, dt = (config.n_samples,), machine.SAMPLING_INTERVAL
        return errors.error_law(board.linear(), target, n, dt)

    def row(tolerance):
        spreads = jnp.full(config.plane_boards, tolerance)
        boards = machine.draw(key_boards, board, spreads)
        return jax.vmap(law)(boards)

    return jax.lax.map(row, jnp.array(config.tolerances))


_ENDS = dict(zip(("low", "high"), machine.ERROR_PUBLISHED, strict=True))


def _located(plane: xr.Dataset) -> xr.Dataset:
    """Which part of the plane is consistent with the published band of errors."""
    low, high = machine.ERROR_PUBLISHED
    error = np.hypot(plane.plane_floor, plane.plane_statistical)
    middle = error.median("plane_board")
    fitted = np.hypot(plane.plane_fitted_floor, plane.plane_statistical)
    ends = {f"tolerance_{end}": _crossing(middle, e) for end, e in _ENDS.items()}
    possible = ends["tolerance_high"].notnull()
    ends["tolerance_low"] = ends["tolerance_low"].fillna(0.0).where(possible)
    ideal = middle.isel(tolerance=0).to_numpy()
    rcs = {
        f"rc_{end}": np.interp(e, ideal, plane.rc, left=np.nan, right=np.nan)
        for end, e in _ENDS.items()
    }
    share = ((error >= low) & (error <= high)).mean("plane_board")
    found: dict[str, Any] = {
        "plane_error": middle,
        "plane_fitted_error": fitted.median("plane_board"),
        "plane_share": share,
    }
    return plane.assign(found | ends | rcs)


def _crossing(error: xr.DataArray, level: float) -> xr.DataArray:
    """Tolerance at which the error reaches a level, at each RC; NaN if never."""
    rows = error.transpose("rc", "tolerance").to_numpy()
    at = [
        np.interp(level, row, error.tolerance, left=np.nan, right=np.nan)
        for row in np.maximum.accumulate(rows, axis=1)
    ]
    return xr.DataArray(at, {"rc": error.rc}, "rc", attrs={"units": "1, rms"})


@style.styled
def plot(dataset: xr.Dataset) -> Figure:
    """Error curves, floors measured against floors predicted, and the plane."""
    figure = Figure(figsize=(9.5, 7.6))
    axes = figure.subplots(2, 2)
    for ax, d in zip(axes[0], dataset.size[[0, -1]], strict=True):
        _draw_curves(ax, dataset.sel(size=d))
    _draw_floors(axes[1, 0], dataset)
    _draw_plane(figure, axes[1, 1], dataset)
    style.caption(figure, dataset)
    return figure


def _draw_curves(ax, one: xr.Dataset) -> None:
    d, n = int(one["size"]), one.n_samples
    real = one.sel(board=slice(1, None))
    low, high = (100 * real.error.quantile(q, "board") for q in (0.25, 0.75))
    count = real.sizes["board"]
    label = f"{count} boards, middle half"
    ax.fill_between(n, low, high, color="0.8", linewidth=0, label=label)
    for i in range(machine.N_PUBLISHED_BOARDS):
        board = one.sel(board=i + 1)
        colour = style.COLOURS[i]
        ax.plot(n, 100 * board.error, "o-", color=colour, label=f"board {i + 1}")
        ax.axhline(100 * board.floor, color=colour, linestyle=":", linewidth=1)
    ideal = one.sel(board=0)
    ax.plot(n, 100 * ideal.error, "s", color="black", label="ideal board")
    ax.plot(n, 100 * ideal.expected, "-", color="black", linewidth=0.8, label="theory")
    independent = 100 * np.sqrt((d + 1) / n)
    ax.plot(
        n, independent, "--", color="0.5", linewidth=0.8, label="independent samples"
    )
    ax.plot([], [], ":", color="0.3", label="floor of a board, theory")
    if d == machine.N_CELLS:
        _draw_published(ax, int(one.n_published))
    ax.set(xscale="log", yscale="log", title=f"{d} x {d} inverse", xlabel="samples N")
    ax.set(ylabel="relative Frobenius error, rms (%)")
    ax.set_ylim(bottom=0.25)
    ax.yaxis.set_major_formatter("{x:g}")
    ax.legend(ncols=2, loc="lower left")


def _draw_published(ax, n: int) -> None:
    low, high = (100 * e for e in machine.ERROR_PUBLISHED)
    middle = (low + high) / 2
    ax.errorbar(
        [n],
        [middle],
        [[middle - low], [high - middle]],
        fmt="D",
        color="black",
        markerfacecolor="none",
        capsize=4,
        zorder=5,
        label="published: 25-30 % (press)",
    )


def _draw_floors(ax, dataset: xr.Dataset) -> None:
    real = dataset.sel(board=slice(1, None))
    top = 0.0
    for d, marker in zip(dataset["size"].to_numpy(), "o^sv", strict=False):
        one = real.sel(size=d)
        x, y = 100 * one.floor, 100 * one.measured_floor
        ax.plot(x, y, marker, alpha=0.6, label=f"{d} x {d}")
        top = max(top, float(x.max()), float(y.max()))
        ideal = 100 * float(dataset.measured_floor.sel(size=d, board=0))
        ax.plot(0, ideal, marker, color="black", markerfacecolor="none")
    ax.plot([0, top], [0, top], color="0.3", linewidth=0.8)
    ax.plot([], [], "o", color="black", markerfacecolor="none", label="ideal board")
    ax.set(
        xlabel="floor by theory (Lyapunov) (%)", ylabel="floor by fit of the runs (%)"
    )
    ax.set_title("Floor of each board: $\\epsilon^2 = \\epsilon_0^2 + a/N$")
    ax.legend()


def _draw_plane(figure, ax, dataset: xr.Dataset) -> None:
    x, y = 100 * dataset.tolerance, dataset.rc
    error = 100 * dataset.plane_error.transpose("rc", "tolerance")
    mesh = ax.pcolormesh(
        x, y, error, shading="gouraud", vmin=0, vmax=60, cmap="cividis"
    )
    figure.colorbar(mesh, ax=ax, label="median error (%)", extend="max")
    band = [100 * e for e in machine.ERROR_PUBLISHED]
    ax.contourf(x, y, error, band, colors=["white"], alpha=0.35)
    ax.contour(x, y, error, band, colors="white", linewidths=1.4)
    fitted = 100 * dataset.plane_fitted_error.transpose("rc", "tolerance")
    ax.contour(x, y, fitted, band, colors="white", linestyles="--", linewidths=1)
    floor = dataset.plane_floor.median("plane_board")
    half = (floor / dataset.plane_error).transpose("rc", "tolerance")
    ax.contour(x, y, half, [0.5**0.5], colors="black", linewidths=1, linestyles=":")
    ax.plot(
        100 * dataset.assumed_tolerance, dataset.assumed_rc, "*", color="#d55e00", ms=9
    )
    for style_, colour, label in (
        ("-", "0.6", "published 25-30 % (press), T* known"),
        ("--", "0.6", "the same, T* fitted"),
        (":", "black", "half of $\\epsilon^2$ is floor"),
    ):
        ax.plot([], [], style_, color=colour, label=label)
    ax.plot([], [], "*", color="#d55e00", label="the curves shown")
    one = dataset.sel(rc=dataset.assumed_rc, method="nearest")
    low, high = (100 * float(one[f"tolerance_{e}"]) for e in _ENDS)
    text = (
        f"consistent with 25-30 %:\nat RC = {float(one.rc):g} us: tolerance "
        f"{low:.1f}-{high:.1f} %\nwithout tolerance: RC = "
        f"{float(dataset.rc_low):.1f}-{float(dataset.rc_high):.1f} us"
    )
    ax.text(0.02, 0.03, text, color="white", transform=ax.transAxes, fontsize=8)
    n = int(dataset.n_published)
    d = int(dataset["size"].max())
    ax.set(yscale="log", xlabel="component tolerance, rms (%)", ylabel="RC (us)")
    ax.set_title(f"{d} x {d}, {n:,} samples at 12 MHz, theory")
    ax.legend(loc="upper right", frameon=True, framealpha=0.85)


def claims(dataset: xr.Dataset) -> list[Claim]:
    """The published statements on inversion, judged."""
    three = dataset.sel(board=slice(1, machine.N_PUBLISHED_BOARDS))
    large, small = dataset["size"].max(), dataset["size"].min()
    scale = dataset.attrs.get("scale", "reduced")
    at = three.error.sel(size=large, n_samples=dataset.n_published)
    middle = 100 * float(np.mean(machine.ERROR_PUBLISHED))
    plane = dataset.sel(rc=dataset.assumed_rc, method="nearest")
    ends = [100 * float(plane[f"tolerance_{e}"]) for e in ("low", "high")]
    floor = three.measured_floor.sel(size=small)
    control = float(dataset.measured_floor.sel(size=small, board=0))
    falling = three.error.sel(size=small).median("board").to_numpy()
    return [
        _claim(
            f"{int(large)}x{int(large)} inverse is off by 25-30 % at "
            f"{dataset.n_published:,} samples, three boards (ASSUMED: tolerance of "
            f"{dataset.assumed_tolerance:.1%} and RC of {dataset.assumed_rc:g} us; by "
            f"theory {ends[0]:.1f}-{ends[1]:.1f} % fit at this RC, and with no "
            f"tolerance RC of {float(dataset.rc_low):.1f}-{float(dataset.rc_high):.1f} "
            "us)",
            "press on the SPU paper (SEED)",
            100 * at,
            scale,
            lambda low, high: within_reach(middle, low, high, tolerance=2.5),
            published=middle,
        ),
        _claim(
            f"{int(small)}x{int(small)} inverse: the error falls with samples, then "
            "saturates at a floor above zero (ours: fitted floor, three boards)",
            "review of the SPU preprint (second hand)",
            100 * floor,
            scale,
            lambda low, high: both(
                monotone(falling, rising=False), above(100 * control, low, high)
            ),
        ),
        _claim(
            f"three boards agree (ours: {int(large)}x{int(large)} errors relative to "
            "their mean; within 30 % of it counts as agreement)",
            "review of the SPU preprint (second hand)",
            100 * np.abs(at / at.mean() - 1),
            scale,
            lambda low, high: below(30.0, low, high),
        ),
    ]


def _claim(claim, source, values, scale, judge, published=None) -> Claim:
    low, ours, high = (float(f(values)) for f in (np.min, np.median, np.max))
    return Claim(
        claim=claim,
        source=source,
        published=published,
        ours=ours,
        low=low,
        high=high,
        unit="%",
        scale=scale,
        verdict=judge(low, high),
    )
