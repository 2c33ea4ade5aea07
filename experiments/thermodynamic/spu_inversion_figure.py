"""The figure of `spu_inversion`."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from experiments import style
from experiments.thermodynamic import machine


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
    low, high = (100 * float(one[f"tolerance_{e}"]) for e in ("low", "high"))
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
