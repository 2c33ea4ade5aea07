"""The figure of `tla`: error against time, and against the condition number."""

from functools import partial

import numpy as np
import xarray as xr

from experiments.figures import style

TITLES = {
    "solve": "A x = b",
    "inverse": "inverse",
    "lyapunov": "Lyapunov equation",
    "logdet": "ln det",
    "expm": "exp(-A)",
}


def _draw_fall(ax, dataset: xr.Dataset, name: str) -> None:
    at = dataset.sel(primitive=name)
    for i, size in enumerate(dataset["size"].to_numpy()):
        one, colour = at.sel(size=size), style.COLOURS[i % len(style.COLOURS)]
        slope, factor = float(one.slope), float(one.prefactor)
        label = f"d = {size}: slope {slope:.2f}, {factor:.2f} of theory"
        ax.plot(at.time, one.error, **style.DOTS, color=colour, label=label)
        ax.plot(at.time, one.theory, color=colour)
    ax.set(xscale="log", yscale="log", title=TITLES[name])
    ax.set(xlabel="time (slowest relaxations)")
    how = "error (absolute, rms)" if name == "logdet" else "error (relative, rms)"
    ax.set(ylabel=how)
    ax.legend(fontsize="x-small")


def _draw_conditions(ax, dataset: xr.Dataset) -> None:
    # of boards whose fastest mode is given: time counts in its relaxations
    pace = np.sqrt(dataset.condition_error.coords["condition"])
    for i, name in enumerate(TITLES):
        at, colour = dataset.sel(primitive=name), style.COLOURS[i]
        look = {"color": colour, "label": TITLES[name]}
        ax.plot(at["condition"], at.condition_error * pace, **style.DOTS, **look)
        ax.plot(at["condition"], at.condition_theory * pace, color=colour)
    ax.set(xscale="log", yscale="log", xlabel="condition number")
    ax.set(ylabel="error times root of time\n(fastest relaxations)")
    ax.set(title=f"price of the condition number, d = {dataset.middle}")
    ax.legend(fontsize="x-small", ncols=2)


_SOLVE, _INVERSE, _LYAPUNOV, _LOGDET, _EXPM = (
    partial(_draw_fall, name=name) for name in TITLES
)
plot = style.panels(
    (14.0, 8.0),
    [[_SOLVE, _INVERSE, _LYAPUNOV], [_LOGDET, _EXPM, _draw_conditions]],
    note=(
        "dots: simulated, lines: theory for long times. The error falls as one over "
        "the root of time; what a larger or worse conditioned matrix costs is as "
        "derived"
    ),
)
