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
    for i, floor in enumerate(100 * one.floor[1:][: len(PUBLISHED_BOARDS)]):
        rim = {"color": style.COLOURS[i], "marker": style.MARKS[i], "clip_on": False}
        ax.plot(1.0, float(floor), transform=ax.get_yaxis_transform(), ms=7, **rim)
    free, look = 100 * np.sqrt((d + 1) / n), {"color": "0.5", "linewidth": 0.8}
    ax.plot(n, free, "--", **look, label="independent samples")
    ax.plot([], [], "o", color="0.3", ms=7, label="floor, theory (at right)")
    if d == machine.N_CELLS:
        low, high = (100 * e for e in machine.ERROR_PUBLISHED)
        look = {"fmt": "D", "color": "black", "mfc": "none", "capsize": 4, "zorder": 5}
        error, label = (high - low) / 2, "published: 25-30 %\n(press)"
        ax.errorbar(one.n_published, low + error, error, label=label, **look)
    style.key(ax, ncols=2, columnspacing=0.8, handlelength=1.5, handletextpad=0.4)


def _draw_floors(ax, dataset: xr.Dataset) -> None:
    real = 100 * dataset[["floor", "measured_floor"]].sel(board=slice(1, None))
    for i, d in enumerate(dataset["size"].to_numpy()):
        marker = style.MARKS[i]
        one = real.sel(size=d)
        hollow = {"color": style.COLOURS[i], "mfc": "none", "label": f"{d} x {d}"}
        ax.plot(one.floor, one.measured_floor, marker, **hollow)
        ideal = 100 * float(dataset.measured_floor.sel(size=d, board=0))
        ax.plot(0, ideal, marker, color="black", clip_on=False)
    ends = [0, real.to_dataarray().max()]
    ax.plot(ends, ends, color="0.3", linewidth=0.8)
    ax.plot([], [], "o", color="black", label="black: ideal board")
    ax.set_xlabel("floor by theory (Lyapunov) (%)")
    ax.set_ylabel("floor by fit of the runs (%)")
    ax.set_title("floor of each board: error for\ninfinitely many samples")
    style.key(ax, ncols=3, columnspacing=1, handletextpad=0.2)


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
        ("-", "0.6", "published: 25-30 % (press),\ntemperature known"),
        ("--", "0.6", "the same, temperature fitted"),
        (":", "black", "half of the error squared is floor"),
    ):
        ax.plot([], [], style_, color=colour, label=label)
    ax.plot([], [], **star, label="the boards of the curves")
    n, d = int(dataset.n_published), int(dataset["size"].max())
    ax.set(yscale="log", xlabel="component tolerance, rms (%)", ylabel="RC (µs)")
    ax.set_title(f"{d} x {d}, {n:,} samples\nat 12 MHz, theory")
    style.key(ax)


def note(dataset: xr.Dataset) -> str:
    """What error boards have, why, and which boards the published error fits."""
    one = dataset.isel(size=-1)
    d, last = int(one["size"]), one.isel(n_samples=-1)
    boards = 100 * last.error.sel(board=slice(1, None)).median("board")
    ideal = 100 * last.error.sel(board=0)
    fit = dataset.sel(rc=dataset.assumed_rc, method="nearest")
    low, high = (100 * float(fit[f"tolerance_{e}"]) for e in ("low", "high"))
    return (
        f"after {int(last.n_samples):,} samples the median board inverts {d} x {d} to "
        f"{float(boards):.0f} %, the ideal one to {float(ideal):.0f} %: tolerances set "
        "a floor that no sampling passes, and theory knows it beforehand. The "
        f"published error fits a tolerance of {low:.1f} to {high:.1f} % at RC = "
        f"{float(fit.rc):g} µs, or none at RC = {float(dataset.rc_low):.1f} to "
        f"{float(dataset.rc_high):.1f} µs: one number cannot tell tolerances from slow "
        "cells. Floors: error squared falls as floor squared + a / N"
    )


_CURVES = [partial(_draw_curves, end=end) for end in (0, -1)]
plot = style.panels((7.0, 8.8), [_CURVES, [_draw_floors, _draw_plane]], note)
