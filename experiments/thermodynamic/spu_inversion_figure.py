"""The figure of `spu_inversion`: error curves, floors, what fits the published."""

from functools import partial

import numpy as np
import xarray as xr

from experiments.figures import style
from experiments.thermodynamic import machine
from experiments.thermodynamic.boards_figure import PUBLISHED_BOARDS, draw_errors


def _draw_curves(ax, dataset: xr.Dataset, end: int) -> None:
    one = dataset.isel(size=end)
    d, n = int(one["size"]), one.n_samples
    draw_errors(ax, one, f"{d} x {d} inverse")
    for floor, colour in zip(100 * one.floor[1:], PUBLISHED_BOARDS, strict=False):
        ax.axhline(floor, color=colour, linestyle=":", linewidth=1)
    free, look = 100 * np.sqrt((d + 1) / n), {"color": "0.5", "linewidth": 0.8}
    ax.plot(n, free, "--", **look, label="independent samples")
    ax.plot([], [], ":", color="0.3", label="floor of a board, theory")
    if d == machine.N_CELLS:
        low, high = (100 * e for e in machine.ERROR_PUBLISHED)
        look = {"fmt": "D", "color": "black", "mfc": "none", "capsize": 4, "zorder": 5}
        error, label = (high - low) / 2, "published: 25-30 % (press)"
        ax.errorbar(one.n_published, low + error, error, label=label, **look)
    ax.set_ylim(bottom=0.25)
    ax.legend(ncols=2, loc="lower left")


def _draw_floors(ax, dataset: xr.Dataset) -> None:
    real = 100 * dataset[["floor", "measured_floor"]].sel(board=slice(1, None))
    for d, marker in zip(dataset["size"].to_numpy(), "o^sv", strict=False):
        one = real.sel(size=d)
        ax.plot(one.floor, one.measured_floor, marker, alpha=0.6, label=f"{d} x {d}")
        ideal = 100 * float(dataset.measured_floor.sel(size=d, board=0))
        ax.plot(0, ideal, marker, color="black", markerfacecolor="none")
    ends = [0, real.to_dataarray().max()]
    ax.plot(ends, ends, color="0.3", linewidth=0.8)
    ax.plot([], [], "o", color="black", markerfacecolor="none", label="ideal board")
    ax.set_xlabel("floor by theory (Lyapunov) (%)")
    ax.set_ylabel("floor by fit of the runs (%)")
    ax.set_title("Floor of each board: $\\epsilon^2 = \\epsilon_0^2 + a/N$")
    ax.legend()


def _draw_plane(ax, dataset: xr.Dataset) -> None:
    x, y = 100 * dataset.tolerance, dataset.rc
    error = 100 * dataset.plane_error.transpose("rc", "tolerance")
    look = {"shading": "gouraud", "vmin": 0, "vmax": 60, "cmap": "cividis"}
    mesh = ax.pcolormesh(x, y, error, **look)
    style.colorbar(ax, mesh, "median error (%)", extend="max")
    band = [100 * e for e in machine.ERROR_PUBLISHED]
    ax.contourf(x, y, error, band, colors=["white"], alpha=0.35)
    ax.contour(x, y, error, band, colors="white", linewidths=1.4)
    fitted = 100 * dataset.plane_fitted_error.transpose("rc", "tolerance")
    ax.contour(x, y, fitted, band, colors="white", linestyles="--", linewidths=1)
    floor = dataset.plane_floor.median("plane_board")
    half = (floor / dataset.plane_error).transpose("rc", "tolerance")
    ax.contour(x, y, half, [0.5**0.5], colors="black", linewidths=1, linestyles=":")
    star = {"marker": "*", "color": style.COLOURS[1], "ls": "none"}
    ax.plot(100 * dataset.assumed_tolerance, dataset.assumed_rc, **star, ms=9)
    for style_, colour, label in (
        ("-", "0.6", "published 25-30 % (press), temperature known"),
        ("--", "0.6", "the same, temperature fitted"),
        (":", "black", "half of $\\epsilon^2$ is floor"),
    ):
        ax.plot([], [], style_, color=colour, label=label)
    ax.plot([], [], **star, label="the curves shown")
    one = dataset.sel(rc=dataset.assumed_rc, method="nearest")
    low, high = (100 * float(one[f"tolerance_{e}"]) for e in ("low", "high"))
    text = (
        f"consistent with 25-30 %:\nat RC = {float(one.rc):g} µs: tolerance "
        f"{low:.1f}-{high:.1f} %\nwithout tolerance: RC = "
        f"{float(dataset.rc_low):.1f}-{float(dataset.rc_high):.1f} µs"
    )
    ax.text(0.02, 0.03, text, color="white", transform=ax.transAxes, fontsize=8)
    n, d = int(dataset.n_published), int(dataset["size"].max())
    ax.set(yscale="log", xlabel="component tolerance, rms (%)", ylabel="RC (µs)")
    ax.set_title(f"{d} x {d}, {n:,} samples at 12 MHz, theory")
    ax.legend(loc="upper right", frameon=True, framealpha=0.85)


_CURVES = [partial(_draw_curves, end=end) for end in (0, -1)]
plot = style.panels((9.5, 7.6), [_CURVES, [_draw_floors, _draw_plane]])
