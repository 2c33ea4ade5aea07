"""The figure of a fitted board: spectrum, correlations, components, errors to come."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

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
    figure = Figure(figsize=(7.0, 9.2))
    axes = figure.subplots(2, 2)
    _spectra(axes[0, 0], fit)
    _correlations(axes[0, 1], fit)
    _components(axes[1, 0], fit)
    _errors(axes[1, 1], fit)
    n, d = fit.record.v.shape
    style.told(
        figure,
        f"{title}: {n:,} samples of {d} nodes, one every {fit.record.dt:.6g} µs; "
        f"fitted by {fit.how}. {_seen(fit)} Where dots leave the lines the circuit is "
        "another one. Scale: all that the file holds",
    )
    return figure


def _seen(fit: BoardFit) -> str:
    """Which component is furthest from where it started, and what error is left."""
    logs = np.where(np.isnan(fit.found.values), 0.0, fit.found.log_factors)
    here = 100 * fit.statistical(len(fit.record.v))
    seen = (
        f"Furthest off: {furthest(fit.found.names, logs)}. "
        f"A record as long as this leaves {here:.2g} % of error by chance alone"
    )
    if fit.calibration is None:
        return f"{seen}."
    made = fit.calibration
    return (
        f"{seen}; its floor, {100 * made.floor_before:.2g} %, falls to "
        f"{100 * made.floor:.2g} % if the board is set anew."
    )


def worded(name: str) -> str:
    """A component as a reader names it.

    Example:
        >>> worded("coupling_conductance[0, 1]")
        'coupling conductance 0, 1'
    """
    return name.replace("_", " ").replace("[", " ").removesuffix("]")


def furthest(names: Sequence[str], log_factors: np.ndarray) -> str:
    """The component furthest from where the search began, and how far.

    Example:
        >>> furthest(["resistance[0]", "resistance[1]"], np.log([1.2, 0.5]))
        'resistance 1, by -50.0 %'
    """
    far = int(np.abs(log_factors).argmax())
    return f"{worded(names[far])}, by {100 * np.expm1(log_factors[far]):+.1f} %"


def _nodes(fit: BoardFit) -> list[tuple[int, str]]:
    return [*enumerate(fit.record.names[:MOST_SHOWN])]


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
    for i, name in _nodes(fit):
        own = np.real(seen[1:-1, i, i]) * unit
        dots = style.look(i, linestyle="none", ms=2, alpha=0.4, mew=0)
        ax.plot(kilohertz, own, **dots)
        expected = np.real(np.asarray(law)[1:-1, i, i]) * unit
        every = max(1, len(expected) // 8)
        look = style.look(i, label=name, markevery=every, markeredgecolor="black")
        ax.plot(kilohertz, expected, **look)
    ax.set(
        xscale="log",
        yscale="log",
        title="spectrum of the voltages:\ndots measured, lines fitted",
    )
    ax.set(xlabel="frequency (kHz)", ylabel="density (V²/Hz)")
    style.key(ax, ncols=2)


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
    pairs = [(i, i) for i, _ in _nodes(fit)[:2]] + [(0, 1)] * (v.shape[1] > 1)
    for k, (i, j) in enumerate(pairs):
        seen = [np.mean(v[lag:, i] * v[: len(v) - lag, j]) for lag in lags]
        unit = scale[i] * scale[j]
        label = f"{fit.record.names[i]} with {fit.record.names[j]}"
        dots = style.look(k, linestyle="none", mfc="none")
        ax.plot(lags * dt, np.array(seen) / unit, **dots)
        ax.plot(fine, law[:, i, j] / unit, **style.look(k, marker=None))
        ax.plot([], [], **style.look(k, mfc="none", label=label))
    ax.set(xlabel="lag (µs)", ylabel="correlation")
    ax.set_title("correlations:\nmarks measured, lines fitted")
    style.key(ax)


def _components(ax, fit: BoardFit) -> None:
    found = fit.found
    y = np.arange(len(found.names))
    clear = ~np.isnan(found.values)
    off = 100 * found.log_factors[clear]
    error = 100 * 1.96 * found.standard_errors[clear]
    ax.errorbar(off, y[clear], xerr=error, fmt="o", capsize=2)
    size = style.SMALL
    ax.set_yticks(y, [*map(worded, found.names)], fontsize=size)
    ax.invert_yaxis()
    for k in y[~clear]:
        ax.text(0, k, "not identified", fontsize=size, va="center", color="0.5")
    ax.axvline(0, color="0.3", linewidth=0.8)
    beside = "nominal" if fit.on_paper else "the start, by moments"
    ax.set_xlabel(f"found, 95 % interval,\noff from {beside} (log, %)")
    ax.set_title("components")


def _errors(ax, fit: BoardFit) -> None:
    n = np.unique(np.geomspace(30, 1e6, 14).astype(int))
    alone = 100 * np.array([fit.statistical(int(k)) for k in n])
    if fit.calibration is None:
        ax.plot(n, alone, "o-", markevery=3, label="statistics alone")
    else:
        made = fit.calibration
        anew = 100 * np.array([made.statistical(fit.record.dt, int(k)) for k in n])
        for i, (floor, own, label) in enumerate(
            ((made.floor, anew, "set anew"), (made.floor_before, alone, "as it is set"))
        ):
            look = style.look(i, label=label, markevery=3)
            ax.plot(n, np.hypot(100 * floor, own), **look)
            words, dots = f"its floor, {floor:.1%}", (":", (0, (1, 3)))[i]
            ax.axhline(100 * floor, color=look["color"], linestyle=dots, label=words)
    ax.axvline(len(fit.record.v), color="0.5", linewidth=0.8, label="this record")
    style.decades(ax, "xy")
    ax.xaxis.set_major_locator(LogLocator(numticks=4))
    ax.set_ylim(1, 100)
    ax.set_xlabel(f"samples N, one every {fit.record.dt:.4g} µs")
    ax.set_ylabel("relative error of the inverse, rms (%)")
    ax.set_title("error to expect, by theory")
    style.key(ax)
