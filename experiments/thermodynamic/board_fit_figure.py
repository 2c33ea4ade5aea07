"""The figure of a fitted board: spectrum, correlations, components, errors to come."""

import numpy as np
from matplotlib.figure import Figure

from experiments.figures import style
from experiments.thermodynamic.board_fit import BoardFit
from thermo import exact
from thermo.identify.spectra import Spectra, periodogram

MOST_SHOWN = 4
"""Nodes that are drawn."""
LAGS = 60


@style.styled
def draw(fit: BoardFit, title: str) -> Figure:
    """What was measured as dots, the fitted board as lines.

    Args:
        fit: of a record.
        title: for the caption.
    """
    figure = Figure(figsize=(9.5, 7.6))
    axes = figure.subplots(2, 2)
    _spectra(axes[0, 0], fit)
    _correlations(axes[0, 1], fit)
    _components(axes[1, 0], fit)
    _errors(axes[1, 1], fit)
    n, d = fit.record.v.shape
    caption = (
        f"{title}: {n:,} samples of {d} nodes, one every {fit.record.dt:.6g} µs; "
        f"fitted by {fit.how}. Where dots leave the lines the circuit is another one"
    )
    figure.supxlabel(caption, fontsize=6.5, color="0.35", x=0.01, ha="left")
    return figure


def _nodes(fit: BoardFit) -> list[tuple[int, str, str]]:
    names = fit.record.names[:MOST_SHOWN]
    return [(i, name, style.COLOURS[i]) for i, name in enumerate(names)]


def _spectra(ax, fit: BoardFit) -> None:
    n, d = fit.record.v.shape
    length = 1 << int(np.log2(max(n // 16, 16)))
    seen, _ = periodogram(fit.record.v[None], length)
    law = Spectra(
        periodogram=seen,  # type: ignore[arg-type]
        count=1.0,  # type: ignore[arg-type]
        dt=fit.record.dt,  # type: ignore[arg-type]
        readout_noise=_instrument(fit),  # type: ignore[arg-type]
        nodes=tuple(range(d)),
        length=length,
    ).law(fit.found.board)
    # V^2 of a two-sided periodogram to V^2 / Hz of a one-sided density
    unit = 2 * fit.record.dt * 1e-6
    kilohertz = np.arange(1, length // 2) / (length * fit.record.dt) * 1e3
    for i, name, colour in _nodes(fit):
        own = np.real(seen[1:-1, i, i]) * unit
        ax.plot(kilohertz, own, ".", color=colour, alpha=0.5, label=f"{name}, measured")
        expected = np.real(np.asarray(law)[1:-1, i, i]) * unit
        ax.plot(kilohertz, expected, color=colour, label="fitted")
    ax.set(xscale="log", yscale="log", title="Spectrum of the voltages")
    ax.set(xlabel="frequency (kHz)", ylabel="density (V²/Hz)")
    ax.legend(ncols=2)


def _instrument(fit: BoardFit) -> float:
    values = dict(zip(fit.found.names, fit.found.values, strict=True))
    return float(values.get("readout_noise", 0.0))


def _correlations(ax, fit: BoardFit) -> None:
    v, dt = fit.record.v, fit.record.dt
    form = fit.found.board.linear()
    most = min(LAGS, len(v) // 4)
    wanted = int(np.ceil(4 * fit.relaxation_times[0] / dt))
    lags = np.unique(np.linspace(0, max(most // 4, min(most, wanted)), 40).astype(int))
    fine = np.linspace(0, lags[-1] * dt, 200)
    law = np.asarray(exact.autocorrelation(form.drift, form.diffusion, fine))
    readout = np.asarray(form.readout)
    law = readout @ law @ readout.T
    scale = np.sqrt(np.diagonal(v.T @ v / len(v)))
    pairs = [(i, i) for i, *_ in _nodes(fit)[:2]] + [(0, 1)] * (v.shape[1] > 1)
    for (i, j), colour in zip(pairs, style.COLOURS, strict=False):
        seen = [np.mean(v[k:, i] * v[: len(v) - k, j]) for k in lags]
        unit = scale[i] * scale[j]
        label = f"{fit.record.names[i]} with {fit.record.names[j]}"
        ax.plot(lags * dt, np.array(seen) / unit, ".", color=colour, label=label)
        ax.plot(fine, law[:, i, j] / unit, color=colour)
    ax.set(xlabel="lag (µs)", ylabel="correlation", title="Dots measured, lines fitted")
    ax.legend()


def _components(ax, fit: BoardFit) -> None:
    found = fit.found
    y = np.arange(len(found.names))
    clear = ~np.isnan(found.values)
    off = 100 * found.log_factors[clear]
    error = 100 * 1.96 * found.standard_errors[clear]
    ax.errorbar(off, y[clear], xerr=error, fmt="o", capsize=2)
    size = 7 if len(y) < 30 else 4
    ax.set_yticks(y, found.names, fontsize=size)
    ax.invert_yaxis()
    for k in y[~clear]:
        ax.text(0, k, "not identified", fontsize=size, va="center", color="0.5")
    ax.axvline(0, color="0.3", linewidth=0.8)
    beside = "nominal" if fit.on_paper else "the start, by moments"
    ax.set_xlabel(f"found, 95 % interval, off from {beside} (log, %)")
    ax.set_title("Components")


def _errors(ax, fit: BoardFit) -> None:
    n = np.unique(np.geomspace(30, 1e6, 14).astype(int))
    alone = 100 * np.array([fit.statistical(int(k)) for k in n])
    if fit.calibration is None:
        ax.plot(n, alone, label="statistics alone")
    else:
        made = fit.calibration
        anew = 100 * np.array([made.statistical(fit.record.dt, int(k)) for k in n])
        for floor, own, colour, label in (
            (made.floor_before, alone, style.COLOURS[1], "as it is set"),
            (made.floor, anew, style.COLOURS[0], "set anew"),
        ):
            ax.plot(n, np.hypot(100 * floor, own), color=colour, label=label)
            words = f"its floor, {floor:.1%}"
            ax.axhline(100 * floor, color=colour, linestyle=":", label=words)
    ax.axvline(len(fit.record.v), color="0.5", linewidth=0.8, label="this record")
    style.decades(ax, "xy")
    ax.set_ylim(1, 100)
    ax.set_xlabel(f"samples N, one every {fit.record.dt:.4g} µs")
    ax.set_ylabel("relative error of the inverse, rms (%)")
    ax.set_title("Error to expect, by theory")
    ax.legend()
