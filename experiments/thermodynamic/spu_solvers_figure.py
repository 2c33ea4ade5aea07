"""The figure of `spu_solvers`: bias against steps; steps for a bias of 1 %."""

from functools import partial

import numpy as np
import xarray as xr

from experiments.figures import style
from experiments.figures.words import several
from experiments.thermodynamic.solver_bias import BIAS
from experiments.thermodynamic.solvers import EXACT, SOLVERS

REFERENCE = {
    3.0: dict(zip(SOLVERS, (157, 1.1, 157, 1.4, 1.4, 1.2, 0.7, 0.8), strict=True)),
    30.0: dict(zip(SOLVERS, (1516, 3.7, 1516, 3.9, 3.9, 1.2, 1.6, 1.5), strict=True)),
}
"""Steps per sample for 1 % of bias, measured earlier by other code on another board."""


def _look(i: int) -> dict:
    """Colours repeat after six; lines change. Wide ones lie under others."""
    colours = ("black", *style.COLOURS)
    wide = {"linewidth": 4, "alpha": 0.4} if i in (1, 4) else {}
    line = style.LINES[i % len(style.LINES)]
    mark = {"marker": "os^Dv*Px+"[i % 9], "markevery": (i, 9), "markersize": 3.5}
    return {"color": colours[i % 7], "linestyle": line} | mark | wide


_CIRCLE = {"marker": "o", "linestyle": "none", "markerfacecolor": "none", "ms": 8}


def _draw_bias(ax, dataset: xr.Dataset, end: int) -> None:
    quality = float(dataset.quality[end])
    for i, name in enumerate(dataset.solver.to_numpy()):
        bias = 100 * dataset.bias.sel(solver=name, quality=quality)
        label = f"{name} (single precision)" if name == EXACT else name
        ax.plot(dataset.steps, bias.where(bias < 1e4), **_look(i), label=label)
        if quality == dataset.check_quality and name != EXACT:
            x, y = dataset.check_steps, 100 * dataset.simulated_bias.sel(solver=name)
            ax.plot(x, y, **_CIRCLE, color=_look(i)["color"])
    ax.plot([], [], **_CIRCLE, color="0.3", label="circles: simulated (diffrax)")
    if quality == dataset.check_quality:
        noise = 100 * float(dataset.noise.mean())
        ax.plot(dataset.check_steps, noise, "_", color="0.3", ms=14, mew=2)
    ax.plot([], [], "_", color="0.3", ms=14, mew=2, label="noise of the simulation")
    label = f"{100 * BIAS:g} %: what is asked for below"
    ax.axhline(100 * BIAS, color="0.5", linestyle=":", linewidth=1, label=label)
    style.decades(ax, "xy")
    ax.set(ylim=(1e-6, 1e3), title=f"Q = {quality:g}")
    ax.set(xlabel="steps per sample", ylabel="bias of the covariance (%)")
    if not end:
        handles, labels = ax.get_legend_handles_labels()
        ax.figure.legend(handles, labels, loc="outside upper center", ncols=3)


def _draw_needed(ax, dataset: xr.Dataset) -> None:
    names = list(dataset.solver.to_numpy())
    place = np.arange(len(names))
    for i, quality in enumerate(dataset.quality.to_numpy()):
        needed = dataset.needed.sel(quality=quality)
        shift = 0.2 if i else -0.2
        look = {"color": style.COLOURS[(0, 4)[i % 2]], "hatch": ("", "///")[i % 2]}
        ax.bar(place + shift, needed, 0.38, label=f"Q = {quality:g}", **look)
        if quality in REFERENCE:
            known = [REFERENCE[quality][name] for name in names[1:]]
            label = None if i else "other code, other board"
            look = {"color": "black", "markerfacecolor": "none", "label": label}
            ax.plot(place[1:] + shift, known, "s", **look)
    ax.set_xticks(place, names, rotation=30, ha="right")
    style.decades(ax)
    ax.set(
        ylabel="steps per sample for 1 % bias", title="steps that keep the bias below"
    )
    style.key(ax, drop=62, ncols=3)


_LOW, _HIGH = (partial(_draw_bias, end=end) for end in (0, -1))


def note(dataset: xr.Dataset) -> str:
    """Which solver needs fewest steps, and what the simplest costs."""
    told = []
    for quality in dataset.quality.to_numpy():
        needed = dataset.needed.sel(quality=quality)
        needed = needed.where(needed.solver != EXACT, drop=True)
        far = several(needed.solver.to_numpy()[~np.isfinite(needed.values)], none="")
        needed = needed.where(np.isfinite(needed), drop=True)
        if not needed.size:
            told.append(f"at Q = {quality:g} no solver has steps enough")
            continue
        best, worst = needed.values.argmin(), needed.values.argmax()
        names, steps = needed.solver.to_numpy(), needed.to_numpy()
        many = f" and {names[worst]} {steps[worst] / steps[best]:,.0f} times as many"
        told.append(
            f"at Q = {quality:g} {names[best]} needs fewest steps ({steps[best]:.2g})"
            + many * (len(steps) > 1)
            + f" (no number of steps shown is enough for {far})" * bool(far)
        )
    return (
        f"for a bias of {100 * BIAS:g} % {'; '.join(told)}. The exact map has no bias "
        "but that of rounding (single precision). Lines: linear theory of each scheme. "
        "Squares: counted earlier by other code on another board, not published"
    )


plot = style.panels((7.0, 8.6), [[_LOW, _HIGH], [_draw_needed, _draw_needed]], note)
