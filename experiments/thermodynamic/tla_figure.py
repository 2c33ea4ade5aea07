"""The figure of `tla`: error against time, and against the condition number."""

from functools import partial

import numpy as np
import xarray as xr

from experiments.figures import style
from experiments.figures.words import several

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
        one = at.sel(size=size)
        slope, factor = float(one.slope), float(one.prefactor)
        label = f"d = {size}: slope {slope:.2f}, {factor:.2f} of theory"
        fill = {"markerfacecolor": "none"} if i % 2 else {}
        ax.plot(at.time, one.error, **style.look(i, linestyle="none", **fill))
        ax.plot(at.time, one.theory, **style.look(i, marker=None))
        ax.plot([], [], **style.look(i, label=label, **fill))
    style.decades(ax, "xy")
    ax.set(title=TITLES[name])
    ax.set(xlabel="time (slowest relaxations)")
    ax.set_ylabel(
        "error (absolute, rms)" if name == "logdet" else "error (relative, rms)"
    )
    style.key(ax)


def _draw_conditions(ax, dataset: xr.Dataset) -> None:
    # of boards whose fastest mode is given: time counts in its relaxations
    pace = np.sqrt(dataset.condition_error.coords["condition"])
    for i, name in enumerate(TITLES):
        at, fill = dataset.sel(primitive=name), {"markerfacecolor": "none"}
        look = {"linestyle": "none", "markersize": 4 + 2 * (i % 2), **fill}
        ax.plot(at["condition"], at.condition_error * pace, **style.look(i, **look))
        theory = style.look(i, marker=None)
        ax.plot(at["condition"], at.condition_theory * pace, **theory)
        ax.plot([], [], **style.look(i, label=TITLES[name], **fill))
    style.decades(ax, "xy")
    ax.set(xlabel="condition number")
    ax.set(ylabel="error times root of time\n(fastest relaxations)")
    ax.set(title=f"price of the condition number, d = {dataset.middle}")
    style.key(ax, ncols=2)


def note(dataset: xr.Dataset) -> str:
    """How errors fall, how near theory is, and which task pays most for a condition."""
    slope, factor = dataset.slope, dataset.prefactor
    off = (factor - 1).where(np.isfinite(factor))
    worst = [TITLES[n] for n in TITLES if float(abs(off.sel(primitive=n)).max()) > 0.25]
    pace = np.sqrt(dataset.condition_error.coords["condition"])
    price = dataset.condition_theory * pace
    rise = {
        words: float(price.sel(primitive=n)[-1] / price.sel(primitive=n)[0])
        for n, words in TITLES.items()
    }
    dear, cheap = max(rise, key=rise.__getitem__), min(rise, key=rise.__getitem__)
    grown = float(dataset["condition"][-1] / dataset["condition"][0])
    return (
        f"the error falls with slopes of {float(slope.min()):.2f} to "
        f"{float(slope.max()):.2f} (one over the root of time: -0.5); further than a "
        f"quarter from the theory for long times: {several(worst)}. A condition number "
        f"{grown:.3g} times worse costs {dear} most ({rise[dear]:.2g} times the error) "
        f"and {cheap} least ({rise[cheap]:.2g} times). Marks: simulated, lines: theory"
    )


_SOLVE, _INVERSE, _LYAPUNOV, _LOGDET, _EXPM = (
    partial(_draw_fall, name=name) for name in TITLES
)
plot = style.panels(
    (7.0, 11.6),
    [[_SOLVE, _INVERSE], [_LYAPUNOV, _LOGDET], [_EXPM, _draw_conditions]],
    note,
)
