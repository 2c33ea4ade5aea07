"""What was measured of a device, what was fitted to it, and what that leads to."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from eapu_jax.fitting import MODELS, FittedDevice, Places, PulseTrains, Traces, Writes
from eapu_jax.fitting.bursts import bursts
from experiments.figures import style
from experiments.memristor.contest.entrants import NAMES
from experiments.own.wafer import wafer_map

SHOWN = 3
"""Devices whose trains are drawn."""
MANY = 64
"""Devices from which on their constants are drawn as a map, wherever they stand."""


def fit_figure(traces: Traces, fitted: FittedDevice) -> Figure:
    """What was measured of pulses or writes, and what was fitted to it."""
    if traces.pulses is not None:
        return trains_figure(traces.pulses, fitted, traces.places)
    assert traces.writes is not None, "`fit_device` has one of both"
    return writes_figure(traces.writes, fitted)


@style.styled
def writes_figure(writes: Writes, fitted: FittedDevice) -> Figure:
    """Errors of writes with a target: against the target, and how often."""
    figure = Figure(figsize=(8.4, 3.4))
    left, right = figure.subplots(1, 2, sharey=True)
    error = (writes.landed - writes.target).ravel()
    left.plot(writes.target.ravel(), error, ".", ms=2, alpha=0.5)
    sigma = fitted.population["write_noise"].mean
    for sign in (-1, 1):
        left.axhline(sign * sigma, color=style.COLOURS[1], lw=0.8)
    left.set(xlabel="target (µS)", ylabel="landed less target (µS)")
    left.set_title("every write; lines: fitted write noise")
    sound = error[np.isfinite(error)]
    right.hist(sound, bins=40, orientation="horizontal", density=True)
    grid = np.linspace(sound.min(), sound.max(), 200)
    law = np.exp(-((grid / sigma) ** 2) / 2) / (sigma * np.sqrt(2 * np.pi))
    right.plot(law, grid, color=style.COLOURS[1], label="fitted")
    right.set(xlabel="probability density (1/µS)", title="how often")
    right.legend()
    n, most = writes.target.shape
    note = f"{n} devices, up to {most} writes each"
    style.caption(figure, xr.Dataset(attrs={"scale": "all that the files hold"}), note)
    return figure


@style.styled
def trains_figure(
    pulses: PulseTrains, fitted: FittedDevice, places: Places | None = None
) -> Figure:
    """Trains and the fitted course, what is left, families, constants or a map."""
    figure = Figure(figsize=(8.4, 6.4))
    grid: Any = figure.subplots(2, 2)
    _trains(grid[0, 0], pulses, fitted)
    _left(grid[0, 1], pulses, fitted)
    _families(grid[1, 0], fitted)
    devices = int(np.sum(fitted.converged))
    if mapped(fitted, places):
        _map(grid[1, 1], fitted, places)
    else:
        _constants(grid[1, 1], fitted)
    n, cycles, _ = pulses.g.shape
    note = (
        f"devices: {n}, fitted: {devices}, cycles of each: up to {cycles}; line: the "
        "course of the fitted device without noise; residuals: a reading less what the "
        "pulses make of the one before it, in units of its expected spread"
    )
    style.caption(figure, xr.Dataset(attrs={"scale": "all that the files hold"}), note)
    return figure


def mapped(fitted: FittedDevice, places: Places | None) -> bool:
    """Whether constants are drawn as a map: places are told, or devices are many."""
    return places is not None or int(np.sum(fitted.converged)) >= MANY


def course(fitted: FittedDevice, row: int, start: float, up: np.ndarray) -> np.ndarray:
    """Where the pulses of a train bring a device without noise, µS.

    Args:
        fitted: what was fitted.
        row: of the device, among those that were fitted.
        start: conductance before the first pulse, µS.
        up: whether a pulse asks for more.
    """
    device = device_of(fitted, row)
    g, found = jnp.asarray(start), [start]
    for way in up:
        moved = device.after(g, jnp.ones(()), jnp.asarray(bool(way)))
        g = jnp.clip(moved, device.g_min, device.g_max)
        found.append(float(g))
    return np.array(found)


def device_of(fitted: FittedDevice, row: int) -> Any:
    """The device of a row of those that were fitted."""
    values = {name: float(v[row]) for name, v in fitted.values.items()}
    return MODELS[fitted.family].device(values)


def residuals(
    fitted: FittedDevice, row: int, g: np.ndarray, up: np.ndarray, pulses: Any = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Readings before a pulse (µS), and what is left after it, in expected spreads.

    Args:
        fitted: what was fitted.
        row: of the device, among those that were fitted.
        g: readings, one more than of `up`, µS.
        up: whether the pulses before a reading ask for more.
        pulses: how many they are.
    """
    device = device_of(fitted, row)
    one = jnp.broadcast_to(pulses, up.shape)
    before, after = g[..., :-1], g[..., 1:]
    meant = np.asarray(device.after(jnp.asarray(before), one, jnp.asarray(up)))
    meant = np.clip(meant, float(device.g_min), float(device.g_max))
    sd = device.noise(jnp.asarray(before), one, jnp.asarray(up))
    spread = np.sqrt(pulses * np.asarray(sd) ** 2 + 2 * float(device.read_noise) ** 2)
    return before, (after - meant) / spread


def _trains(axes: Axes, pulses: PulseTrains, fitted: FittedDevice) -> None:
    rows = np.flatnonzero(fitted.converged)[:SHOWN]
    for colour, row in zip(style.COLOURS, rows, strict=False):
        g, up = pulses.g[fitted.fit.devices[row]], pulses.up[fitted.fit.devices[row]]
        cycle = int(np.argmax(np.isfinite(g).sum(-1)))
        g, up = g[cycle], up[cycle]
        first, last = np.flatnonzero(np.isfinite(g))[[0, -1]]
        axes.plot(g, ".", color=colour, ms=2)
        line = course(fitted, int(row), float(g[first]), up[first:last])
        at = np.arange(first, last + 1)
        axes.plot(at, line, color=colour, label=f"device {row + 1}")
    axes.set(xlabel="pulses", ylabel="conductance (µS)")
    axes.set_title("measured (dots) and fitted (lines)")
    axes.legend()


def _left(axes: Axes, pulses: PulseTrains, fitted: FittedDevice) -> None:
    read = bursts(pulses.g, pulses.up)
    for way, colour, label in ((True, 0, "up"), (False, 1, "down")):
        xs, ys = [], []
        for row in np.flatnonzero(fitted.converged)[:MANY]:
            where = fitted.fit.devices[row]
            before, left = residuals(
                fitted, int(row), read.g[where], read.up[where], read.pulses
            )
            mine = read.up[where] == way
            xs.append(before[mine])
            ys.append(left[mine])
        x, y = np.concatenate(xs), np.concatenate(ys)
        some = np.linspace(0, len(x) - 1, min(len(x), 4000)).astype(int)
        axes.plot(
            x[some], y[some], ".", ms=1, alpha=0.4, color=style.COLOURS[colour],
            label=label,
        )  # fmt: skip
    axes.axhline(0, color="black", lw=0.8)
    axes.set(xlabel="conductance before the pulse (µS)", ylim=(-6, 6))
    axes.set(ylabel="residual (expected spreads)", title="what is left")
    axes.legend(markerscale=6)


def _families(axes: Axes, fitted: FittedDevice) -> None:
    rows = fitted.compare()
    at = np.arange(len(rows))
    behind = np.array([float(row["behind"]) for row in rows])
    error = np.array([2 * float(row["error"]) for row in rows])
    good = [bool(row["adequate"]) for row in rows]
    for n, well in enumerate(good):
        look: Any = {"color": style.COLOURS[0 if well else 1]}
        axes.errorbar(behind[n], n, xerr=error[n], fmt="o" if well else "x", **look)
    axes.set_yticks(at, [str(row["family"]) for row in rows])
    axes.invert_yaxis()
    axes.set(xlabel="behind the best (log-likelihood per held-out reading)")
    axes.set_title("families: chosen on top; cross: a bad fit")


def _constants(axes: Axes, fitted: FittedDevice) -> None:
    """Steps of every device with 95 % intervals, and the nominal ones."""
    rows = np.flatnonzero(fitted.converged)
    low, high = fitted.intervals()["pulse"]
    value = fitted.values["pulse"]
    ends = np.stack([value - low, high - value])[:, rows]
    axes.errorbar(rows + 1, value[rows], ends, fmt="o", label="upwards")
    down = value * fitted.values["down_ratio"]
    axes.plot(rows + 1, down[rows], "s", mfc="none", label="downwards")
    up, ratio = (fitted.population[name].mean for name in ("pulse", "down_ratio"))
    axes.axhline(up, color=style.COLOURS[0], lw=0.8)
    axes.axhline(up * ratio, color=style.COLOURS[1], lw=0.8)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="device", ylabel="step of a pulse (µS)")
    axes.set_title("steps with 95 % intervals; lines: nominal")
    axes.legend()


def _map(axes: Axes, fitted: FittedDevice, places: Places | None) -> None:
    values, of = fitted.values["pulse"], fitted.fit.devices
    mine = places and Places(x=places.x[of], y=places.y[of], unit=places.unit)
    wafer_map(axes, values, "step of a pulse upwards (µS)", mine)


@style.styled
def forecast_figure(dataset: xr.Dataset, advised: str) -> Figure:
    """Accuracy, energy and wear of every rule on chips drawn from a fitted device."""
    one = dataset.isel(network=0, device=0)
    one = one.sel(rule=one.accuracy.notnull().any("chip"))
    figure = Figure(figsize=(8.4, 0.4 * one.sizes["rule"] + 1.9))
    left, right, wear = figure.subplots(1, 3, sharey=True)
    rules = [str(rule) for rule in one.rule.values]
    at = np.arange(len(rules))
    middle, error = style.middle_half(100 * one.accuracy, "rule")
    for n, rule in enumerate(rules):
        colour = style.COLOURS[1 if rule == advised else 0]
        left.errorbar(middle[n], n, xerr=error[:, n : n + 1], fmt="o", color=colour)
        low, value, high = (
            float(one[name].median("chip")[n])
            for name in ("joules_low", "joules", "joules_high")
        )
        right.errorbar(
            value, n, xerr=[[value - low], [high - value]], fmt="o", color=colour
        )
    for name, mark, label in (
        ("lifetime", "o", "mean cell"),
        ("lifetime_worst", "|", "most written cell"),
    ):
        worn = one[name].notnull().any("chip").values  # exact arithmetic wears nothing
        middle, error = style.middle_half(one[name].sel(rule=worn), "rule")
        look: Any = {"fmt": mark, "color": style.COLOURS[2], "ms": 6, "mfc": "none"}
        wear.errorbar(middle, at[worn], xerr=error, label=label, **look)
    wear.set(xlabel="steps between two writes", xscale="log", title="wear")
    wear.legend()
    left.set_yticks(at, [NAMES[rule] for rule in rules])
    left.invert_yaxis()
    left.set(xlabel="test accuracy (%)", title="vermilion: advised")
    right.set(xlabel="energy of the training (J)", xscale="log")
    right.set_title("bars: unknown constants")
    note = (
        f"digits, a small network; every rule tuned by {dataset.attrs['trials']} "
        f"trials on {dataset.attrs['tuners']} other chips drawn from the fitted device"
    )
    style.caption(figure, one.drop_vars("accuracy").assign_attrs(dataset.attrs), note)
    return figure


def families_in_words(rows: Sequence[dict[str, Any]]) -> list[list[str]]:
    """The comparison as cells of a table."""
    return [
        [
            str(row["family"]),
            str(row["constants"]),
            f"{row['behind']:.3g} ± {row['error']:.2g}",
            "yes" if row["adequate"] else "no",
            f"{100 * float(row['converged']):.0f} %",
        ]
        for row in rows
    ]
